import errno
import os
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.jobs import gather
from stylegan_latents.invert.record.files import record_stem, records_by_age


def _photos(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20)).save(folder / name)


def test_names_of_results_never_collide(tmp_path: Path) -> None:
    _photos(tmp_path, "a/me.png", "a/me.jpg", "a/you.png", "b/ME.jpg", "b/me.jpg", "c/me.jpg")
    jobs = gather([tmp_path / "a", tmp_path / "b" / "me.jpg", tmp_path / "c", tmp_path / "a" / "you.png"])
    assert [job.photo.name for job in jobs] == ["me.jpg", "me.png", "you.png", "me.jpg", "me.jpg"]
    assert [job.stem for job in jobs] == ["me.jpg", "me.png", "you", "me.jpg-2", "me.jpg-3"]


def test_a_second_run_does_not_take_results_for_photos(tmp_path: Path) -> None:
    _photos(tmp_path, "me.jpg", "me.inverted.png", "me.pose+2.png", "me.two.jpg", "mentor.jpg", "my.friend.png")
    (tmp_path / "me.inversion.safetensors").touch()
    assert [job.photo.name for job in gather([tmp_path])] == ["me.jpg", "me.two.jpg", "mentor.jpg", "my.friend.png"]
    # Named by the user, a picture is a photo.
    assert len(gather([tmp_path / "me.inverted.png"])) == 1


def test_a_folder_without_photos_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no photo"):
        gather([tmp_path])


def test_existing_results_are_named_before_the_work(tmp_path: Path) -> None:
    _photos(tmp_path, "me.jpg")
    outputs = gather([tmp_path / "me.jpg"])[0].outputs(tmp_path, npz=True)
    outputs.check_free()
    (tmp_path / "me.npz").touch()
    with pytest.raises(InputError, match=r"me\.npz exists already"):
        outputs.check_free()


def test_long_names_are_cut_and_stay_different(tmp_path: Path) -> None:
    photos = [tmp_path / f"{'漢' * 70}{letter}.png" for letter in "ab"]
    jobs = gather(photos)
    stems = [job.stem for job in jobs]
    assert len(set(stems)) == 2
    for job in jobs:
        outputs = job.outputs(tmp_path, face=3)
        outputs.record.touch()  # fails for a name that is too long
        outputs.picture.touch()


def test_a_photo_in_a_folder_that_may_not_be_entered_is_left_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **_: object) -> os.stat_result:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(Path, "is_dir", refuse)
    assert [job.stem for job in gather([tmp_path / "locked" / "me.png"])] == ["me"]


def test_the_newest_record_is_by_time(tmp_path: Path) -> None:
    import os

    with pytest.raises(InputError, match="run `invert PHOTO` first"):
        records_by_age(tmp_path)
    for name, seconds in (("b", 100), ("a", 300), ("c", 200)):
        (tmp_path / f"{name}.inversion.safetensors").touch()
        os.utime(tmp_path / f"{name}.inversion.safetensors", (seconds, seconds))
    assert record_stem(records_by_age(tmp_path)[0]) == "a"
