"""Stand-ins for PyTorch's pickle functions: tensors are described, checked, and read only when they are wanted.

PyTorch's own functions are not called by a file. One of them, ``torch.storage._load_from_bytes``, is an
unrestricted unpickler inside the pickle; here the bytes it is given go through the restricted one again.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.safe_pickle.inert_numpy import NUMPY
from stylegan_latents.generator.formats.safe_pickle.stand_ins import StandIn, check_keys, name_only
from stylegan_latents.generator.reading.budget import Budget
from stylegan_latents.generator.reading.tensor_file import TensorFile

_DTYPES = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}


class Storage:
    """A flat array of numbers of one type in a file.

    Args:
        dtype: of the numbers.
        length: how many there are.
        read: gives their bytes, ``length`` times the item's size, writable.
    """

    def __init__(self, dtype: torch.dtype, length: int, read: Callable[[], bytearray]) -> None:
        self.dtype = dtype
        self.length = length
        self.read = read

    def __setstate__(self, state: object) -> None:
        raise InputError("the file changes the memory of a tensor")


def fits(given: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether a shape is the one that is wanted, in which 0 is any length."""
    return len(given) == len(wanted) and all(want in (0, got) for want, got in zip(wanted, given, strict=True))


class StoredTensor:
    """A tensor that is still in its file.

    Attributes:
        shape: of the tensor.
        size: in bytes, as the file has it.
    """

    def __init__(self, storage: Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.size = math.prod(shape) * storage.dtype.itemsize
        self._storage = storage
        self._offset = offset
        self._stride = stride
        self.shape = shape

    def __setstate__(self, state: object) -> None:
        raise InputError("the file changes a tensor after it was made")

    def read(self) -> Tensor:
        """The tensor in float32 (whole numbers as they are), contiguous, in memory of its own.

        Raises:
            InputError: the file does not hold the bytes that it declares.
        """
        if math.prod(self.shape) == 0:
            return torch.zeros(self.shape)
        data = self._storage.read()
        if len(data) != self._storage.length * self._storage.dtype.itemsize:
            raise InputError("the file is cut short: a tensor's numbers are missing; fetch or copy it again")
        flat = torch.frombuffer(data, dtype=self._storage.dtype)
        tensor = flat.as_strided(self.shape, self._stride, self._offset).contiguous()
        return tensor.float() if tensor.is_floating_point() else tensor


def tensors_of(file: TensorFile) -> dict[str, StoredTensor]:
    """The tensors of an open safetensors file, which are read while it is open."""
    stored = {}
    for name, shape in file.shapes.items():
        steps = tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))
        storage = Storage(file.dtype(name), math.prod(shape), partial(file.raw, name))
        stored[name] = StoredTensor(storage, 0, shape, steps)
    return stored


class StorageType(StandIn):
    """The name of a storage's class, which a file gives to say what its numbers are."""

    __slots__ = ("dtype",)
    dtype: torch.dtype

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__(name_only)
        self.dtype = dtype

    def bound(self, _budget: Budget) -> object:
        return self


class InertDict(dict[Any, Any]):
    """A dict of a known subclass; attributes that a file gives it, such as a state dict's versions, are dropped."""

    __slots__ = ()

    def __init__(self, *_factory: object) -> None:
        super().__init__()  # empty: copying a large dict again and again would cost nothing in a file

    def __setstate__(self, state: object) -> None:
        pass


class InertObject:
    """An object of any class, of which only the attributes are read.

    Attributes:
        class_name: the class's own name.
        state: its attributes, and its items where it is a kind of dict; empty when there are none.
    """

    _budget: Budget
    class_name = ""
    state: Mapping[str, Any]

    def __new__(cls, *_arguments: object, **_named: object) -> "InertObject":
        cls._budget.charge(256)
        made = super().__new__(cls)
        made.state = {}
        return made

    def __init__(self, *_arguments: object, **_named: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            return
        self._budget.charge(64 * len(self.state))
        self.state = {**self.state, **state} if self.state else state

    def __setitem__(self, name: object, value: object) -> None:
        self._budget.charge(64)
        self.state = self.state or {}
        cast(dict[Any, Any], self.state)[name] = value

    def append(self, _item: object) -> None:
        """Items of a kind of list are dropped."""

    def extend(self, _items: object) -> None:
        """Items of a kind of list are dropped."""

    def add(self, _item: object) -> None:
        """Items of a kind of set are dropped."""


class Known(StandIn):
    """A class or function that a file may name: what it makes is an ``InertObject`` or an ``InertDict``."""

    __slots__ = ("_base", "_name")
    _name: str
    _base: type

    def __init__(self, name: str, base: type = InertObject) -> None:
        super().__init__(name_only)
        self._name, self._base = name, base

    def bound(self, budget: Budget) -> object:
        # A pickle makes objects from classes only; a new one for each file carries the file's budget.
        if issubclass(self._base, dict):
            return self._base
        budget.charge(2048)
        return type(self._name, (self._base,), {"_budget": budget, "class_name": self._name})


class NotRead(StandIn):
    """A class that marks an unsupported kind of file.

    Args:
        sentence: what the file is.
    """

    __slots__ = ("_sentence",)
    _sentence: str

    def __init__(self, sentence: str) -> None:
        super().__init__(name_only)
        self._sentence = sentence

    def bound(self, _budget: Budget) -> object:
        raise InputError(self._sentence)


def stored_tensor(
    budget: Budget, storage: object, offset: object, shape: object, stride: object, *_rest: object
) -> StoredTensor:
    """What ``torch._utils._rebuild_tensor_v2`` is taken for."""
    budget.charge(256)
    if not isinstance(storage, Storage) or not isinstance(shape, tuple) or not isinstance(stride, tuple):
        raise InputError("the file has a tensor that is not understood")
    numbers = (offset, *shape, *stride)
    if (
        len(shape) != len(stride)
        or len(shape) > 16
        or not all(type(n) is int and 0 <= n < 1 << 40 for n in numbers)
    ):
        raise InputError("the file has a tensor with an impossible shape")
    start = int(str(offset))
    last = start + sum((length - 1) * step for length, step in zip(shape, stride, strict=True))
    count = math.prod(shape)
    # A stride of 0 would let a few bytes stand for any amount of memory.
    if count and (last >= storage.length or count > storage.length):
        raise InputError(f"the file has a tensor of shape {shape} but {storage.length} numbers for it")
    return StoredTensor(storage, start, shape, stride)


def _parameter(_budget: Budget, data: object, *_rest: object) -> StoredTensor:
    if not isinstance(data, StoredTensor):
        raise InputError("the file has a parameter that is no tensor")
    return data


def _typed(_budget: Budget, function: object, _kind: object, arguments: object, _state: object) -> object:
    if not isinstance(function, StandIn) or not isinstance(arguments, tuple):
        raise InputError("the file has a tensor that is not understood")
    return function(*arguments)


def _ordered(budget: Budget, pairs: object = ()) -> InertDict:
    if not isinstance(pairs, list | tuple):
        raise InputError("the file has a container that is not understood")
    budget.charge(64 * len(pairs) + 256)
    check_keys(pair[0] for pair in pairs)
    made = InertDict()
    made.update(pairs)
    return made


def _inert(budget: Budget, *_arguments: object) -> None:
    budget.charge(64)


def _storage_types() -> dict[str, StandIn]:
    table: dict[str, StandIn] = {f"torch.{name}Storage": StorageType(dtype) for name, dtype in _DTYPES.items()}
    table["torch.storage.UntypedStorage"] = StorageType(torch.uint8)
    return table


def _torch_table() -> dict[str, StandIn]:
    functions: dict[str, Callable[..., object]] = {
        "torch._utils._rebuild_tensor_v2": stored_tensor,
        "torch._utils._rebuild_tensor": stored_tensor,
        "torch._utils._rebuild_parameter": _parameter,
        "torch._utils._rebuild_parameter_with_state": _parameter,
        "torch._tensor._rebuild_from_type_v2": _typed,
        "torch.Tensor": name_only,
        "torch.nn.parameter.Parameter": name_only,
        "torch.Size": lambda budget, *sizes: _ordered_size(budget, *sizes),
        "torch.device": _inert,
        "collections.OrderedDict": _ordered,
    }
    table: dict[str, StandIn] = {name: StandIn(build) for name, build in functions.items()}
    for dtype in _DTYPES.values():
        table[str(dtype)] = StandIn(name_only)
    table["argparse.Namespace"] = Known("Namespace")
    for name in ("dnnlib.util.EasyDict", "dnnlib.EasyDict"):
        table[name] = Known(name.rpartition(".")[2], InertDict)
    return table | _storage_types()


def _ordered_size(budget: Budget, sizes: object = ()) -> tuple[Any, ...]:
    if not isinstance(sizes, list | tuple):
        raise InputError("the file has a shape that is not understood")
    budget.charge(64 * len(sizes))
    return tuple(sizes)


TORCH: Mapping[str, StandIn] = {**NUMPY, **_torch_table()}
"""The names that PyTorch's state dicts and the settings beside them use."""
