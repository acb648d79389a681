"""A file is written whole or not at all, and an error is one sentence."""

import os
import stat
import sys
from pathlib import Path

import pytest

from generator.errors import InputError
from generator.files import atomic_path, check_folder

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")


def _write_half(target: Path, error: BaseException | type[BaseException]) -> None:
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"half")
        raise error


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_writes_and_makes_folders(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "picture.png"
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"new")
        assert not target.exists()
        assert temporary.parent == target.parent
        assert temporary.suffix == ".png"
    assert target.read_bytes() == b"new"
    assert _names(target.parent) == ["picture.png"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failed_block_changes_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "picture.png"
    target.write_bytes(b"old")
    with pytest.raises(error):
        _write_half(target, error)
    assert target.read_bytes() == b"old"
    assert _names(tmp_path) == ["picture.png"]


def test_a_full_disk_is_one_sentence_and_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "picture.png"
    with pytest.raises(InputError, match=r"^Cannot write .*picture\.png: No space left on device\.$"):
        _write_half(target, OSError(28, "No space left on device"))
    assert _names(tmp_path) == []


def test_overwriting_is_a_choice(tmp_path: Path) -> None:
    target = tmp_path / "picture.png"
    target.write_bytes(b"old")
    with pytest.raises(InputError, match="exists already; add --overwrite"), atomic_path(target, overwrite=False):
        raise AssertionError("the block has to be skipped")
    assert target.read_bytes() == b"old"
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"new")
    assert target.read_bytes() == b"new"


def test_a_folder_of_that_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is a folder"), atomic_path(tmp_path):
        raise AssertionError("the block has to be skipped")
    assert tmp_path.is_dir()


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(InputError, match="Cannot write"), atomic_path(tmp_path / "file" / "picture.png"):
        raise AssertionError("the block has to be skipped")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_names_as_long_as_a_file_system_allows(tmp_path: Path) -> None:
    target = tmp_path / ("ä" * 100 + ".png")
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"new")
    assert _names(tmp_path) == [target.name]


@POSIX
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_the_mode_is_that_of_any_new_file(tmp_path: Path, umask: int, mode: int) -> None:
    old = os.umask(umask)
    try:
        with atomic_path(tmp_path / "picture.png") as temporary:
            temporary.write_bytes(b"new")
        assert os.umask(umask) == umask
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "picture.png").stat().st_mode) == mode


@POSIX
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="Permission denied"), atomic_path(tmp_path / "picture.png"):
            raise AssertionError("the block has to be skipped")
    finally:
        tmp_path.chmod(0o700)


def test_an_input_error_of_the_block_keeps_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^The photo is empty\.$"), atomic_path(tmp_path / "picture.png"):
        raise InputError("The photo is empty.")
    assert issubclass(InputError, ValueError)
    assert str(InputError("One sentence.")) == "One sentence."
    assert _names(tmp_path) == []


@POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_without_permission_is_refused_before_the_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="no permission"):
        check_folder(tmp_path / "new")
    tmp_path.chmod(0o700)


def test_a_folder_to_come_is_not_made_by_looking(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    assert _names(tmp_path) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is not a folder"):
        check_folder(tmp_path / "file" / "b")
