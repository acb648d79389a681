"""Stand-ins for numpy's pickle functions: arrays are built from checked types, shapes and bytes only.

numpy's own functions are not called by a file: they accept arrays of Python objects and types with any state.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

import numpy as np

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.safe_pickle.stand_ins import PLAIN, StandIn, name_only, raw_bytes
from stylegan_latents.generator.reading.budget import Budget

_NUMBERS = re.compile(r"(\?|b1|[iu][1248]|f[248]|c8|c16)\Z")
_TEXTS = re.compile(r"[SU]\d{1,6}\Z")
_MAX_DIMENSIONS = 32
_MAX_LENGTH = 1 << 40


class _Type:
    """An array's type in the making: a pickle gives its byte order after its name."""

    __slots__ = ("_kind", "_order")

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._order = "="

    def __setstate__(self, state: object) -> None:
        # (version, byte order, subarray, names, fields, item size, alignment, flags[, metadata])
        if not isinstance(state, tuple) or len(state) not in (8, 9) or state[1] not in ("<", ">", "|", "="):
            raise InputError("the file has an array type that is not understood")
        if any(part is not None for part in state[2:5]):
            raise InputError("the file has an array of records, which is not read")
        self._order = str(state[1])

    def numpy(self) -> "np.dtype[Any]":
        order = cast(Literal["<", ">", "="], "=" if self._order == "|" else self._order)
        return np.dtype(self._kind).newbyteorder(order)


class _Array(np.ndarray[Any, "np.dtype[Any]"]):
    """An array that accepts its contents once, checked before numpy sees them."""

    _budget: Budget | None = None

    def __setstate__(self, state: Any, /) -> None:
        # (version, shape, type, column-major, contents)
        budget, self._budget = self._budget, None
        if budget is None or not isinstance(state, tuple) or len(state) != 5:
            raise InputError("the file has an array that is not understood")
        _version, shape, dtype, column_major, contents = state
        data = raw_bytes(contents)
        budget.charge(len(data))
        kind, lengths = _checked(shape, dtype, len(data))
        super().__setstate__(cast(Any, (1, lengths, kind, bool(column_major), data)))


def _checked(shape: object, dtype: object, size: int) -> tuple["np.dtype[Any]", tuple[int, ...]]:
    """The numpy type and the lengths, when they describe exactly ``size`` bytes."""
    if not isinstance(dtype, _Type) or not isinstance(shape, tuple) or len(shape) > _MAX_DIMENSIONS:
        raise InputError("the file has an array that is not understood")
    if not all(type(length) is int and 0 <= length < _MAX_LENGTH for length in shape):
        raise InputError("the file has an array with an impossible shape")
    kind = dtype.numpy()
    if math.prod(shape) * kind.itemsize != size:
        raise InputError(f"the file has an array of shape {shape} but {size} bytes for it")
    return kind, shape


def _reconstruct(budget: Budget, subtype: object, shape: object, _code: object) -> _Array:
    if not isinstance(subtype, StandIn) or shape != (0,):
        raise InputError("the file has an array that is not understood")
    budget.charge(256)
    array = _Array((0,), dtype=np.int8)
    array._budget = budget
    return array


def _dtype(_budget: Budget, kind: object, _align: object = False, _copy: object = True) -> _Type:
    text = kind.decode("latin1") if isinstance(kind, bytes) else kind
    if not isinstance(text, str) or not (_NUMBERS.match(text) or _TEXTS.match(text)):
        raise InputError(f"the file has an array of type {str(text)[:40]!r}, which is not read")
    return _Type(text)


def _scalar(budget: Budget, dtype: object, contents: object) -> object:
    data = raw_bytes(contents)
    budget.charge(len(data) + 64)
    kind, _ = _checked((), dtype, len(data))
    return np.frombuffer(data, dtype=kind)[0]


def _frombuffer(
    budget: Budget, contents: object, dtype: object, shape: object, order: object, _axes: object = None
) -> _Array:
    array = _Array((0,), dtype=np.int8)
    array._budget = budget
    array.__setstate__((1, shape, dtype, order == "F", contents))
    return array


class Objects:
    """An array of Python objects: what it holds, inert, in the order of the file.

    Attributes:
        contents: the one object of an array without dimensions, or else a list.
    """

    contents: object = None
    _budget: Budget | None = None

    def __setstate__(self, state: object) -> None:
        # (version, shape, type, column-major, contents), as for an array
        if not isinstance(state, tuple) or len(state) != 5:
            raise InputError("the file has an array that is not understood")
        _version, shape, _kind, _order, contents = state
        if isinstance(contents, list):
            self.contents = contents[0] if shape == () and len(contents) == 1 else contents
            return
        array = _Array((0,), dtype=np.int8)
        array._budget, self._budget = self._budget, None
        array.__setstate__(state)
        self.contents = array


class _AnyType(_Type):
    """The type of Python objects."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        pass


def _any_dtype(budget: Budget, kind: object, *arguments: object) -> _Type:
    return _AnyType("f4") if kind in ("O", "O4", "O8") else _dtype(budget, kind, *arguments)


def _reconstruct_any(budget: Budget, _subtype: object, shape: object, _code: object) -> Objects:
    if shape != (0,):
        raise InputError("the file has an array that is not understood")
    budget.charge(256)
    made = Objects()
    made._budget = budget
    return made


def _numpy_table() -> dict[str, StandIn]:
    table: dict[str, Callable[..., object]] = {"numpy.ndarray": name_only, "numpy.dtype": _dtype}
    for core in ("numpy.core", "numpy._core"):  # numpy 2 renamed it
        table[f"{core}.multiarray._reconstruct"] = _reconstruct
        table[f"{core}.multiarray.scalar"] = _scalar
        table[f"{core}.numeric._frombuffer"] = _frombuffer
    return {name: StandIn(build) for name, build in table.items()}


NUMPY: Mapping[str, StandIn] = {**PLAIN, **_numpy_table()}
"""The names that pickles of numpy arrays in Python's own containers use."""

NUMPY_OBJECTS: Mapping[str, StandIn] = {
    **NUMPY,
    "numpy.dtype": StandIn(_any_dtype),
    "numpy.core.multiarray._reconstruct": StandIn(_reconstruct_any),
    "numpy._core.multiarray._reconstruct": StandIn(_reconstruct_any),
}
"""``NUMPY``, with arrays of Python objects and of numbers as ``Objects``: for what ``numpy.save`` pickles."""
