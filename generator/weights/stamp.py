"""What is written beside cached weights about their last verification, and the verification itself.

Weights whose sha256 nobody published are trusted at their first use: the sha256 found then is in the stamp, and
they are held against it from then on.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights.archive import sha256_of
from stylegan_latents.generator.weights.entry import Entry

STAMP = "verified.json"
# Raised when a conversion writes something else than before, so that cached conversions are made again.
_CONVERSION = 1


def is_intact(entry: Entry, folder: Path, *, thorough: bool = False) -> bool:
    """Whether the folder holds the entry's files, each with its sha256.

    A file whose size and time are those of its last verification is not hashed again.

    Raises:
        InputError: a file cannot be read.
    """
    stamp = _read(folder)
    expected = entry.files
    if entry.convert and stamp.get("converted_from") != _pins(entry):
        # The result's own hash is known from the conversion only, which must have been of the pinned member.
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
    # A cache that is shared read-only cannot keep the stamp; its files are then hashed at every use.
    if hashed and os.access(folder, os.W_OK):
        with contextlib.suppress(PermissionError):
            write_stamp(entry, folder)
    return True


def trusted_sha256(entry: Entry, folder: Path) -> str:
    """The sha256 that the entry's file had at its first use; empty before that."""
    return str(_read(folder)["files"].get(entry.file, {}).get("sha256", ""))


def write_stamp(entry: Entry, folder: Path) -> None:
    """Write down size, time and sha256 of the entry's files, which were just verified or made."""
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
    """What is known of the last verification; without files where nothing usable is written down."""
    nothing: dict[str, Any] = {"files": {}}
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # missing or damaged: the files themselves are hashed then
        return nothing
    files = stamp.get("files") if isinstance(stamp, dict) else None
    if not isinstance(files, dict) or not all(
        isinstance(record, dict) and {"size", "mtime_ns", "sha256"} <= record.keys() for record in files.values()
    ):
        return nothing
    return {str(key): value for key, value in stamp.items()}
