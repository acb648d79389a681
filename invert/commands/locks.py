"""Telling a run at its beginning, not at its end, that another one is making the same file."""

import hashlib
import os
import sys
from pathlib import Path

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights.fetch import cache_folder


class Claims:
    """The files that this process is about to write, as far as other processes are concerned.

    A claim is a lock on one byte of a file in the cache folder, at a place that the claimed file's name decides.
    The system lifts it when the process ends, however it ends, and nothing is left beside the results.
    """

    def __init__(self) -> None:
        self._descriptor: int | None = None

    def take(self, target: Path) -> None:
        """Claim a file until ``release`` or ``close``.

        Raises:
            InputError: another process has claimed it.
        """
        if self._descriptor is None:
            try:
                locks = cache_folder() / ".locks"
                locks.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(locks / "outputs.lock", os.O_RDWR | os.O_CREAT, 0o666)
            except OSError:
                # A cache that may only be read serves, too; that nothing is replaced is seen to when it is written.
                return
        if not _lock(self._descriptor, _place(target)):
            raise InputError(f"Another run is making {target}; wait for it, or choose another place with --out.")

    def release(self, target: Path) -> None:
        """Give a file up that was claimed."""
        if self._descriptor is not None:
            _unlock(self._descriptor, _place(target))

    def close(self) -> None:
        """Give everything up."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _place(target: Path) -> int:
    """A number for a path, however it is spelled; that two get the same one is as likely as a broken disk."""
    name = os.path.normcase(os.path.realpath(target))
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:7])


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, place: int) -> bool:
        os.lseek(descriptor, place, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _unlock(descriptor: int, place: int) -> None:
        os.lseek(descriptor, place, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import errno
    import fcntl

    def _lock(descriptor: int, place: int) -> bool:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError as error:
            # Where the file system knows no locks, nobody holds one.
            return error.errno not in (errno.EACCES, errno.EAGAIN)
        return True

    def _unlock(descriptor: int, place: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, place)
