"""What is refused before a photo is decoded."""

import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.files import read_photo
from tests.invert.photos.test_files import ramp, refusal


def test_missing_file_with_a_near_name(tmp_path: Path) -> None:
    assert "no file" in refusal(tmp_path / "nothing.png")
    ramp().save(tmp_path / "portrait.png")
    assert refusal(tmp_path / "potrait.png").endswith("portrait.png?")


@pytest.mark.skipif(sys.platform == "win32", reason="links take privileges there")
def test_a_link_to_nothing_is_not_told_its_own_name(tmp_path: Path) -> None:
    link = tmp_path / "portrait.png"
    link.symlink_to("gone.png")
    assert "did you mean" not in refusal(link)
    assert "link" in refusal(link)


def test_folder_in_place_of_a_file(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert "0 bytes" in refusal(tmp_path / "a.jpg")


def test_camera_raw(tmp_path: Path) -> None:
    ramp().save(tmp_path / "a.tif")
    (tmp_path / "a.tif").rename(tmp_path / "a.NEF")
    assert "raw" in refusal(tmp_path / "a.NEF")


@pytest.mark.skipif(os.name == "nt", reason="named pipes are POSIX's")
def test_special_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "regular file" in refusal(tmp_path / "pipe.png")


def test_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ramp().save(tmp_path / "a.png")

    def refuse(*_: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Root, which tests may run as, reads what it likes: so the refusal is made here.
    monkeypatch.setattr(Image, "open", refuse)
    assert "may not be read" in refusal(tmp_path / "a.png")


def test_name_that_no_file_can_have() -> None:
    with pytest.raises(InputError):
        read_photo("a" * 5000 + ".png")
    with pytest.raises(InputError):
        read_photo("a\0b.png")


def test_many_pixels_in_a_small_file_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    Image.new("1", (12_000, 12_000)).save(tmp_path / "black.png")
    assert "declares 144 million pixels in 0.018 MB" in refusal(tmp_path / "black.png")
