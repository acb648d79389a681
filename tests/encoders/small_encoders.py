"""Encoders of a few channels for the small generators of the tests."""

from pathlib import Path
from typing import Any

import torch

from stylegan_latents.encoders.config import Architecture, EncoderConfig
from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.generator.generator import Generator
from tests.odd_models import seeded

DATA = Path(__file__).parents[1] / "data" / "encoders"
WIDTHS, DEPTHS = (8, 8, 10, 12, 16), (1, 2, 2, 1)


def small_encoder(
    G: Generator, architecture: Architecture = "plain", *, restyle: bool = False, seed: int = 0
) -> Encoder:
    """Of 32 pixels, with random weights."""
    widths = {"plain": (8, 16, 16), "perceptual": (4, 12)}.get(architecture, WIDTHS)
    config = EncoderConfig.for_generator(
        G, architecture, restyle=restyle, input_size=32, widths=widths, depths=DEPTHS
    )
    return Encoder.for_generator(G, config, name=f"small-{architecture}", seed=seed)


def public_contents(name: str) -> dict[str, Any]:
    """What a public encoder's code saved; see ``tests/data/README.md``."""
    with torch.serialization.safe_globals([__import__("argparse").Namespace]):
        contents: dict[str, Any] = torch.load(DATA / f"{name}.pt", weights_only=True)
    return contents


def noise_images(count: int = 2, size: int = 32, seed: int = 0) -> torch.Tensor:
    """Noise in [-1, 1]."""
    with seeded(seed):
        return torch.rand(count, 3, size, size) * 2 - 1
