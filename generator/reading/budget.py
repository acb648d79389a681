"""Bounds on the memory and the work that reading one file may take, from what the file declares."""

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

# What reading may take beyond 1.2 times the file, which itself is once in memory. The bound on all together is 2.2
# times the file and 200 MB: it leaves room for what interpreters and allocators keep.
_SLACK = 16 << 20
_ALLOWANCE = 160 << 20
_LEAST = 2048
"""Bytes that an allocation of any size takes, with the objects around it."""


class Budget:
    """A bound on the memory that reading one file may take.

    Args:
        size: of the file, in bytes.
        slack: bytes that may be built beyond it: shared constants are stored once and used often.
    """

    def __init__(self, size: int, slack: int = _SLACK) -> None:
        self._left = size + slack

    def charge(self, size: int) -> None:
        """Subtract ``size`` bytes.

        Raises:
            InputError: the file builds far more than it holds.
        """
        self._left -= size
        if self._left < 0:
            raise InputError("the file builds far more data than it holds")


def in_bytes(size: float) -> str:
    """A size as people read it, such as ``6.4 GB``."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def check_declared(name: str, needed: int, size: int) -> None:
    """Refuse a file that declares far more than it can stand for, before anything is allocated.

    Args:
        name: of the file.
        needed: bytes that what it declares would take in memory.
        size: of the file, in bytes.

    Raises:
        InputError: it is above 1.2 times the file and 160 MB.
    """
    if needed > 1.2 * size + _ALLOWANCE:
        raise InputError(
            f"{printable(name)} declares data of {in_bytes(needed)} but is a file of {in_bytes(size)}; "
            "it is not read."
        )


@contextlib.contextmanager
def bounded_tensors(name: str, size: int) -> Iterator[None]:
    """Refuse PyTorch's new tensors in this block when together they exceed what a file can stand for.

    So a network whose sizes come from a file is built without trusting them: layers are counted as they are made.

    Args:
        name: of the file.
        size: of the file's tensors in float32, in bytes.

    Raises:
        InputError: what is to be allocated next exceeds twice the size and 64 MB.
    """
    import torch
    from torch.overrides import TorchFunctionMode  # modes of dispatch would import PyTorch's compiler

    limit = 2 * size + (64 << 20)
    makers = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.eye, torch.arange}

    class Bounded(TorchFunctionMode):
        used = 0

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func in makers and args:
                lengths = args[0] if isinstance(args[0], tuple | list) else args
                whole = [length for length in lengths if isinstance(length, int)]
                self.used += _LEAST + 4 * math.prod(whole[:1] * 2 if func is torch.eye else whole)
            if self.used > limit:
                raise InputError(
                    f"{printable(name)} declares a network of more than {in_bytes(self.used)} but holds weights of "
                    f"{in_bytes(size)}; it is not read."
                )
            return func(*args, **(kwargs or {}))

    with Bounded():
        yield
