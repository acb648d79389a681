"""Locks on output files: a run that would write a file that another one is making fails at its start."""

import hashlib
import os
import sys
from pathlib import Path

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights.fetch import cache_folder


class OutputLocks:
    """This process's locks on the files that it is about to write.

    A lock covers one byte of a file in the cache folder, at an offset that is a hash of the output's path. The
    system releases it when the process ends, however it ends, and nothing is left beside the results.
    """

    def __init__(self) -> None:
        self._descriptor: int | None = None

    def take(self, target: Path) -> None:
        """Lock a file until ``release`` or ``close``; InputError if another process holds the lock."""
        if self._descriptor is None:
            try:
                locks = cache_folder() / ".locks"
                locks.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(locks / "outputs.lock", os.O_RDWR | os.O_CREAT, 0o666)
            except OSError:
                # Go on with a read-only cache: existing files are still not replaced when they are written.
                return
        if not _lock(self._descriptor, _offset(target)):
            raise InputError(f"Another run is making {target}; wait for it, or choose another folder with --out.")

    def release(self, target: Path) -> None:
        """Release the lock on one file."""
        if self._descriptor is not None:
            _unlock(self._descriptor, _offset(target))

    def close(self) -> None:
        """Release all locks."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _offset(target: Path) -> int:
    """The same number for a path however it is spelled; 56 bits of hash make collisions negligible."""
    name = os.path.normcase(os.path.realpath(target))
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:7])


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, offset: int) -> bool:
        os.lseek(descriptor, offset, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _unlock(descriptor: int, offset: int) -> None:
        os.lseek(descriptor, offset, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import errno
    import fcntl

    def _lock(descriptor: int, offset: int) -> bool:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except OSError as error:
            # On a file system without locks, nobody holds one.
            return error.errno not in (errno.EACCES, errno.EAGAIN)
        return True

    def _unlock(descriptor: int, offset: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, offset)
