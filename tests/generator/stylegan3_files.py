"""Small StyleGAN3 files, made by the official code from random weights, and random ones made here.

``tests/data/README.md`` says how the files came about.
"""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.alias_free import StyleGAN3Config, design
from stylegan_latents.generator.networks.stylegan3 import Mapping, Synthesis

FOLDER = Path(__file__).parents[1] / "data" / "stylegan3"
PICKLES = ("t-conditional", "r-four-channels", "xl-two-stages")
T = design(resolution=32, z_dim=4, mapping_widths=(6, 5), channel_base=128, channel_max=5, depth=7, margin=2)
_SMALL = design(
    resolution=16, z_dim=4, mapping_widths=(5,), channel_base=64, channel_max=6, depth=5, radial=True, kernel=1
)
R = replace(_SMALL, clamp=0.5)


def stylegan3_pickle(name: str = PICKLES[0]) -> Path:
    return FOLDER / f"{name}.pkl"


def expected(name: str) -> dict[str, Tensor]:
    """The official code's results: those of the StyleGAN2 files, and ``image_moved``."""
    return load_file(FOLDER / f"{name}.expected.safetensors")


def random_stylegan3(config: StyleGAN3Config = T, seed: int = 0) -> Generator:
    """A generator whose weights, magnitudes and placing of the image are random."""
    source = torch.Generator().manual_seed(seed)
    mapping, synthesis = Mapping(config), Synthesis(config)
    with torch.no_grad():
        tensors = [*mapping.named_parameters(), *synthesis.named_parameters(), *synthesis.named_buffers()]
        for name, tensor in tensors:
            drawn = torch.randn(tensor.shape, generator=source)
            if name.endswith("magnitude"):
                tensor.copy_(drawn.abs() + 0.5)
            elif name.endswith(("frequencies", "phases")):
                tensor.copy_(drawn)
            elif name.endswith("style.bias"):
                tensor.copy_(1 + 0.2 * drawn)
            elif name.endswith("bias"):
                tensor.copy_(0.2 * drawn)
            elif not name.endswith("transform"):
                tensor.copy_(drawn * (tensor.shape[1] ** -0.5 if tensor.ndim == 2 else 1))
    w_avg = torch.zeros(config.w_dim)
    return Generator(mapping, synthesis, w_avg, name="random", z_dim=config.z_dim, label_dim=config.label_dim)
