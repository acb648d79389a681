"""Control of glibc's allocator: keep freed memory for the next step of a loop, or return it to the system."""

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
def keep_freed_memory(*, keep: bool = True) -> Iterator[None]:
    """Within the block, tensors reuse the memory of earlier ones; without ``keep`` it does nothing.

    glibc maps every block above 32 MB anew, and the kernel clears it page by page: for the large feature maps of a
    loop on the CPU this costs more than the arithmetic. The setting is of the whole process; glibc's defaults come
    back when the last open block of any thread ends. Without glibc the block does nothing.
    """
    if not keep:
        yield
        return
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
    """Return what ``keep_freed_memory`` keeps, if the process holds more than ``above`` bytes; glibc only."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None and (not above or _resident() > above):
        trim(0)


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * mmap.PAGESIZE


def share_freed_memory() -> None:
    """Let all threads started from now on allocate from one memory pool; does nothing without glibc.

    By default each thread keeps what it freed, so a server with many threads would hold a multiple of what it uses.
    """
    mallopt = _mallopt()
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)


def _mallopt() -> Callable[[int, int], int] | None:
    return getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
