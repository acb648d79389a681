import sys
import threading
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.films.encoder import Encoder
from stylegan_latents.invert.films.write import Frame, check_film, write_film


def _frame(number: int, side: int = 32) -> Frame:
    """A plain colour that changes from frame to frame, with one half black."""
    frame = np.zeros((side, side, 3), dtype=np.uint8)
    frame[:, : side // 2] = (10 + 10 * number, 200 - 10 * number, 90)
    return frame


def _write(path: Path, count: int = 7, **options: object) -> None:
    with write_film(path, fps=12, **options) as write:  # type: ignore[arg-type]
        for number in range(count):
            write(_frame(number))


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webp"])
def test_all_frames_come_back_in_their_order(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"new/film{suffix}"
    _write(path)
    if suffix == ".mp4":
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert float(stream.average_rate or 0) == 12
            assert stream.codec_context.pix_fmt == "yuv420p"
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    else:
        with Image.open(path) as picture:
            assert picture.info["loop"] == 0
            frames = []
            for number in range(picture.n_frames):  # type: ignore[attr-defined]
                picture.seek(number)
                picture.load()
                assert abs(picture.info["duration"] - 1000 / 12) < 10  # GIF counts in hundredths of a second
                frames.append(np.asarray(picture.convert("RGB")))
    assert len(frames) == 7
    for number, frame in enumerate(frames):
        difference = frame.astype(int) - _frame(number)
        assert np.abs(difference[4:-4, 3:10]).max() <= 12, number
        assert np.abs(difference[4:-4, 22:29]).max() <= 12, number
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_folder_of_pictures_is_exact(tmp_path: Path) -> None:
    _write(tmp_path / "frames", 3)
    names = sorted(entry.name for entry in (tmp_path / "frames").iterdir())
    assert names == ["frame_00000.png", "frame_00001.png", "frame_00002.png"]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "frames" / names[2])), _frame(2))
    with pytest.raises(InputError, match="not empty"):
        _write(tmp_path / "frames", 2)
    _write(tmp_path / "frames", 2, overwrite=True)
    assert len(list((tmp_path / "frames").iterdir())) == 2
    (tmp_path / "frames" / "mine.txt").touch()
    with pytest.raises(InputError, match="not empty"):
        _write(tmp_path / "frames", 2, overwrite=True)


@pytest.mark.parametrize("name", ["film.mp4", "film.gif", "film.webp", "frames"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, InputError])
def test_a_film_that_is_broken_off_leaves_what_was_there(
    tmp_path: Path, name: str, error: type[BaseException]
) -> None:
    path = tmp_path / name
    _write(path, 2)
    before = path.read_bytes() if path.is_file() else len(list(path.iterdir()))
    threads = threading.active_count()

    def broken_off() -> None:
        with write_film(path, fps=12, overwrite=True) as write:
            for number in range(9):
                write(_frame(number))
            raise error

    with pytest.raises(error):
        broken_off()
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert (path.read_bytes() if path.is_file() else len(list(path.iterdir()))) == before
    assert threading.active_count() == threads


def test_what_fails_on_the_other_thread_is_raised_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: object, _frame: Frame) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Encoder, "__call__", full)
    with pytest.raises(InputError, match="No space left"):
        _write(tmp_path / "film.mp4", 15)
    assert list(tmp_path.iterdir()) == []


def test_bad_names_rates_and_codecs(tmp_path: Path) -> None:
    for name, words in (("film.avi", "end the name"), ("film.mp4.txt", "end the name")):
        with pytest.raises(InputError, match=words):
            check_film(tmp_path / name)
    with pytest.raises(InputError, match="no video encoder 'nope'"):
        check_film(tmp_path / "film.mp4", codec="nope")
    with pytest.raises(InputError, match="encodes audio"):
        check_film(tmp_path / "film.mp4", codec="aac")
    with pytest.raises(InputError, match="leave out --codec"):
        check_film(tmp_path / "frames", codec="libx264")
    for fps in (0, 500, float("nan")):
        with pytest.raises(InputError, match="frames a second"), write_film(tmp_path / "film.mp4", fps=fps):
            pass
    check_film(tmp_path / "film.gif", fps=50)
    with pytest.raises(InputError, match="up to 50 frames a second"):
        check_film(tmp_path / "film.gif", fps=60)
    with pytest.raises(InputError, match="leave out --codec"):
        _write(tmp_path / "film.mp4", codec="gif")
    with pytest.raises(InputError, match="a frame at least"):
        _write(tmp_path / "film.mp4", 0)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="it is a file"):
        check_film(tmp_path / "file")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError, match="it is a folder"):
        check_film(tmp_path / "folder.mp4", overwrite=True)
    with pytest.raises(InputError, match="Cannot write"):
        _write(tmp_path / "file" / "film.mp4")
    with pytest.raises(InputError, match="Cannot write"):
        _write(tmp_path / "file" / "frames")


@pytest.mark.parametrize("size", [(33, 34), (34, 33), (33, 33)])
@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webp"])
def test_odd_sides_are_written(tmp_path: Path, size: tuple[int, int], suffix: str) -> None:
    frame = np.full((*size, 3), 90, np.uint8)
    frame[-1], frame[:, -1] = 200, 200
    with write_film(tmp_path / f"film{suffix}", fps=10, overwrite=True) as write:
        for _ in range(2):
            write(frame)
    with (
        av.open(str(tmp_path / f"film{suffix}"))
        if suffix == ".mp4"
        else Image.open(tmp_path / f"film{suffix}") as film
    ):
        if suffix == ".mp4":
            found = next(film.decode(video=0)).to_ndarray(format="rgb24")  # type: ignore[union-attr]
            assert found.shape == (34, 34, 3)
            # Its last row and column are longer, and nothing else changes.
            np.testing.assert_allclose(found[-1].mean(), 200, atol=12)
            np.testing.assert_allclose(found[:-2, :-2].mean(), 90, atol=4)
        else:
            assert film.size == size[::-1]  # type: ignore[union-attr]


@pytest.mark.skipif(sys.platform == "win32", reason="a colon is no part of a name there")
def test_a_name_with_a_colon_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _write(Path("12:30.mp4"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["12:30.mp4"]


def test_a_film_is_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "film.gif").write_text("mine")
    with pytest.raises(InputError, match="add --overwrite"):
        _write(tmp_path / "film.gif")
    assert (tmp_path / "film.gif").read_text() == "mine"
