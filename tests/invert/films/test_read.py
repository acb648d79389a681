import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.films.read import film_facts, is_film, read_film
from stylegan_latents.invert.films.write import write_film
from tests.invert.small_films import encode, save_film

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


@pytest.mark.parametrize("name", ["screen.mkv", "screen.mp4"])
def test_the_rate_of_a_film_that_declares_its_clock_is_measured(tmp_path: Path, name: str) -> None:
    times = [0, 30, 70, 100, 140, 160, 200]
    with av.open(str(tmp_path / name), "w") as film:
        stream = film.add_stream("libx264", rate=1000)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for time in times:
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    assert film_facts(tmp_path / name).rate == pytest.approx(30, rel=0.2)
    np.testing.assert_allclose(
        [frame.time for frame in read_film(tmp_path / name)], np.array(times) / 1000, atol=1.5e-3
    )


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


@pytest.mark.parametrize(
    ("degrees", "hflip", "bright"),
    [(-90, False, (1, 0)), (90, False, (0, 1)), (180, False, (1, 1)), (0, True, (1, 0))],
)
def test_a_turned_or_mirrored_film_comes_upright(
    tmp_path: Path, degrees: int, hflip: bool, bright: tuple[int, int]
) -> None:
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24, :32] = 250  # the sensor's top left
    path = tmp_path / "phone.mp4"
    encode(path, [pixels], turn=(degrees, hflip))
    (upright,) = read_film(path)
    picture = upright.picture()
    assert upright.size == picture.size == film_facts(path).size == ((48, 64) if degrees % 180 else (64, 48))
    seen = np.asarray(picture.resize((2, 2), Image.Resampling.BOX))[..., 1]
    assert seen[bright[1], bright[0]] > 200
    assert seen.sum() - seen[bright[1], bright[0]] < 90


@pytest.mark.parametrize(("aspect", "size"), [((16, 11), (93, 48)), ((1, 2), (64, 96)), ((1, 1000), (64, 48))])
def test_pixels_that_are_no_squares_are_stretched(
    tmp_path: Path, aspect: tuple[int, int], size: tuple[int, int]
) -> None:
    path = tmp_path / "dv.mp4"
    encode(path, [np.full((48, 64, 3), 90, np.uint8)], aspect=Fraction(*aspect))
    assert film_facts(path).size == size
    assert next(read_film(path)).picture().size == size


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_an_animated_picture_is_a_film_and_a_still_one_is_none(tmp_path: Path, suffix: str) -> None:
    path, still = tmp_path / f"moving{suffix}", tmp_path / f"still{suffix}"
    first, *others = _pictures()
    first.save(path, save_all=True, append_images=others, duration=[100, 400, 100])
    first.save(still)
    assert is_film(path)
    assert not is_film(still)
    facts = film_facts(path)
    assert (facts.size, facts.count) == ((64, 48), 3)
    assert facts.rate == pytest.approx(5)
    frames = list(read_film(path))
    np.testing.assert_allclose([frame.time for frame in frames], [0, 0.1, 0.5])
    for frame, colour in zip(frames, COLOURS, strict=True):
        np.testing.assert_allclose(_colour(frame.picture()), colour, atol=8)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputError, match=r"moving\.\w+ is (damaged|not a picture)"):
        list(read_film(path))


@pytest.mark.skipif(sys.platform == "win32", reason="a colon is no part of a name there")
def test_a_name_with_a_colon_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_film(Path("12:30.mp4"), _pictures())
    assert film_facts(Path("12:30.mp4")).size == (64, 48)


@pytest.mark.slow
def test_no_playlist_and_no_name_makes_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_film(Path("inner.mp4"), _pictures())
    asked: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor() as pool:
        server.settimeout(1)
        pool.submit(lambda: asked.append(server.accept()))
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a"
        films = {
            "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}.ts\n#EXT-X-ENDLIST\n",
            "concat.mp4": "ffconcat version 1.0\nfile inner.mp4\n",
            "dash.mp4": f'<?xml version="1.0"?><MPD><Period><BaseURL>{address}</BaseURL></Period></MPD>',
            "session.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        }
        for name, text in films.items():
            Path(name).write_text(text)
            with pytest.raises(InputError, match="is no film that can be read"):
                film_facts(Path(name))
        if sys.platform != "win32":
            Path("concat:inner.mp4").write_text("A file whose name FFmpeg takes for a request.")
            with pytest.raises(InputError, match="is no film that can be read"):
                film_facts(Path("concat:inner.mp4"))
        for name in (address + ".mp4", "subfile,,start,0,end,0,,:inner.mp4"):
            with pytest.raises(InputError, match="There is no film"):
                film_facts(Path(name))
    assert asked == []
