"""Files at addresses, such as ``s3://bucket/me.jpg`` or ``https://host/me.jpg``, through fsspec."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from stylegan_latents.generator.errors import InputError

# At least two letters: C:/ is a drive. A path has lost one of the two slashes.
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+(.+)")
_MOST_BYTES = 1 << 30


def address_of(path: Path) -> str | None:
    """The address that a command's argument means, such as ``s3://bucket/photos``; None for a path of this machine.

    A folder called ``s3:`` is meant by ``./s3:``, as everywhere.
    """
    match = _ADDRESS.fullmatch(path.as_posix())
    return None if match is None else f"{match[1]}:{'///' if match[1] == 'file' else '//'}{match[2]}"


def joined(folder: str, name: str) -> str:
    """The address of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def list_addresses(address: str) -> list[str]:
    """The addresses of the files directly in a folder, sorted; InputError if it cannot be listed."""
    with _explained(address, "listed"):
        system, path = _system(address)
        names = {one["name"].rpartition("/")[2] for one in system.ls(path, detail=True) if one["type"] == "file"}
        return [joined(address, name) for name in sorted(names)]


def read_address(address: str) -> bytes:
    """The bytes of a file.

    Raises:
        InputError: it is not there, may not be read, or is larger than a gigabyte; or what reads its kind of
            address is not installed.
    """
    with open_file(address) as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise InputError(f"{address} is larger than a gigabyte, too large for a photo.")
    return data


def exists_at(address: str) -> bool:
    """Whether there is a file; InputError if that cannot be told."""
    with _explained(address, "read"):
        system, path = _system(address)
        return bool(system.exists(path))


def write_address(address: str, data: bytes) -> None:
    """Write a file as a whole or not at all; InputError if it cannot be written."""
    with _explained(address, "written"):
        system, path = _system(address)
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        if type(system).__name__ == "LocalFileSystem":
            from stylegan_latents.generator.files import atomic_path

            with atomic_path(Path(path)) as temporary:
                temporary.write_bytes(data)
        else:
            # What is written appears when the transaction ends; buckets do so for every file anyway.
            with system.transaction, system.open(path, "wb") as file:
                file.write(data)


@contextlib.contextmanager
def open_file(place: str) -> Iterator[BinaryIO]:
    """Open a file of this machine or at an address, for reading from any position."""
    with _explained(place, "read"):
        if address_of(Path(place)) is None:
            with Path(place).open("rb") as file:
                yield file
        else:
            system, path = _system(place)
            with system.open(path, "rb") as file:
                yield file


def _system(address: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    found: tuple[Any, str] = url_to_fs(address)
    return found


@contextlib.contextmanager
def _explained(address: str, done: str) -> Iterator[None]:
    """Raise an InputError for whatever the block raises: every kind of address has errors of its own."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        # Of a server that does not answer, fsspec says that there is no such file.
        cause = error.__cause__
        if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):
            raise InputError(f"{address} cannot be {done}: {cause}.") from error
        raise InputError(f"There is no {address}.") from error
    except ImportError as error:
        kind, needed = address.partition(":")[0], re.search(r"install ['`]?(\w+)", str(error), re.IGNORECASE)
        remedy = f"; run `pip install {needed[1]}`" if needed else ""
        raise InputError(f"Nothing that reads {kind}:// is installed{remedy}.") from error
    except Exception as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split()).rstrip(".")
        raise InputError(f"{address} cannot be {done}: {reason or type(error).__name__}.") from error
