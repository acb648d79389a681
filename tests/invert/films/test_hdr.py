"""Films in HDR come out as the SDR film of the same scene."""

from pathlib import Path

import av
import numpy as np
import pytest

from stylegan_latents.invert.films.hdr import to_sdr
from stylegan_latents.invert.films.read import film_facts, read_film

SKIN, GREY, RED, WHITE = (224, 172, 140), (128, 128, 128), (204, 51, 51), (255, 255, 255)
_TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593])


def _coded(colour: tuple[int, ...], transfer: str, gain: float = 1.0) -> np.ndarray:
    """An sRGB colour as a camera codes it, its white at 203 cd/m2 times a gain."""
    srgb = np.array(colour) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    displayed = _TO_BT2020 @ linear * 203 * gain
    if transfer == "PQ":
        power = (displayed / 10_000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    scene = displayed / 1000 * (displayed @ _LUMINANCE / 1000) ** (1 / 1.2 - 1)
    logarithmic = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), logarithmic)


def _save(path: Path, transfer: str, colours: list[np.ndarray], codec: str, pixels: str) -> None:
    """Three frames of vertical stripes in BT.2020, in 10 bits."""
    red, green, blue = np.repeat(np.array(colours), 32, axis=0).T
    luma = np.stack([red, green, blue], axis=1) @ _LUMINANCE
    planes = (64 + 876 * luma, 512 + 896 * (blue - luma)[::2] / 1.8814, 512 + 896 * (red - luma)[::2] / 1.4746)
    frame = av.VideoFrame(len(luma), 32, "yuv420p10le")
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
        rows[:, : len(values)] = np.round(values)
        plane.update(rows.tobytes())
    with av.open(str(path), "w") as film:
        stream = film.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = len(luma), 32, pixels
        context = stream.codec_context
        context.color_primaries, context.colorspace, context.color_range = 9, 9, 1
        context.color_trc = {"PQ": 16, "HLG": 18}[transfer]
        for number in range(3):
            frame.pts = number
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


@pytest.mark.parametrize("transfer", ["HLG", "PQ"])
@pytest.mark.parametrize(("name", "codec"), [("phone.mov", "libx265"), ("archive.mkv", "ffv1")])
def test_a_film_in_hdr_has_the_colours_of_the_scene(tmp_path: Path, transfer: str, name: str, codec: str) -> None:
    path = tmp_path / name
    _save(path, transfer, [_coded(one, transfer) for one in (SKIN, GREY, RED, WHITE)], codec, "yuv420p10le")
    assert film_facts(path).hdr == transfer
    pixels = np.asarray(next(read_film(path)).picture()).astype(int)[16]
    for at, colour in enumerate((SKIN, GREY, RED)):
        assert np.abs(pixels[32 * at + 16] - colour).max() <= 5, colour
    assert 240 <= pixels[3 * 32 + 16].min() <= 255


@pytest.mark.parametrize("transfer", ["HLG", "PQ"])
def test_what_is_brighter_than_white_is_told_apart(transfer: str) -> None:
    signal = np.stack([_coded((255, 230, 200), transfer, gain) for gain in (0.5, 0.9, 1.5, 2.5)])[None]
    mapped = to_sdr(np.round(signal * 65535).astype(np.uint16), transfer)[0].astype(int)
    assert (np.diff(mapped[:, 0]) > 0).all()
    # Its hue stays.
    assert (np.diff(mapped, axis=1) < 0).all()


def test_a_plain_film_is_none(tmp_path: Path) -> None:
    from tests.invert.small_films import encode

    encode(tmp_path / "plain.mp4", [np.full((48, 64, 3), 90, np.uint8)])
    assert film_facts(tmp_path / "plain.mp4").hdr == ""
