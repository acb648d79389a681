"""The directions that come with this package, and where their files are."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.direction import SUFFIX, Direction, load

if TYPE_CHECKING:
    pass


_SHIPPED = Path(__file__).parent


def known(latent_space: str) -> dict[str, Direction]:
    """The directions that come with the package for a latent space, by name, in alphabetical order."""
    return dict(all_shipped().get(latent_space, {}))


@functools.cache
def all_shipped() -> dict[str, dict[str, Direction]]:
    """Every direction in the package's own folder: latent space to name to direction."""
    found: dict[str, dict[str, Direction]] = {}
    for path in sorted(_SHIPPED.glob(f"*{SUFFIX}")):
        direction = load(path)
        found.setdefault(direction.latent_space, {})[direction.name] = direction
    return {space: dict(sorted(directions.items())) for space, directions in found.items()}


def shipped_path(latent_space: str, name: str, folder: Path = _SHIPPED) -> Path:
    """Where ``known`` looks for a shipped direction."""
    return folder / f"{latent_space}.{name}{SUFFIX}"
