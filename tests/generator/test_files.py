"""A file is written whole or not at all, and an error is one sentence."""

import os
import stat
import sys
from pathlib import Path

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import (
    atomic_folder,
    atomic_path,
    check_folder_name,
    check_writable,
    remove_leftovers,
    shortened,
)

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


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_folders_that_a_failed_block_made_are_removed(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(error):
        _write_half(tmp_path / "there" / "new" / "deep" / "a.png", error)
    with pytest.raises(error), atomic_folder(tmp_path / "there" / "new" / "frames", "*.png"):
        raise error
    assert _names(tmp_path) == ["there"]
    assert _names(tmp_path / "there") == []


def test_a_folder_that_somebody_else_uses_meanwhile_stays(tmp_path: Path) -> None:
    def fail() -> None:
        (tmp_path / "new" / "other.png").touch()
        raise RuntimeError

    with pytest.raises(RuntimeError), atomic_path(tmp_path / "new" / "a.png"):
        fail()
    assert _names(tmp_path / "new") == ["other.png"]


def test_a_writable_folder_is_known_before_it_is_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "deep")
    assert _names(tmp_path) == []
    (tmp_path / "results").touch()
    with pytest.raises(InputError, match="results is a file"):
        check_writable(tmp_path / "results")
    with pytest.raises(InputError, match="results is a file"):
        check_writable(tmp_path / "results" / "deep")


def test_a_files_name_is_no_folders_unless_one_has_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--out takes a folder"):
        check_folder_name(tmp_path / "me.PNG")
    (tmp_path / "me.png").mkdir()
    for name in ("me.png", "me", "results.v2", "2026.11.30"):
        check_folder_name(tmp_path / name)


@POSIX
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(InputError, match=r"new: Permission denied\.$"):
        check_writable(tmp_path / "new")


def _refuse(*_: object, **__: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_results_are_written_where_modes_cannot_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "chmod", _refuse)
    check_writable(tmp_path)
    with atomic_path(tmp_path / "picture.png") as temporary:
        temporary.write_bytes(b"new")
    with atomic_folder(tmp_path / "frames", "*.png") as folder:
        (folder / "a.png").touch()
    assert _names(tmp_path) == ["frames", "picture.png"]


def test_a_folder_in_which_nothing_can_be_renamed_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", _refuse)
    with pytest.raises(InputError, match="Operation not permitted"):
        check_writable(tmp_path)
    assert _names(tmp_path) == []


def test_names_are_cut_between_letters() -> None:
    assert shortened("portrait", 8) == "portrait"
    assert shortened("portrait", 4) == "port"
    assert shortened("漢字", 5) == "漢"


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    left = [
        ".me.inversion.ab_c1234.part.safetensors",
        ".me.face2.inverted.abcd1234.part.png",
        ".me.abcd1234.part.npz",
    ]
    kept = [".me.two.inversion.abcd1234.part.safetensors", ".men.inverted.abcd1234.part.png", "me.part.png"]
    for name in (*left, *kept):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path, r"me(\.face\d+)?(\.(inversion|inverted))?")
    assert {path.name for path in tmp_path.iterdir()} == {*kept}
