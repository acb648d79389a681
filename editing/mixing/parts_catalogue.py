"""Catalogues of parts, from the package or the cache folder."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.mixing.parts import _SUFFIX, Parts, load
from stylegan_latents.generator.cli.progress import Begin
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator


_SHIPPED = Path(__file__).parent / "catalogues"


def parts_of(G: "Generator", begin: Begin) -> Parts:
    """The catalogue of a generator; if there is none, it is made now and kept in the cache folder.

    Args:
        G: without tuned weights.
        begin: makes a progress bar.

    Raises:
        InputError: the model has classes, or the cache folder cannot be written.
    """
    parts = stored_parts(G)
    if parts is not None:
        return parts
    if G.label_dim:
        raise InputError(f"The model '{G.name}' has classes; parts are found for models without.")
    from stylegan_latents.editing.mixing.find_parts import find_parts

    parts = find_parts(G, begin=begin)
    parts.save(_kept_at(G))
    return parts


def stored_parts(G: "Generator") -> Parts | None:
    """The catalogue of a generator without tuned weights, if it is in the package or the cache folder."""
    return _shipped().get(G.fingerprint) or _cached(_kept_at(G))


def _kept_at(G: "Generator") -> Path:
    from stylegan_latents.generator.weights.fetch import cache_folder

    return cache_folder() / "parts" / f"{G.fingerprint[:24]}{_SUFFIX}"


def _cached(path: Path) -> Parts | None:
    """None where there is no catalogue, or a damaged one, which is made again."""
    try:
        return load(path) if path.is_file() else None
    except InputError:
        return None


@functools.cache
def _shipped() -> dict[str, Parts]:
    """The catalogues in the package's own folder, by fingerprint."""
    return {parts.fingerprint: parts for parts in map(load, sorted(_SHIPPED.glob(f"*{_SUFFIX}")))}
