"""The allocator's setting comes and goes, and never changes a result."""

import ctypes
import sys

import pytest
import torch

from generator.ops import memory
from generator.ops.memory import keep_freed_memory


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
    with keep_freed_memory(), keep_freed_memory():
        assert library.options == memory._KEEP
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
