"""Directions by their names: those that come with the package, and those in files."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions import shipped
from stylegan_latents.editing.directions.direction import SUFFIX, Direction, load
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator


def find(name_or_path: str | Path, G: "Generator") -> Direction:
    """The direction of this name or in this file, bound to ``G``.

    A file is one that ``Direction.save`` wrote, or a published one that
    ``editing.directions.published`` reads; one of several directions in a file is named after a colon,
    ``ffhq_pca.pt:54``.

    Raises:
        InputError: as ``lookup``, ``Direction.bind`` and ``read``.
    """
    from stylegan_latents.editing.directions.published import is_published, read, split_component

    if is_published(name_or_path, G.latent_space):
        path, component = split_component(str(name_or_path).strip())
        return read(path, G, component)
    return lookup(name_or_path, G.latent_space, G.name).bind(G)


def lookup(name_or_path: str | Path, latent_space: str, model: str) -> Direction:
    """The direction of this name or in this file, not bound yet; needs no generator.

    Args:
        name_or_path: a name that ``known`` gives, in any case, or a file's path.
        latent_space, model: of the generator that it is for; the model's name is for messages.

    Raises:
        InputError: the name is unknown (near names and the whole list are in the message), the file cannot be
            read, or the direction belongs to another latent space (both are named).
    """
    text = str(name_or_path).strip()
    here = shipped.known(latent_space)
    by_lower_case = {name.lower(): direction for name, direction in here.items()}
    if text.lower() in by_lower_case:
        return by_lower_case[text.lower()]
    path = Path(text).expanduser()
    if path.is_file() or path.suffix == SUFFIX:
        direction = load(path)
        direction.check_space(latent_space, model)
        return direction
    for others in shipped.all_shipped().values():
        if text in others:
            others[text].check_space(latent_space, model)
    near = get_close_matches(text.lower(), by_lower_case, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    listed = f"known for this model: {', '.join(here)}" if here else f"none is known for the model '{model}'"
    raise InputError(f"There is no direction or file '{text}'; {hint}{listed}.".replace("? known", "? Known"))
