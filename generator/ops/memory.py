"""Keeps freed memory for the next step of a loop, instead of giving it back to the operating system."""

import contextlib
import ctypes
import mmap
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # glibc's malloc.h
_ARENA_MAX = -8
_DEFAULTS = {_MMAP_MAX: 65536, _TRIM_THRESHOLD: 128 * 1024, _TOP_PAD: 128 * 1024}
_KEEP = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 * 2**20}

_blocks = 0  # of the process, as the setting is
_lock = threading.Lock()


@contextlib.contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Within the block, tensors are made in memory that earlier ones left.

    glibc maps every block above 32 MB anew, and the kernel clears it page by page on first touch. For the large
    feature maps of a loop on the CPU that costs more than the arithmetic. The setting is the process's own and
    glibc's defaults come back at the end of the last block that is open, in whichever thread; elsewhere than on
    glibc the block changes nothing.
    """
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    global _blocks
    with _lock:
        before, _blocks = _blocks, _blocks + change
        mallopt = _mallopt()
        if mallopt is not None and not (before and _blocks):
            for option, value in (_KEEP if _blocks else _DEFAULTS).items():
                mallopt(option, value)


def return_freed_memory(above: int = 0) -> None:
    """Give the operating system back what ``keep_freed_memory`` keeps; glibc alone does.

    Args:
        above: only if the process holds more bytes than this.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None and (not above or _resident() > above):
        trim(0)


def _resident() -> int:
    """The bytes of memory that this process has, on Linux."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * mmap.PAGESIZE


def share_freed_memory() -> None:
    """Have all threads that begin from now on allocate from the same memory.

    glibc gives each thread memory of its own and keeps there what the thread freed. In a server whose many threads
    compute in turns, all of them would in time hold as much as one needs. Elsewhere than on glibc nothing changes.
    """
    mallopt = _mallopt()
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)


def _mallopt() -> Callable[[int, int], int] | None:
    return getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
