"""Sound is copied in step with the frames."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from stylegan_latents.invert.films.read import film_facts, read_film
from stylegan_latents.invert.films.write import write_film
from tests.invert.small_films import flash_and_beep, save_film, times_of_flash_and_beep, with_sound


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
    flash_and_beep(source, offset=offset, late=late)
    frames = list(read_film(source))
    with write_film(
        target, fps=film_facts(source).rate, times=[frame.time for frame in frames], sound=source
    ) as write:
        for frame in frames:
            write(np.asarray(frame.picture()))
    flash, beep = times_of_flash_and_beep(target)
    assert flash == pytest.approx(1 - late, abs=0.002)
    assert abs(flash - beep) < 0.005
