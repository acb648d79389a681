"""A studio with a small random generator that has the default model's directions, and its page."""

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import torch

from stylegan_latents.demo.server.serve import running
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.mobile import Mapping, MobileConfig, Synthesis
from tests.odd_models import seeded

# The shipped directions are of 512 values; everything else is as small as can be.
_CONFIG = MobileConfig(z_dim=8, w_dim=512, mapping_depth=2, channels=(8, 8, 8))


def wide_generator(seed: int = 0) -> Generator:
    """A MobileStyleGAN with random weights: 32 pixels, 6 rows of 512 values, directions that fit."""
    with seeded(seed):
        mapping, synthesis = Mapping(_CONFIG), Synthesis(_CONFIG)
        for module in synthesis.modules():
            weight = getattr(module, "weight", None)
            if isinstance(weight, torch.Tensor) and weight.ndim == 4:
                with torch.no_grad():
                    weight.mul_(3)
    return Generator(
        mapping, synthesis, torch.zeros(512), name="small", latent_space="stylegan2-ffhq-w", z_dim=_CONFIG.z_dim
    )


def small_studio(folder: Path, **options: Any) -> Studio:
    """A studio of ``wide_generator``."""
    return Studio(wide_generator(), folder=folder, **{"steps": 4, **options})


def save_wide_model(folder: Path) -> Path:
    """The file of ``wide_generator``."""
    path = folder / "small.safetensors"
    save_native(wide_generator(), path)
    return path


def free_port() -> int:
    """A port that the system chooses, as two tests that look for the first free one at a time find the same."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def small_page(folder: Path, **options: Any) -> AbstractContextManager[tuple[Studio, str]]:
    """A small studio and the address of its page."""
    return page_of(small_studio(folder, **options))


@contextmanager
def page_of(studio: Studio) -> Iterator[tuple[Studio, str]]:
    """A studio, closed at the end, and the address of its page."""
    try:
        with running(studio, port=free_port()) as address:
            yield studio, address.rstrip("/")
    finally:
        studio.close()
