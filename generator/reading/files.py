"""Files of strangers: only regular ones are opened, none is mapped, and what is wrong with one is one sentence.

A mapped file that another process cuts short ends the program by a signal, which nothing can catch; one that is
read ends too soon, which is an error. Opening a named pipe waits for its writer, possibly without end.
"""

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

_PIECE = 1 << 20  # what a compressed member is unpacked into at once
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


UNFITTING = "is damaged: its tensors do not fit one another"
"""What a file is whose tensors make no network, for ``refusing_damage``."""


class DamagedFileError(InputError):
    """A file that is there and can be opened, but does not hold what it should."""


def check_regular(path: str | os.PathLike[str], what: str = "") -> os.stat_result:
    """Refuse what is no regular file, without opening it.

    Args:
        path: the file.
        what: what a message calls it before its path, such as ``the encoder``.

    Raises:
        InputError: it is missing, a folder, a named pipe, a socket or a device.
    """
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        raise _cannot_read(path, what, error) from error
    _check(status, path, what)
    return status


def open_regular(path: str | os.PathLike[str], what: str = "") -> io.BufferedReader:
    """Open a regular file for reading bytes; it never waits, as for the writer of a named pipe.

    Args, Raises: as for ``check_regular``; also InputError for a file that may not be read.
    """
    check_regular(path, what)
    try:
        # Between the check and here another file can take its place.
        flags = (
            os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        )
        handle = os.open(path, flags)
    except OSError as error:
        raise _cannot_read(path, what, error) from error
    try:
        _check(os.fstat(handle), path, what)
    except InputError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def read_regular(path: str | os.PathLike[str], what: str = "", *, largest: int | None = None) -> bytes:
    """All bytes of a regular file.

    Args:
        path, what: as for ``check_regular``.
        largest: size in bytes above which a file is refused before it is read.

    Raises:
        InputError: it cannot be read, or is larger.
    """
    with open_regular(path, what) as file:
        size = os.fstat(file.fileno()).st_size
        if largest is not None and size > largest:
            name = printable(Path(path).name)
            raise InputError(f"{name} has {size:,} bytes, more than the {largest:,} that are read of such a file.")
        try:
            return file.read(size if largest is None else min(size, largest))
        except OSError as error:
            raise _cannot_read(path, what, error) from error


def read_exactly(file: IO[bytes], size: int, name: str) -> bytearray:
    """The next ``size`` bytes of a file.

    Raises:
        DamagedFileError: the file ends before.
    """
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        count = file.readinto(view[done : done + _PIECE])  # type: ignore[attr-defined]
        if not count:
            raise DamagedFileError(
                f"{printable(name)} is cut short: {size - done:,} bytes are missing; copy it again."
            )
        done += count
    return data


@contextlib.contextmanager
def refusing_damage(
    path: str | os.PathLike[str], is_what: str = "is damaged; fetch or copy it again"
) -> Iterator[None]:
    """Whatever the block stumbles over, the file at ``path`` caused it: raise InputError that names it.

    Args:
        path: of the file that the block reads.
        is_what: what the file is then, as the end of a sentence.

    Raises:
        InputError: as the block raised it; "Cannot read" for an OSError; ``is_what`` for any other exception.
    """
    name = printable(Path(path).name)
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise _cannot_read(path, "", error) from error
    except MemoryError as error:
        raise DamagedFileError(f"{name} needs more memory than there is.") from error
    except Exception as error:
        raise DamagedFileError(f"{name} {is_what}.") from error


def _check(status: os.stat_result, path: str | os.PathLike[str], what: str) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"Cannot read {_named(path, what)}: it is a folder.")
    kind = next((kind for test, kind in _KINDS if test(status.st_mode)), "no regular file")
    raise InputError(f"Cannot read {_named(path, what)}: it is {kind}; give a regular file.")


def _cannot_read(path: str | os.PathLike[str], what: str, error: OSError | ValueError) -> InputError:
    reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
    return InputError(f"Cannot read {_named(path, what)}: {reason}.")


def _named(path: str | os.PathLike[str], what: str) -> str:
    return f"{what} {printable(os.fspath(path))}".strip()
