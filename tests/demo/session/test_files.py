"""A visit's folder: no name leaves it, it does not grow without end, and nothing is written once it is deleted."""

from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.demo.session import files as visit_files
from stylegan_latents.demo.session.files import VisitFiles, clean_name
from stylegan_latents.generator.errors import InputError


@pytest.fixture
def files(tmp_path: Path) -> VisitFiles:
    return VisitFiles(tmp_path / "visit")


@pytest.mark.parametrize("name", ["../../evil", "/etc/passwd", "..", "a/b\\c", "x" * 500, "", "🙂", "con\0"])
def test_no_name_leaves_the_folder(files: VisitFiles, name: str) -> None:
    path = files.new_path(name, ".png")
    path.write_bytes(b"1")
    assert path.resolve().is_relative_to(files.folder)
    assert "/" not in clean_name(name)
    assert 0 < len(clean_name(name)) <= 40


def test_equal_names_have_paths_of_their_own(files: VisitFiles) -> None:
    assert not files.folder.exists()
    assert len({files.new_path("me", ".png") for _ in range(5)}) == 5


def test_pictures_of_a_slot_are_bounded(files: VisitFiles) -> None:
    picture = Image.new("RGB", (4, 4))
    other = Path(files.store(picture, "result", suffix=".png", stem="me"))
    paths = [Path(files.store(picture, "preview")) for _ in range(20)]
    assert [path.exists() for path in paths] == [False] * 14 + [True] * 6
    assert (other.exists(), other.name) == (True, "me.png")
    assert len(list(files.folder.iterdir())) == 7


def test_uploads_are_copied_as_far_as_there_is_room(
    files: VisitFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = tmp_path / "me.PNG"
    upload.write_bytes(b"1" * 6)
    monkeypatch.setattr(visit_files, "MOST_BYTES", 10)
    taken = files.take(upload)
    assert (taken.name, taken.read_bytes()) == ("me.png", b"1" * 6)
    with pytest.raises(InputError, match="MB already"):
        files.take(upload)
    assert upload.exists()


def test_nothing_is_written_after_the_end(files: VisitFiles, tmp_path: Path) -> None:
    files.new_path("a", ".png").write_bytes(b"1")
    files.delete()
    assert files.closed
    assert not files.folder.exists()
    with pytest.raises(InputError, match="reload the page"):
        files.store(Image.new("RGB", (4, 4)), "preview")
    assert not any(tmp_path.iterdir())
