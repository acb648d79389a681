"""Small StyleNeRF files, made by the official code from random weights, and random ones made here.

``tests/data/README.md`` says how the files came about.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.mapping import Mapping
from stylegan_latents.generator.networks.stylenerf import StyleNeRFConfig, Synthesis
from stylegan_latents.generator.networks.stylenerf_layers import FieldSizes
from stylegan_latents.generator.ops.radiance_field import Marching

FOLDER = Path(__file__).parents[2] / "data" / "stylenerf"
PICKLES = ("faces", "cars", "older")
SMALL = StyleNeRFConfig(
    z_dim=4,
    mapping_widths=(6, 5),
    channels=(6, 4),
    foreground=FieldSizes(8, 2, 6),
    background=FieldSizes(6, 2, 2),
    background_dim=3,
    features=5,
    marching=Marching(side=8, near=0.88, far=1.12, samples=5, background_samples=3, background_start=0.5),
)


def stylenerf_pickle(name: str = PICKLES[0]) -> Path:
    return FOLDER / f"{name}.pkl"


def expected(name: str) -> dict[str, Tensor]:
    """The official code's results."""
    return load_file(FOLDER / f"{name}.expected.safetensors")


def random_stylenerf(config: StyleNeRFConfig = SMALL, seed: int = 0) -> Generator:
    """A generator with random weights, of 32 pixels."""
    source = torch.Generator().manual_seed(seed)
    mapping, synthesis = Mapping(config), Synthesis(config)
    with torch.no_grad():
        for parameter in [*mapping.parameters(), *synthesis.parameters()]:
            fan_in = max(parameter[0].numel(), 1) if parameter.ndim == 2 else 1
            parameter.copy_(torch.randn(parameter.shape, generator=source) * fan_in**-0.5)
        synthesis.foreground.density.bias += 8  # so that something is there
    return Generator(mapping, synthesis, torch.zeros(config.w_dim), name="random", z_dim=config.z_dim)
