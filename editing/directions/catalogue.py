"""Directions by their names: those that come with the package, and those in files."""

import functools
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.arrays import split_name
from stylegan_latents.editing.directions.direction import SUFFIX, Direction, load
from stylegan_latents.editing.directions.published import PublishedDirection
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

_SHIPPED = Path(__file__).parent


def find_direction(name_or_path: str | Path, G: "Generator") -> Direction:
    """The direction of this name or in this file, bound to ``G``.

    Args:
        name_or_path: as for ``lookup``.
        G: the generator that it is to be used on.

    Raises:
        InputError: as ``lookup``, ``Direction.bind`` and ``PublishedDirection.bind``.
    """
    return lookup(name_or_path, G.latent_space, G.name).bind(G)


def lookup(name_or_path: str | Path, latent_space: str, model: str) -> Direction | PublishedDirection:
    """The direction of this name or in this file; its ``bind`` makes it one of a generator. Needs no generator.

    Args:
        name_or_path: a name that ``known_directions`` gives, in any case; or the path of a file that
            ``Direction.save`` wrote, or of a published one. One of several directions in a file is named after a
            colon, ``ffhq_pca.pt:54``.
        latent_space, model: of the generator that it is for; the model's name is for messages.

    Raises:
        InputError: the name is unknown (near names and the whole list are in the message), the file cannot be
            read, or the direction belongs to another latent space (both are named).
    """
    text = str(name_or_path).strip()
    here = known_directions(latent_space)
    by_lower_case = {name.lower(): direction for name, direction in here.items()}
    if text.lower() in by_lower_case:
        return by_lower_case[text.lower()]
    if PublishedDirection.is_one(text):
        return PublishedDirection(*split_name(text))
    path = Path(text).expanduser()
    if path.is_file() or path.suffix == SUFFIX:
        direction = load(path)
        direction.check_space(latent_space, model)
        return direction
    for others in all_shipped().values():
        if text in others:
            others[text].check_space(latent_space, model)
    near = get_close_matches(text.lower(), by_lower_case, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    listed = f"known for this model: {', '.join(here)}" if here else f"none is known for the model '{model}'"
    raise InputError(f"There is no direction or file '{text}'; {hint}{listed}.".replace("? known", "? Known"))


def known_directions(latent_space: str) -> dict[str, Direction]:
    """The directions that come with the package for a latent space, by name, in alphabetical order."""
    return dict(all_shipped().get(latent_space, {}))


@functools.cache
def all_shipped() -> dict[str, dict[str, Direction]]:
    """Every direction that comes with the package: latent space to name to direction."""
    found: dict[str, dict[str, Direction]] = {}
    for path in sorted(_SHIPPED.glob(f"*{SUFFIX}")):
        direction = load(path)
        found.setdefault(direction.latent_space, {})[direction.name] = direction
    return {space: dict(sorted(directions.items())) for space, directions in found.items()}


def shipped_path(latent_space: str, name: str, folder: Path = _SHIPPED) -> Path:
    """Where ``known_directions`` looks for a direction that comes with the package."""
    return folder / f"{latent_space}.{name}{SUFFIX}"
