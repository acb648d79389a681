"""Sound is copied in step with the frames."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from stylegan_latents.invert.films.read import film_facts, read_film
from stylegan_latents.invert.films.write import write_film
from tests.invert.small_films import save_film, with_sound

RATE = 48_000


def _pictures() -> list[Image.Image]:
    return [Image.new("RGB", (64, 48), (60 * i, 90, 90)) for i in range(3)]


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


def _flash_and_beep(path: Path, *, offset: float = 0.0, late: float = 0.0) -> None:
    """Two seconds with a white frame and a beep at second 1; timestamps begin at ``offset``, frames at ``late``."""
    ticks, packets = Fraction(1, 90_000), []
    with av.open(str(path), "w", format="mpegts" if path.suffix == ".mts" else None) as film:
        video = film.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt, video.time_base = 64, 48, "yuv420p", ticks
        audio = film.add_stream("aac", rate=RATE, layout="mono")
        for number in range(round(25 * late), 50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 255 * (number == 25), np.uint8), format="rgb24")
            frame.pts, frame.time_base = round((number / 25 + offset) * 90_000), ticks
            packets += video.encode(frame)
        tone = np.zeros(2 * RATE, np.float32)
        tone[RATE : RATE + 1920] = 0.8 * np.sin(np.arange(1920) / 8)
        for start in range(0, len(tone), 1024):
            sound = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], "fltp", "mono")
            sound.sample_rate, sound.pts, sound.time_base = RATE, start + round(offset * RATE), Fraction(1, RATE)
            packets += audio.encode(sound)
        packets += [*video.encode(None), *audio.encode(None)]
        for packet in sorted(packets, key=lambda packet: float((packet.dts or 0) * packet.time_base)):
            film.mux(packet)


def _times(path: Path) -> tuple[float, float]:
    """When the flash and the beep of a film begin."""
    with av.open(str(path)) as film:
        flash = next(f.time for f in film.decode(video=0) if f.to_ndarray(format="gray").mean() > 100)
    with av.open(str(path)) as film:
        for frame in film.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.1)
            if len(loud) and frame.time is not None:
                return float(flash or 0), frame.time + loud[0] / RATE
    raise AssertionError("nothing is heard")


@pytest.mark.parametrize(
    ("name", "offset", "late"),
    [
        ("a.mp4", 0.0, 0.0),
        ("a.ts", 0.0, 0.0),
        ("a.mts", 3.0, 0.0),
        ("a.mkv", 5.0, 0.0),
        ("late.mp4", 0.0, 0.4),
        ("late.mkv", 2.0, 0.4),
        ("late.ts", 0.0, 0.4),
    ],
)
def test_a_flash_and_a_beep_stay_together(tmp_path: Path, name: str, offset: float, late: float) -> None:
    source, target = tmp_path / name, tmp_path / "copy.mp4"
    _flash_and_beep(source, offset=offset, late=late)
    frames = list(read_film(source))
    with write_film(
        target, fps=film_facts(source).rate, times=[frame.time for frame in frames], sound=source
    ) as write:
        for frame in frames:
            write(np.asarray(frame.picture()))
    flash, beep = _times(target)
    assert flash == pytest.approx(1 - late, abs=0.002)
    assert abs(flash - beep) < 0.005
