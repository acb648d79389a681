"""Finds directions by name, among those shipped with the package, or by file."""

import functools
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.direction import SUFFIX, Direction, load
from stylegan_latents.editing.directions.published import PublishedDirection
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.arrays import split_name
from stylegan_latents.generator.weights.hub import on_this_machine

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

_SHIPPED = Path(__file__).parent


def find_direction(name_or_path: str | Path, G: "Generator") -> Direction:
    """The direction of this name or in this file, bound to ``G``; see ``lookup``.

    Raises:
        InputError: there is no such direction, or it does not fit ``G``.
    """
    return lookup(name_or_path, G.latent_space, G.name).bind(G)


def lookup(name_or_path: str | Path, latent_space: str, model: str) -> Direction | PublishedDirection:
    """The direction of this name or in this file, to be bound to a generator with ``bind``; loads no generator.

    Args:
        name_or_path: a name of ``known_directions``, in any case; or a file that ``Direction.save`` wrote, or a
            published one, also of the Hugging Face hub, ``hf://owner/repository/file@revision``. One of several
            directions in a file is named after a colon, ``ffhq_pca.pt:54``.
        latent_space, model: of the generator; the model's name is for messages.

    Raises:
        InputError: the name is unknown (the message lists near and known ones), the file cannot be read, or the
            direction belongs to another latent space.
    """
    text = _on_this_machine(str(name_or_path).strip())
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
    name, _, strength = text.partition("=")
    if name.lower() in by_lower_case and strength:
        raise InputError(f"'{text}' is no direction; write --direction {name} --strength {strength}.")
    near = get_close_matches(text.lower(), by_lower_case, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    listed = f"known for this model: {', '.join(here)}" if here else f"none is known for the model '{model}'"
    raise InputError(f"There is no direction or file '{text}'; {hint}{listed}.".replace("? known", "? Known"))


def _on_this_machine(text: str) -> str:
    """The text, with a hub's address replaced by the path of the fetched file; one of its directions may follow."""
    address, colon, one = text.rpartition(":") if text.count(":") > 1 else (text, "", "")
    return f"{on_this_machine(address)[0]}{colon}{one}" if text.startswith("hf:") else text


def known_directions(latent_space: str) -> dict[str, Direction]:
    """The directions shipped with the package for a latent space, by name, in alphabetical order."""
    return dict(all_shipped().get(latent_space, {}))


@functools.cache
def all_shipped() -> dict[str, dict[str, Direction]]:
    """Every direction shipped with the package: latent space to name to direction."""
    found: dict[str, dict[str, Direction]] = {}
    for path in sorted(_SHIPPED.glob(f"*{SUFFIX}")):
        direction = load(path)
        found.setdefault(direction.latent_space, {})[direction.name] = direction
    return {space: dict(sorted(directions.items())) for space, directions in found.items()}


def shipped_names() -> set[str]:
    """The names of the directions shipped with the package, of any latent space; no file is read."""
    return {path.name.removesuffix(SUFFIX).rpartition(".")[2] for path in _SHIPPED.glob(f"*{SUFFIX}")}


def shipped_path(latent_space: str, name: str, folder: Path = _SHIPPED) -> Path:
    """The file of a direction that is shipped with the package."""
    return folder / f"{latent_space}.{name}{SUFFIX}"
