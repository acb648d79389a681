"""Small StyleGAN3 files, made by the official code from random weights, and random ones made here.

``tests/data/README.md`` says how the files came about.
"""

import math
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.alias_free import StyleGAN3Config
from stylegan_latents.generator.networks.stylegan3 import Mapping, Synthesis


def design(
    *,
    resolution: int,
    z_dim: int,
    mapping_widths: tuple[int, ...],
    image_channels: int = 3,
    label_dim: int = 0,
    label_width: int = 0,
    channel_base: int = 32768,
    channel_max: int = 512,
    depth: int = 14,
    critical: int = 2,
    first_cutoff: float = 2.0,
    first_stopband: float = 2**2.1,
    last_stopband: float = 2**0.3,
    margin: int = 10,
    radial: bool = False,
    kernel: int = 3,
) -> StyleGAN3Config:
    """The sizes of a network by the paper's rules: cutoffs and stopbands rise geometrically.

    Args:
        resolution: side of the image.
        channel_base: channels times twice the cutoff; ``channel_max`` bounds them.
        depth: layers before to-RGB, the last ``critical`` of which keep all that their rate can hold.
        first_cutoff, first_stopband: of layer 0, in cycles for each side of the image.
        last_stopband: of the last layers, as a multiple of their cutoff.
        margin: pixels outside of the image on each side of a feature map.
        radial, kernel: True and 1 for configuration R, with twice the channels; False and 3 for T.

    Raises:
        ValueError: no network has these sizes.
    """
    if resolution < 4 or not 0 <= critical < depth:
        raise ValueError("a StyleGAN3 has 4 pixels at least, and more layers than critically sampled ones")
    rising = [min(i / (depth - critical), 1.0) for i in range(depth + 1)]
    cutoffs = [first_cutoff * (resolution / 2 / first_cutoff) ** part for part in rising]
    stopbands = [first_stopband * (last_stopband * resolution / 2 / first_stopband) ** part for part in rising]
    rates = [2 ** math.ceil(math.log2(min(2 * stopband, resolution))) for stopband in stopbands]
    return StyleGAN3Config(
        z_dim=z_dim,
        mapping_widths=mapping_widths,
        channels=(*(round(min(channel_base / 2 / cutoff, channel_max)) for cutoff in cutoffs[:-1]), image_channels),
        sizes=(*(rate + 2 * margin for rate in rates[:-2]), resolution, resolution),
        rates=tuple(rates),
        cutoffs=tuple(cutoffs),
        half_widths=tuple(max(s, r / 2) - c for s, r, c in zip(stopbands, rates, cutoffs, strict=True)),
        label_dim=label_dim,
        label_width=label_width,
        critical=critical,
        kernel=kernel,
        radial=radial,
    )


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
