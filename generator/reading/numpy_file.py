"""NumPy's ``.npy`` and ``.npz``, read without mapping them: sizes are checked before anything is allocated."""

import math
import os
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.reading.budget import check_declared
from stylegan_latents.generator.reading.files import (
    DamagedFileError,
    open_regular,
    read_exactly,
    refusing_damage,
)

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_NPY, _ZIP, _PICKLE = b"\x93NUMPY", b"PK", b"\x80"
_MOST_MEMBERS, _LARGEST_DIRECTORY, _MOST_DIMENSIONS = 10_000, 2 << 20, 8
_END_RECORD, _LONGEST_COMMENT = b"PK\x05\x06", 1 << 16


class PickledObjectsError(InputError):
    """An array of Python objects, which only unpickling could read."""


def read_numpy(path: str | os.PathLike[str], *, largest: int) -> "dict[str, Array]":
    """The arrays of a ``.npy`` or ``.npz``, by name; told by content, and a ``.npy`` has the empty name.

    Args:
        path: the file.
        largest: bytes that all arrays together may have.

    Raises:
        InputError: it cannot be read, is damaged, or declares more than it may.
        PickledObjectsError: an array is of Python objects.
    """
    name = Path(path).name
    with refusing_damage(path), open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(len(_NPY))
        file.seek(0)
        if head == _NPY:
            return {"": read_npy(file, name, size, largest)}
        if head.startswith(_PICKLE):
            raise PickledObjectsError(f"{printable(name)} is a pickle.")
        if not head.startswith(_ZIP):
            raise DamagedFileError(f"{printable(name)} cannot be read as a NumPy file.")
        _check_directory(file, size, name)
        with zipfile.ZipFile(file) as archive:
            return _members(archive, name, size, largest)


def npy_header(file: IO[bytes], name: str) -> "tuple[tuple[int, ...], bool, np.dtype[Any]]":
    """Shape, whether the first axis moves fastest, and type of the ``.npy`` that a stream is at the start of.

    Raises:
        DamagedFileError: it is none.
    """
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, is_fortran, dtype = read(file)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, OverflowError) as error:
        raise DamagedFileError(
            f"{printable(name)} cannot be read as a NumPy file: its header is damaged."
        ) from error
    if len(shape) > _MOST_DIMENSIONS or not all(type(side) is int and 0 <= side < 1 << 48 for side in shape):
        raise DamagedFileError(f"{printable(name)} cannot be read as a NumPy file: its shape is none of an array.")
    return shape, bool(is_fortran), dtype


def read_npy(file: IO[bytes], name: str, size: int, largest: int) -> "Array":
    """The array of the ``.npy`` that a stream is at the start of.

    Args:
        file: the stream.
        name: of the file, for messages.
        size: of the file in bytes, which bounds the array's.
        largest: bytes that the array may have.

    Raises:
        InputError: it cannot be read, or the array has more bytes.
        PickledObjectsError: it is of Python objects.
    """
    import numpy as np

    shape, is_fortran, dtype = npy_header(file, name)
    if dtype.hasobject:
        raise PickledObjectsError(f"{printable(name)} holds pickled Python objects.")
    needed = math.prod(shape) * dtype.itemsize
    if needed > largest:
        raise InputError(f"{printable(name)} declares an array of {needed:,} bytes, more than {largest:,}.")
    check_declared(name, needed, size)
    if not needed:
        return np.zeros(shape, dtype)
    array = np.frombuffer(read_exactly(file, needed, name), dtype)
    return array.reshape(shape[::-1]).T if is_fortran else array.reshape(shape)


def _check_directory(file: IO[bytes], size: int, name: str) -> None:
    """Refuse an archive whose table of contents alone would fill the memory."""
    file.seek(max(0, size - _LONGEST_COMMENT - 64))
    tail = file.read()
    end = tail.rfind(_END_RECORD)
    directory = int.from_bytes(tail[end + 12 : end + 16], "little")
    if end >= 0 and (directory > _LARGEST_DIRECTORY or tail[max(0, end - 20) : end].startswith(b"PK\x06\x07")):
        raise DamagedFileError(f"{printable(name)} has a table of contents that is far too long.")
    file.seek(0)


def _members(archive: zipfile.ZipFile, name: str, size: int, largest: int) -> "dict[str, Array]":
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        raise DamagedFileError(f"{printable(name)} holds {len(infos):,} arrays, more than are read.")
    # Compressed members can stand for any amount of memory.
    check_declared(name, sum(info.file_size for info in infos), size)
    found: dict[str, Array] = {}
    for info in infos:
        if info.flag_bits & 1:
            raise InputError(f"{printable(name)} is encrypted; save it without a password.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{printable(name)} is compressed in a way that NumPy does not use; save it again.")
        if info.filename.endswith(".npy"):
            with archive.open(info) as member:
                array = read_npy(member, name, max(size, info.file_size), largest)
                if member.read(1):
                    raise DamagedFileError(f"{printable(name)} is damaged: an array is longer than it says.")
            largest -= array.nbytes
            found[info.filename.removesuffix(".npy")] = array
    return found
