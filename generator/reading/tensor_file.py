"""Safetensors files, read without mapping them: the header is checked against the file's length first."""

import contextlib
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, TypeVar

from stylegan_latents.generator.files import printable
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.reading.files import DamagedFileError, open_regular, read_exactly
from stylegan_latents.generator.reading.headers import parse_json, validated

if TYPE_CHECKING:
    import torch
    from torch import Tensor

T = TypeVar("T")

_ITEM_SIZES = {
    "BOOL": ("bool", 1), "U8": ("uint8", 1), "I8": ("int8", 1), "I16": ("int16", 2), "U16": ("uint16", 2),
    "I32": ("int32", 4), "U32": ("uint32", 4), "I64": ("int64", 8), "U64": ("uint64", 8), "F16": ("float16", 2),
    "BF16": ("bfloat16", 2), "F32": ("float32", 4), "F64": ("float64", 8), "C64": ("complex64", 8),
    "F8_E4M3": ("float8_e4m3fn", 1), "F8_E5M2": ("float8_e5m2", 1),
}  # fmt: skip
_LONGEST_HEADER = 100_000_000  # as safetensors' own reader has it
_METADATA = "__metadata__"
_MOST_DIMENSIONS = 16


class _Entry(NamedTuple):
    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int


class TensorFile:
    """An open safetensors file; ``TensorFile.open`` makes one.

    Attributes:
        name: of the file, for messages.
        size: of the file, in bytes.
        metadata: the texts of its header.
        shapes: of its tensors, by name.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        self._file = file
        self.size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if self.size < 8 or length > min(self.size - 8, _LONGEST_HEADER):
            raise self._damaged("its header is longer than the file")
        header = parse_json(bytes(read_exactly(file, length, name)), name)
        if not isinstance(header, dict):
            raise self._damaged("its header is no table")
        texts = header.pop(_METADATA, {})
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            raise self._damaged("its metadata are no texts")
        self.metadata: Mapping[str, str] = {key: str(text) for key, text in texts.items()}
        self._entries = {key: self._entry(key, entry, 8 + length) for key, entry in header.items()}
        end = 8 + length
        for entry in sorted(self._entries.values(), key=lambda entry: (entry.start, entry.size)):
            if entry.start != end:
                raise self._damaged("its tensors overlap or leave gaps")
            end += entry.size
        if end != self.size:
            raise self._damaged(f"its tensors need {end:,} bytes and the file has {self.size:,}")
        self.shapes: Mapping[str, tuple[int, ...]] = {key: entry.shape for key, entry in self._entries.items()}

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: str | os.PathLike[str], what: str = "") -> Iterator["TensorFile"]:
        """Open a file, readable inside the block.

        Args:
            path: of any bytes.
            what: what a message calls it before its path, such as ``the record``.

        Raises:
            InputError: it cannot be opened, or is no regular file.
            DamagedFileError: it is no safetensors file, or a damaged one.
        """
        with open_regular(path, what) as file:
            yield cls(file, Path(path).name)

    def header(self, key: str, model: type[T]) -> T:
        """The header of ``model`` that the metadata hold under ``key`` as JSON.

        Raises:
            DamagedFileError: there is none, or it is not right.
        """
        if key not in self.metadata:
            raise self._damaged(f"it has no header '{key}'")
        return validated(model, self.metadata[key], self.name)

    def json_header(self, key: str) -> JSON:
        """As ``header``, unchecked beyond the bounds of JSON; None where there is none."""
        return parse_json(self.metadata[key], self.name) if key in self.metadata else None

    def dtype(self, name: str) -> "torch.dtype":
        """The type of a tensor's numbers."""
        import torch

        found: torch.dtype = getattr(torch, _ITEM_SIZES[self._entries[name].dtype][0])
        return found

    def tensor(self, name: str) -> "Tensor":
        """Read a tensor, as the file has it, into memory of its own.

        Raises:
            DamagedFileError: there is none of this name, or the file was cut short meanwhile.
        """
        import torch

        if name not in self._entries:
            raise self._damaged(f"it lacks the tensor '{name}'")
        entry = self._entries[name]
        if not entry.size:
            return torch.empty(entry.shape, dtype=self.dtype(name))
        return torch.frombuffer(self.raw(name), dtype=self.dtype(name)).reshape(entry.shape)

    def raw(self, name: str) -> bytearray:
        """The bytes of a tensor."""
        entry = self._entries[name]
        self._file.seek(entry.start)
        return read_exactly(self._file, entry.size, self.name)

    def tensors(self) -> "dict[str, Tensor]":
        """Read all tensors."""
        return {name: self.tensor(name) for name in self._entries}

    def _entry(self, key: str, entry: JSON, first: int) -> _Entry:
        dtype, shape, offsets = (
            (entry.get("dtype"), entry.get("shape"), entry.get("data_offsets"))
            if isinstance(entry, dict)
            else (None,) * 3
        )
        lengths, ends = _sizes(shape, _MOST_DIMENSIONS), _sizes(offsets, 2)
        if not isinstance(dtype, str) or dtype not in _ITEM_SIZES or lengths is None or ends is None:
            raise self._damaged(f"its tensor '{printable(key[:80])}' is not described as one")
        size = math.prod(lengths) * _ITEM_SIZES[dtype][1]
        if len(ends) != 2 or ends[1] - ends[0] != size:
            raise self._damaged(f"its tensor '{printable(key[:80])}' has a shape that does not fit its bytes")
        return _Entry(dtype, lengths, first + ends[0], size)

    def _damaged(self, reason: str) -> DamagedFileError:
        return DamagedFileError(f"{printable(self.name)} cannot be read as a safetensors file: {reason}.")


def read_header(path: str | os.PathLike[str], key: str, model: type[T], what: str = "") -> T:
    """The header of a safetensors file, without its tensors.

    Args:
        path: the file.
        key: of the header's JSON among the file's metadata.
        model: a dataclass with types and bounds; see ``generator.reading.headers``.
        what: what a message calls the file before its path.

    Raises:
        InputError: the file cannot be read, is damaged, or its header is not right.
    """
    with TensorFile.open(path, what) as file:
        return file.header(key, model)


def _sizes(values: JSON, most: int) -> tuple[int, ...] | None:
    """A list of whole numbers from 0 on, or None for anything else."""
    if not isinstance(values, list) or len(values) > most:
        return None
    whole = tuple(value for value in values if type(value) is int and 0 <= value < 1 << 48)
    return whole if len(whole) == len(values) else None
