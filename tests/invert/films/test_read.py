from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.films.read import FilmFrame, film_facts, is_film, read_film
from stylegan_latents.invert.films.write import write_film
from tests.invert.small_films import save_film, with_sound

COLOURS = [(200, 60, 90), (30, 120, 220), (240, 240, 30)]


def _pictures(size: tuple[int, int] = (64, 48)) -> list[Image.Image]:
    return [Image.new("RGB", size, colour) for colour in COLOURS]


def _colour(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, dtype=float).mean(axis=(0, 1))


@pytest.mark.parametrize("size", [(64, 48), (64, 720)])
def test_frames_come_in_order_and_in_their_colours(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "clip.mp4"
    save_film(path, _pictures(size), fps=12.5)
    facts = film_facts(path)
    assert (facts.rate, facts.size, facts.count) == (12.5, size, 3)
    frames = list(read_film(path))
    assert [frame.number for frame in frames] == [0, 1, 2]
    np.testing.assert_allclose([frame.time for frame in frames], [0, 0.08, 0.16], atol=1e-6)
    for frame, colour in zip(frames, COLOURS, strict=True):
        np.testing.assert_allclose(_colour(frame.picture()), colour, atol=5)
    assert len(list(read_film(path, limit=2))) == 2
    # As players take it: BT.709 from 720 lines on, and said.
    with av.open(str(path)) as film:
        assert next(film.decode(video=0)).colorspace == (1 if size[1] >= 720 else 6)


def test_frames_keep_uneven_times(tmp_path: Path) -> None:
    path, times = tmp_path / "clip.mp4", [0.0, 0.1, 0.5]
    with write_film(path, fps=10, times=times) as write:
        for picture in _pictures():
            write(np.asarray(picture))
    np.testing.assert_allclose([frame.time for frame in read_film(path)], times, atol=1e-3)


def test_sound_is_copied_as_far_as_the_film_goes(tmp_path: Path) -> None:
    silent, source, target = (tmp_path / name for name in ("silent.mp4", "source.mp4", "target.mp4"))
    save_film(silent, _pictures() * 5)
    with_sound(silent, source, 1.5)
    with write_film(target, fps=10, sound=source) as write:
        for picture in _pictures():
            write(np.asarray(picture))
    with av.open(str(target)) as film:
        track = film.streams.audio[0]
        seconds = sum(frame.samples for frame in film.decode(track)) / 48_000
    assert track.codec_context.name == "aac"
    assert 0.2 < seconds < 0.4
    with write_film(target, fps=10, sound=silent, overwrite=True) as write:
        write(np.asarray(_pictures()[0]))
    with av.open(str(target)) as film:
        assert not film.streams.audio


def test_sound_that_does_not_fit_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent, source, target = (tmp_path / name for name in ("silent.mp4", "source.mkv", "target.mp4"))
    save_film(silent, _pictures())
    with_sound(silent, source, 0.3, codec="pcm_s16le")
    with write_film(target, fps=10, sound=source) as write:
        write(np.asarray(_pictures()[0]))
    assert "pcm_s16le" in capsys.readouterr().err
    assert target.exists()


def _text(path: Path) -> None:
    path.write_text("no film")


def _only_sound(path: Path) -> None:
    with av.open(str(path), "w") as target:
        audio = target.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "fltp", "mono")
        frame.sample_rate = 48_000
        target.mux(audio.encode(frame))
        target.mux(audio.encode(None))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _: None, "There is no film"),
        (_text, "is no film that can be read"),
        (Path.touch, "is no film that can be read"),
        (_only_sound, "shows no moving picture"),
    ],
)
def test_what_is_no_film_is_told(tmp_path: Path, make: object, words: str) -> None:
    path = tmp_path / "clip.mp4"
    assert callable(make)
    make(path)
    with pytest.raises(InputError, match=words):
        film_facts(path)


def test_films_are_known_by_their_names() -> None:
    assert is_film(Path("a.MP4"))
    assert not is_film(Path("a.gif"))
    assert not is_film(Path("a.jpg"))


def test_a_film_held_upright_comes_upright() -> None:
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24, :32] = (250, 250, 250)  # the sensor's top left, which is the top right of the turned telephone
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    turned = SimpleNamespace(
        reformat=frame.reformat, rotation=-90, width=64, height=48, colorspace=frame.colorspace
    )
    upright = FilmFrame(0, 0.0, turned)
    assert upright.size == upright.picture().size == (48, 64)
    seen = np.asarray(upright.picture())
    assert seen[:30, 26:].min() > 240
    assert seen[:, :22].max() < 10
