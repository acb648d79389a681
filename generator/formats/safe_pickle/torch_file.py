"""The two files of ``torch.save``: a zip archive, and before PyTorch 1.6 a row of pickles with numbers behind them.

Only descriptions of tensors are made; the numbers stay in the file until ``StoredTensor.read``.
"""

import contextlib
import io
import os
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.file_head import STREAM_MAGIC
from stylegan_latents.generator.formats.safe_pickle.inert_torch import TORCH, Storage, StorageType
from stylegan_latents.generator.formats.safe_pickle.stand_ins import StandIn
from stylegan_latents.generator.formats.safe_pickle.unpickler import load_inert
from stylegan_latents.generator.reading.files import open_regular

_LITTLE = 1 << 20
_BYTE_ORDER = "was written on a machine with another byte order, which is not read"


@contextlib.contextmanager
def open_torch_file(path: Path, stand_ins: Mapping[str, StandIn] = TORCH) -> Iterator[object]:
    """Give what ``torch.save`` wrote, with ``StoredTensor`` for tensors, readable inside the block.

    Args:
        path: the file.
        stand_ins: the names that are allowed: those of tensors and their settings, or all of ``CHECKPOINT``.

    Raises:
        InputError: the file is truncated, damaged, no such file, or asks for what weights do not need.
    """
    with open_regular(path) as file:
        if file.read(2) != b"PK":
            file.seek(0)
            yield read_stream(file, path.name, stand_ins)
            return
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise InputError(
                f"{path.name} is cut short or damaged: its table of contents is missing or unreadable."
            ) from error
        with archive:
            yield _read_archive(archive, os.fstat(file.fileno()).st_size, path.name, stand_ins)


def read_stream(file: IO[bytes], name: str, stand_ins: Mapping[str, StandIn], slack: int = 80 << 20) -> object:
    """Read the older format from a seekable file.

    Args:
        file: at the start of the stream.
        name: how to call the file in messages.
        stand_ins: the names that are allowed.
        slack: see ``load_inert``.

    Raises:
        InputError: see ``open_torch_file``.
    """
    start = file.tell()
    if file.read(len(STREAM_MAGIC)) != STREAM_MAGIC:
        raise InputError(f"{name} is no file of torch.save.")
    end = file.seek(0, io.SEEK_END)
    file.seek(start + len(STREAM_MAGIC))
    load_inert(file, stand_ins={}, name=name, slack=_LITTLE)  # the protocol's version
    system = load_inert(file, stand_ins={}, name=name, slack=_LITTLE)
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise InputError(f"{name} {_BYTE_ORDER}.")
    storages: dict[str, tuple[Storage, list[int]]] = {}

    def storage(pid: object) -> object:
        if isinstance(pid, tuple) and len(pid) == 4 and pid[0] == "module":
            return pid[1]  # a network's class, beside which its source text was kept
        kind, key, length = _checked(pid)
        if key not in storages:
            place: list[int] = []
            storages[key] = Storage(kind.dtype, length, _reader(file, place, length * kind.dtype.itemsize)), place
        root, _ = storages[key]
        view = pid[5] if isinstance(pid, tuple) and len(pid) > 5 else None
        return root if view is None else _view(root, view)

    contents = load_inert(file, stand_ins=stand_ins, persistent=storage, name=name, slack=slack)
    keys = load_inert(file, stand_ins={}, name=name, slack=slack // 4)
    if not isinstance(keys, list) or len(keys) != len(storages) or set(map(str, keys)) != set(storages):
        raise InputError(f"{name} is damaged: its list of tensors does not fit its contents.")
    for key in keys:
        found, place = storages[str(key)]
        header = file.read(8)
        size = found.length * found.dtype.itemsize
        position = file.tell()
        if len(header) < 8 or struct.unpack("<q", header)[0] != found.length or position + size > end:
            raise InputError(f"{name} is cut short or damaged: not all of its tensors are there; fetch it again.")
        place.append(position)
        file.seek(position + size)
    return contents


def _read_archive(archive: zipfile.ZipFile, whole: int, name: str, stand_ins: Mapping[str, StandIn]) -> object:
    members = {info.filename: info for info in archive.infolist()}
    pickles = [key for key in members if key.count("/") == 1 and key.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise InputError(f"{name} is a zip archive, but none that torch.save wrote.")
    folder = pickles[0].removesuffix("data.pkl")

    def contents(key: str) -> bytes:
        info = members.get(folder + key)
        # Compression would let a small file stand for any amount of memory, and torch.save uses none.
        stored = info is not None and info.compress_type == zipfile.ZIP_STORED
        if info is None or not stored or info.file_size != info.compress_size or info.file_size > whole:
            raise InputError(
                f"{name} is damaged: it lacks '{key}' or has it in a form that torch.save does not write."
            )
        try:
            return archive.read(info)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise InputError(f"{name} is cut short or damaged ({error}); fetch or copy it again.") from error

    if folder + "byteorder" in members and contents("byteorder") != b"little":
        raise InputError(f"{name} {_BYTE_ORDER}.")

    def storage(pid: object) -> Storage:
        kind, key, length = _checked(pid)
        return Storage(kind.dtype, length, lambda: bytearray(contents(f"data/{key}")))

    return load_inert(io.BytesIO(contents("data.pkl")), stand_ins=stand_ins, persistent=storage, name=name)


def _checked(pid: object) -> tuple[StorageType, str, int]:
    if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage":
        raise InputError("the file refers to data that is not understood")
    _, kind, key, _location, length, *_ = pid
    if not isinstance(kind, StorageType) or not isinstance(key, str) or type(length) is not int or length < 0:
        raise InputError("the file refers to data that is not understood")
    return kind, key, length


def _reader(file: IO[bytes], place: list[int], size: int) -> Callable[[], bytearray]:
    def read() -> bytearray:
        if not place:
            raise InputError("the file lacks a tensor's numbers")
        file.seek(place[0])
        return bytearray(file.read(size))

    return read


def _view(root: Storage, view: object) -> Storage:
    """A part of another storage, as PyTorch before 0.4 shared memory: (key, offset, length)."""
    if not isinstance(view, tuple) or len(view) != 3 or not all(type(part) is int for part in view[1:]):
        raise InputError("the file refers to data that is not understood")
    _, offset, length = view
    if not 0 <= offset <= offset + length <= root.length:
        raise InputError("the file refers to data outside of itself")
    item = root.dtype.itemsize
    return Storage(root.dtype, length, lambda: root.read()[offset * item : (offset + length) * item])
