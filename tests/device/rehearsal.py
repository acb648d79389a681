"""A device that is not there: programs run on it as on a real one, and what a real one would refuse is refused.

Everything is computed by the processor, so that values, gradients and files are real. Each storage remembers on
which device it would lie; what a program asks of its tensors' devices is answered from that. An operation on
tensors of two devices fails, as does NumPy on one that is not the processor's; for Apple's ``mps`` so does float64,
and any operation that PyTorch has not written for it. What the device's kernels compute is not rehearsed:
``on_device`` takes the device itself on a machine that has it.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.overrides
import torchgen
import yaml
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

CPU = torch.device("cpu")
_FACTORIES = {
    torch.tensor, torch.as_tensor, torch.asarray, torch.zeros, torch.ones, torch.empty, torch.full, torch.arange,
    torch.linspace, torch.logspace, torch.rand, torch.randn, torch.randint, torch.randperm, torch.eye,
    torch.from_numpy, torch.frombuffer, torch.hann_window, torch.tril_indices, torch.triu_indices,
}  # fmt: skip
_ACROSS = {
    Tensor.copy_, Tensor.to, Tensor.type_as, Tensor.cpu, Tensor.cuda, Tensor.__getitem__, Tensor.__setitem__,
    Tensor.data.__set__, torch.as_tensor, torch.tensor, torch.asarray, torch.result_type,
    torch._has_compatible_shallow_copy_type,
}  # fmt: skip
_TO_NUMPY = {Tensor.numpy, Tensor.__array__}


class RefusedError(AssertionError):
    """What a real device would not do; no program catches it as it would the device's own error."""


def device_of(tensor: Tensor) -> torch.device | None:
    """Where a tensor would lie; None where that is not known, as for gradients on their way."""
    try:
        with torch._C.DisableTorchFunction():
            found: torch.device | None = getattr(tensor.untyped_storage(), "rehearsed", None)
    except (NotImplementedError, RuntimeError):  # a tensor of functorch, or without a storage
        return None
    return found


def _put(tensor: Tensor, device: torch.device) -> None:
    try:
        with torch._C.DisableTorchFunction():
            tensor.untyped_storage().rehearsed = device  # type: ignore[attr-defined]
    except (NotImplementedError, RuntimeError):
        return


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _tensors(one)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _named(device: torch.device | str | int) -> torch.device:
    device = torch.device(device)
    return device if device.type == "cpu" or device.index is not None else torch.device(device.type, 0)


class Rehearsal(torch.overrides.TorchFunctionMode):
    """The device within the block.

    Args:
        device: ``cuda`` or ``mps``.

    Attributes:
        operations: the names of PyTorch's operators that ran on it.
    """

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device, self.operations = _named(device), set[str]()
        self._backward = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name == "__get__":
            return self._attribute(func, args)
        wanted, source = kwargs.pop("device", None), kwargs.get("generator")
        if isinstance(source, torch.Generator) and wanted is not None and _named(wanted).type != source.device.type:
            raise RefusedError(f"{name} on {wanted} by a generator of random numbers of {source.device}")
        given = list(_tensors([args, kwargs]))
        for one in given:
            if device_of(one) is None and not self._backward:
                _put(one, CPU)
        if func in _TO_NUMPY and device_of(given[0]) not in (None, CPU):
            raise RefusedError(f"NumPy on a tensor of {device_of(given[0])}; take it to the processor first")
        if func in (Tensor.to, Tensor.cpu, Tensor.cuda):
            return self._move(func, args, kwargs, wanted)
        devices = self._check(func, name, given)
        source = device_of(given[0]) if name.startswith(("new_", "type_as")) or name.endswith("_like") else None
        device = devices[0] if devices else (None if self._backward else CPU)
        device = _named(wanted) if wanted is not None else source or device
        if func in _FACTORIES and wanted is None and not (func is torch.as_tensor and devices):
            device = CPU
        with _Watch(self, device):
            result = func(*args, **kwargs)
        olds = {id(one) for one in given}
        if device is not None:
            for one in _tensors(result):
                old = device_of(one)
                if old is None:
                    _put(one, device)
                elif old != device and wanted is not None and id(one) in olds:
                    result = one.clone()
                    _put(result, device)
        return result

    def backward(self, run: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A backward pass, within which the program's own autograd functions are watched, too."""
        self._backward += 1
        try:
            with self:
                return run(*args, **kwargs)
        finally:
            self._backward -= 1

    def _attribute(self, func: Callable[..., Any], args: Sequence[Any]) -> Any:
        what = getattr(getattr(func, "__self__", None), "__name__", "")
        tensor = args[0]
        device = device_of(tensor)
        if device is None and not self._backward:
            device = CPU
        if what == "device":
            return device or self.device
        if what in ("is_cuda", "is_mps", "is_cpu"):
            return (device or self.device).type == what.removeprefix("is_")
        result = func(*args)
        if isinstance(result, Tensor) and device is not None and device_of(result) is None:
            _put(result, device)
        return result

    def _check(self, func: Callable[..., Any], name: str, given: Sequence[Tensor]) -> list[torch.device]:
        """The devices of an operation's tensors, of which there may be one beside numbers of the processor."""
        with torch._C.DisableTorchFunction():
            large = [device_of(one) for one in given if one.ndim]
            small = [device_of(one) for one in given if not one.ndim]
        devices = list(dict.fromkeys(one for one in large if one is not None))
        devices += [one for one in dict.fromkeys(small) if one not in (None, CPU, *devices)]
        if func in (Tensor.__getitem__, Tensor.__setitem__) and devices and device_of(given[0]) == CPU:
            values = device_of(given[-1]) if func is Tensor.__setitem__ else None
            if any(one != CPU for one in devices if one != values):
                raise RefusedError(f"a tensor of the processor indexed by one of {devices}")
        elif func not in _ACROSS and len(devices) > 1:
            raise RefusedError(f"{name} of tensors on {' and '.join(map(str, devices))}")
        if func in _ACROSS and given:
            first = device_of(given[0])
            return [] if first is None else [first]
        return devices or [one for one in dict.fromkeys(small) if one is not None]

    def _move(self, func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], wanted: Any) -> Tensor:
        tensor, rest = args[0], list(args[1:])
        if func is not Tensor.to:
            wanted, rest = ("cpu" if func is Tensor.cpu else "cuda"), []
        elif rest and isinstance(rest[0], Tensor):
            wanted, rest[0] = device_of(rest[0]) or CPU, rest[0].dtype
        elif rest and isinstance(rest[0], str | torch.device | int):
            wanted = rest.pop(0)
        elif "other" in kwargs:
            other = kwargs.pop("other")
            wanted, rest = device_of(other) or CPU, [other.dtype]
        if rest and rest[0] is None:
            rest = [tensor.dtype, *rest[1:]]
        old = device_of(tensor)
        device = old or self.device if wanted is None else _named(wanted)
        with _Watch(self, device if device == old else None):
            moved: Tensor = Tensor.to(tensor, *rest, **kwargs) if rest or kwargs else tensor
        if device != old and device_of(moved) is not None:
            moved = moved.clone()
        with torch._C.DisableTorchFunction():
            if device.type == "mps" and moved.dtype == torch.float64:
                raise RefusedError("float64 on mps")
        if device_of(moved) is None:
            _put(moved, device)
        return moved


class _Watch(TorchDispatchMode):
    """What PyTorch's operators do for one call."""

    def __init__(self, rehearsal: Rehearsal, device: torch.device | None) -> None:
        super().__init__()
        self._rehearsal, self._device = rehearsal, device

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        with torch._C.DisableTorchFunction():
            result = func(*args, **(kwargs or {}))
        if self._device is not None and self._device.type != "cpu":
            self._rehearsal.operations.add(func.name().removeprefix("aten::"))
            if self._device.type == "mps":
                doubled = any(one.dtype == torch.float64 and one.ndim for one in _tensors(result))
                if doubled:
                    raise RefusedError(f"{func.name()} makes float64 on mps")
                if not has_kernel(func.name(), "MPS"):
                    raise RefusedError(f"{func.name()} is not written for mps")
        return result


@functools.cache
def _kernels() -> dict[str, set[str]]:
    """The devices that each of PyTorch's own operators is written for, from the table that it is built by."""
    table = Path(torchgen.__file__).parent / "packaged" / "ATen" / "native" / "native_functions.yaml"
    found: dict[str, set[str]] = {}
    borrowed: dict[str, str] = {}
    for entry in yaml.load(table.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        name = entry["func"].partition("(")[0]
        listed = ",".join(entry.get("dispatch", {"CompositeImplicitAutograd": ""}))
        found[name] = {one.strip() for one in listed.split(",")}
        if "structured_delegate" in entry:
            borrowed[name] = entry["structured_delegate"]
    for name, owner in borrowed.items():
        found[name] |= found[owner]
    return found


def has_kernel(operator: str, device: str) -> bool:
    """Whether an operator is written for a device, such as ``aten::mm`` for ``MPS``; True for those of others."""
    namespace, _, name = operator.partition("::")
    known = _kernels().get(name)
    if namespace != "aten" or known is None:
        return True
    return device in known or any(one.startswith("Composite") for one in known)


@contextmanager
def rehearsed(device: str) -> Iterator[Rehearsal]:
    """A program's block on a device that this machine need not have."""
    with pytest.MonkeyPatch.context() as patched:
        if device == "cuda":
            patched.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: True)
        rehearsal = Rehearsal(device)
        run = functools.partial(rehearsal.backward, torch.autograd._engine_run_backward)
        patched.setattr(torch.autograd, "_engine_run_backward", run)
        with rehearsal:
            yield rehearsal


class _OnDevice(TorchDispatchMode):
    """Which of PyTorch's operators made tensors on a device."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.operations = set[str]()
        self._type = device

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if any(one.device.type == self._type for one in _tensors(result)):
            self.operations.add(func.name().removeprefix("aten::"))
        return result


@contextmanager
def on_device(device: str) -> Iterator[_OnDevice | Rehearsal]:
    """A program's block on the device, in real float32, where this machine has it; else on a rehearsed one."""
    if not (torch.cuda if device == "cuda" else torch.backends.mps).is_available():
        with rehearsed(device) as rehearsal:
            yield rehearsal
        return
    with pytest.MonkeyPatch.context() as patched, _OnDevice(device) as seen:
        patched.setattr(torch.backends.cudnn, "allow_tf32", False)
        yield seen
