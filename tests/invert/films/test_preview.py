import errno
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.films.preview import check_preview_path, record_preview
from stylegan_latents.invert.films.read import read_film

PHOTO = torch.full((1, 3, 64, 64), 0.5)


def _record(path: Path, steps: int, *, overwrite: bool = False) -> None:
    with record_preview(path, PHOTO, steps, overwrite=overwrite) as add:
        for step in range(steps):
            add(torch.full((1, 3, 32, 32), step / steps))


def test_an_mp4_holds_every_step_and_a_still_end(tmp_path: Path) -> None:
    _record(tmp_path / "film.mp4", 10)
    frames = np.stack([np.asarray(frame.picture()) for frame in read_film(tmp_path / "film.mp4")])
    assert frames.shape == (10 + 36, 32, 64, 3)
    assert abs(int(frames[0, 16, 16].mean()) - 191) < 8  # the photo, left
    assert abs(int(frames[0, 16, 48].mean()) - 128) < 8  # the first step, right
    assert abs(int(frames[-1, 16, 48].mean()) - 242) < 8  # the last one


def test_a_gif_is_thinned_out_and_ends_with_the_last_step(tmp_path: Path) -> None:
    _record(tmp_path / "film.gif", 300)
    with Image.open(tmp_path / "film.gif") as film:
        assert 50 <= film.n_frames <= 80
        film.seek(film.n_frames - 1)
        assert abs(film.convert("RGB").getpixel((48, 16))[0] - 255) < 6
        assert film.info["duration"] == 1500


def test_frames_go_to_a_folder(tmp_path: Path) -> None:
    _record(tmp_path / "frames", 3)
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == [
        "step_0000.png",
        "step_0001.png",
        "step_0002.png",
    ]
    _record(tmp_path / "frames", 2, overwrite=True)
    assert len(list((tmp_path / "frames").iterdir())) == 2


@pytest.mark.parametrize("name", ["film.mp4", "film.gif", "frames"])
def test_an_interrupted_film_leaves_nothing(tmp_path: Path, name: str) -> None:
    def interrupted() -> None:
        with record_preview(tmp_path / name, PHOTO, 5) as add:
            add(torch.zeros(1, 3, 32, 32))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("mine")
    with pytest.raises(InputError, match="--overwrite"):
        check_preview_path(tmp_path / "film.mp4")
    check_preview_path(tmp_path / "film.mp4", overwrite=True)
    (tmp_path / "folder").mkdir()
    check_preview_path(tmp_path / "folder")
    (tmp_path / "folder" / "letter.txt").touch()
    # A folder with the user's own files is never replaced, even when asked.
    with pytest.raises(InputError, match="not empty"):
        check_preview_path(tmp_path / "folder", overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="it is a file"):
        check_preview_path(tmp_path / "file", overwrite=True)


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.mp4 or \.gif"):
        check_preview_path(tmp_path / "film.avi")


@pytest.mark.parametrize("name", ["film.mp4", "film.gif", "frames"])
def test_a_disk_that_fills_up_is_met_only_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(Image.Image, "save", full)
    steps = 0

    def record() -> None:
        nonlocal steps
        with record_preview(tmp_path / name, PHOTO, 4) as add:
            for _ in range(4):
                add(torch.zeros(1, 3, 32, 32))
                steps += 1

    with pytest.raises(InputError, match="No space left"):
        record()
    assert steps == 4
    assert list(tmp_path.iterdir()) == []
