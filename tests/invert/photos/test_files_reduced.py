"""Large pictures are reduced while they are read, and are the same pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos import colour, files
from stylegan_latents.invert.photos.files import read_photo, read_reduced


def gradient(mode: str) -> Image.Image:
    grey = np.add.outer(np.arange(120), np.arange(200)).astype(np.float64) / 318
    if mode in ("I;16", "F"):
        return Image.fromarray((grey * 65535).astype(np.uint16) if mode == "I;16" else grey.astype(np.float32))
    return Image.fromarray((grey * 255).astype(np.uint8)).convert(mode)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("RGB", ".jpg"), ("L", ".jpg"), ("RGB", ".png"), ("P", ".png"), ("1", ".png"), ("LA", ".png"),
     ("RGBA", ".png"), ("I;16", ".png"), ("F", ".tif"), ("CMYK", ".jpg")],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_a_large_picture_is_the_same_but_smaller(tmp_path: Path, mode: str, suffix: str, turned: bool) -> None:
    path = tmp_path / f"large{suffix}"
    picture = gradient(mode)
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    picture.save(path, exif=exif)
    whole = read_photo(path)
    small, reduced = read_reduced(path, 3000)
    assert reduced
    assert small.mode == "RGB"
    assert 500 < small.width * small.height <= 3000
    assert whole.size == ((120, 200) if turned else (200, 120))
    expected = np.asarray(whole.resize(small.size, Image.Resampling.BOX), dtype=np.float64)
    assert np.abs(np.asarray(small, dtype=np.float64) - expected).mean() < (
        12 if mode == "1" else 3
    )  # which is dithered


def test_a_picture_that_is_small_enough_is_read_as_it_is(tmp_path: Path) -> None:
    gradient("RGB").save(tmp_path / "a.png")
    small, reduced = read_reduced(tmp_path / "a.png", 200 * 120)
    assert not reduced
    assert small.tobytes() == read_photo(tmp_path / "a.png").tobytes()


def test_what_cannot_be_reduced_while_it_is_decoded_has_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "DECODED_PIXELS", 20_000)
    for suffix in (".png", ".jpg"):
        gradient("RGB").save(tmp_path / f"a{suffix}")
    with pytest.raises(InputError, match="save it as JPEG"):
        read_reduced(tmp_path / "a.png", 3000)
    assert read_reduced(tmp_path / "a.jpg", 3000)[1]


@pytest.mark.parametrize("mode", ["I;16", "F"])
def test_strips_make_no_difference(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = gradient(mode)
    whole = colour.to_8_bits(picture, "PNG")
    monkeypatch.setattr(colour, "_STRIP_PIXELS", 1400)
    assert colour.to_8_bits(picture, "PNG").tobytes() == whole.tobytes()
