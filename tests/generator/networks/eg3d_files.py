"""Small EG3D files, made by the official code from random weights, and random ones made here.

``tests/data/README.md`` says how the files came about.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.eg3d import EG3DConfig, Mapping, SuperResolution, Synthesis
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.generator.ops.volume_rendering import Rendering

FOLDER = Path(__file__).parents[2] / "data" / "eg3d"
PICKLES = ("faces", "cars", "cats")
SMALL = EG3DConfig(
    backbone=StyleGAN2Config(
        z_dim=4, mapping_widths=(6, 5), channels=(6, 5, 5), image_channels=12, label_dim=25, label_width=5
    ),
    hidden=8,
    colours=5,
    rendering=Rendering(side=4, near=2.25, far=3.3, samples=6, fine_samples=5, box=1.0),
    super_resolution=SuperResolution(side=8, channels=(6, 4), doubles=(True, True), clamp=256.0),
    distance=2.7,
    fov=13.4,
    pivot=(0.0, 0.0, 0.2),
)


def eg3d_pickle(name: str = PICKLES[0]) -> Path:
    return FOLDER / f"{name}.pkl"


def expected(name: str) -> dict[str, Tensor]:
    """The official code's results."""
    return load_file(FOLDER / f"{name}.expected.safetensors")


def random_eg3d(config: EG3DConfig = SMALL, seed: int = 0) -> Generator:
    """A generator with random weights, noise strengths among them, of 32 pixels."""
    source = torch.Generator().manual_seed(seed)
    mapping, synthesis = Mapping(config), Synthesis(config)
    with torch.no_grad():
        for parameter in [*mapping.parameters(), *synthesis.parameters()]:
            fan_in = max(parameter[0].numel(), 1) if parameter.ndim == 2 else 1
            parameter.copy_(torch.randn(parameter.shape, generator=source) * fan_in**-0.5)
        synthesis.decoder.out.bias[0] += 3  # so that something is there
    return Generator(mapping, synthesis, torch.zeros(config.w_dim), name="random", z_dim=config.z_dim)
