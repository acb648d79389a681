"""The allocator's setting comes and goes, and never changes a result."""

import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from stylegan_latents.generator.ops import memory
from stylegan_latents.generator.ops.memory import keep_freed_memory, return_freed_memory


class _FakeLibrary:
    def __init__(self) -> None:
        self.options: dict[int, int] = {}

    def mallopt(self, option: int, value: int) -> int:
        self.options[option] = value
        return 1


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> _FakeLibrary:
    fake = _FakeLibrary()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: fake)
    return fake


def test_sets_within_and_restores_after(library: _FakeLibrary) -> None:
    with keep_freed_memory():
        assert library.options == memory._KEEP
    assert library.options == memory._DEFAULTS


def test_restores_after_an_error(library: _FakeLibrary) -> None:
    with pytest.raises(KeyboardInterrupt), keep_freed_memory():
        raise KeyboardInterrupt
    assert library.options == memory._DEFAULTS


def test_nests(library: _FakeLibrary) -> None:
    with keep_freed_memory():
        with keep_freed_memory():
            assert library.options == memory._KEEP
        assert library.options == memory._KEEP
    assert library.options == memory._DEFAULTS


def test_the_last_thread_to_end_its_block_restores(library: _FakeLibrary) -> None:
    begun, end = threading.Event(), threading.Event()

    def other() -> None:
        with keep_freed_memory():
            begun.set()
            end.wait()

    thread = threading.Thread(target=other)
    with keep_freed_memory():
        thread.start()
        begun.wait()
    assert library.options == memory._KEEP
    end.set()
    thread.join()
    assert library.options == memory._DEFAULTS


def test_a_c_library_without_the_call_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    with keep_freed_memory():
        pass


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    def refuse(_name: object) -> None:
        raise AssertionError("there is no glibc to ask")

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    with keep_freed_memory():
        pass


def test_the_real_one_gives_the_same_numbers_in_memory_used_again() -> None:
    expected = torch.arange(3_000_000).square().sum()
    with keep_freed_memory():
        for _ in range(3):
            with keep_freed_memory():
                assert torch.arange(3_000_000).square().sum() == expected
    assert torch.arange(3_000_000).square().sum() == expected


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc is asked"
)
def test_what_is_kept_can_be_given_back() -> None:
    pages = Path("/proc/self/statm")

    def resident() -> int:
        return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    with keep_freed_memory():
        torch.ones(25_000_000)
        kept = resident()
        return_freed_memory()
        assert kept - resident() > 50_000_000


_ARENAS = """
import ctypes, sys, threading
from stylegan_latents.generator.ops.memory import share_freed_memory
if sys.argv[2] == "shared":
    share_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.fopen.restype = ctypes.c_void_p
together = threading.Barrier(8)
def allocate():
    together.wait()
    libc.malloc(1000)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(open(sys.argv[1]).read().count("<heap nr="))
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_info"), reason="only glibc has arenas"
)
def test_threads_share_memory_when_asked_to(tmp_path: Path) -> None:
    def arenas(how: str) -> int:
        command = [sys.executable, "-c", _ARENAS, str(tmp_path / "arenas.xml"), how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert arenas("shared") == 1
    assert arenas("each") > 1
