"""The crop lies where FFHQ's does, is not aliased, and comes back from its record exactly."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.align import align_face, ffhq_quad, find_faces
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.crop import Alignment, crop_of, no_align
from stylegan_latents.invert.photos.files import read_photo
from tests.photos import ASTRONAUT

DATA = Path(__file__).parents[2] / "data"


def landmarks(eyes: float = 60.0, mouth: float = 70.0, turn: float = 0.0) -> Landmarks:
    """Landmarks of a drawn face around (0, 0): eyes so far apart, mouth so far below."""
    points = np.zeros((68, 2))
    points[36:42] = [-eyes / 2, 0]
    points[42:48] = [eyes / 2, 0]
    points[48:60] = [0, mouth]
    points[48], points[54] = [-20, mouth], [20, mouth]
    cosine, sine = np.cos(turn), np.sin(turn)
    return Landmarks.from_ibug(points @ np.array([[cosine, sine], [-sine, cosine]]))


def psnr(one: Image.Image, two: Image.Image) -> float:
    difference = np.asarray(one, dtype=np.float64) - np.asarray(two, dtype=np.float64)
    return float(10 * np.log10(255**2 / np.mean(difference**2)))


def square(side: float, centre: tuple[float, float], turn: float = 0.0) -> np.ndarray:
    corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * side / 2
    cosine, sine = np.cos(turn), np.sin(turn)
    return corners @ np.array([[cosine, sine], [-sine, cosine]]) + centre


@pytest.mark.parametrize(("eyes", "mouth"), [(60.0, 50.0), (60.0, 100.0)])
def test_quad_follows_the_published_numbers(eyes: float, mouth: float) -> None:
    half = max(2.0 * eyes, 1.8 * mouth)
    centre = 0.1 * mouth
    expected = [[-half, centre - half], [-half, centre + half], [half, centre + half], [half, centre - half]]
    np.testing.assert_allclose(ffhq_quad(landmarks(eyes, mouth)), expected, atol=1e-9)


@given(turn=st.floats(-3, 3), scale=st.floats(0.1, 50), x=st.floats(-1e4, 1e4), y=st.floats(-1e4, 1e4))
def test_quad_moves_with_the_face(turn: float, scale: float, x: float, y: float) -> None:
    cosine, sine = np.cos(turn), np.sin(turn)
    turned = ffhq_quad(landmarks()) @ np.array([[cosine, sine], [-sine, cosine]])
    moved = ffhq_quad(landmarks(turn=turn).mapped(lambda points: points * scale + [x, y]))
    np.testing.assert_allclose(moved, turned * scale + [x, y], rtol=1e-9, atol=1e-6)


def test_crop_has_the_pixels_of_the_quad() -> None:
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (120, 150, 3), dtype=np.uint8))
    # A quad on whole pixels, enlarged by a whole factor: each pixel's mean stays in its place.
    alignment = Alignment(square(64, (69.5, 57.5)), photo.size, 256, "ffhq")
    crop = crop_of(photo, alignment).resize((64, 64), Image.Resampling.BOX)
    assert psnr(crop, photo.crop((38, 26, 102, 90))) > 18
    shifted = [photo.crop((38 + x, 26 + y, 102 + x, 90 + y)) for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    assert max(psnr(crop, other) for other in shifted) < 12


@pytest.mark.parametrize("turn", [0.0, 0.3, np.pi / 2, np.pi])
@pytest.mark.parametrize("side", [90.0, 700.0])
def test_crop_of_a_smooth_picture_is_exact(turn: float, side: float) -> None:
    y, x = np.mgrid[0:1000, 0:1200].astype(float)
    photo = Image.fromarray(np.rint(255 * np.stack([x / 1200, y / 1000, 0 * x], axis=2)).astype(np.uint8))
    alignment = Alignment(square(side, (590.0, 480.0), turn), photo.size, 128, "ffhq")
    crop = np.asarray(crop_of(photo, alignment), dtype=float)
    steps = (np.arange(128) + 0.5) / 128
    quad = alignment.quad
    place = quad[0] + steps[None, :, None] * (quad[3] - quad[0]) + steps[:, None, None] * (quad[1] - quad[0])
    # Four roundings on the way, one of them Pillow's downwards.
    assert np.abs(crop[:, :, 0] - place[:, :, 0] / 1200 * 255).max() < 2.1
    assert np.abs(crop[:, :, 1] - place[:, :, 1] / 1000 * 255).max() < 2.1


@pytest.mark.parametrize("turn", [0.0, 0.2])
def test_fine_patterns_do_not_alias(turn: float) -> None:
    stripes = np.zeros((2000, 2000, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    alignment = Alignment(square(1400.0, (1000, 1000), turn), (2000, 2000), 200, "ffhq")
    crop = np.asarray(crop_of(Image.fromarray(stripes), alignment), dtype=float)
    assert np.abs(crop - 127.5).max() < 4


def test_outside_of_the_photo_is_filled_smoothly() -> None:
    photo = read_photo(DATA / "london_005_neutral.jpg")
    alignment = Alignment(square(300, (100, 120)), photo.size, 256, "ffhq")
    crop = np.asarray(crop_of(photo, alignment), dtype=float)
    outside = crop[:, : int(256 * 40 / 300)]
    assert np.abs(np.diff(outside, axis=0)).max() < 12
    assert np.abs(np.diff(outside, axis=1)).max() < 12
    assert outside.min() > 0
    # What lies well inside is the photo's own.
    inside = np.asarray(crop_of(photo, Alignment(square(150, (175, 195)), photo.size, 128, "ffhq")), dtype=float)
    assert np.abs(crop[128:, 128:] - inside).mean() < 1.5


def test_quad_away_from_the_photo_is_refused() -> None:
    with pytest.raises(InputError, match="outside the photo"):
        crop_of(Image.new("RGB", (50, 50)), Alignment(square(20, (500, 500)), (50, 50), 32, "ffhq"))


@pytest.mark.slow
def test_aligned_face_is_upright_and_centred() -> None:
    photo = read_photo(ASTRONAUT).rotate(17, Image.Resampling.BICUBIC)
    crop, alignment = align_face(photo, find_faces(photo)[0], 256)
    assert crop.size == (256, 256)
    assert (alignment.method, alignment.photo_size, alignment.size) == ("ffhq", (512, 512), 256)
    again = find_faces(crop)[0].landmarks
    eyes = again.left_eye.mean(axis=0), again.right_eye.mean(axis=0)
    assert abs(eyes[0][1] - eyes[1][1]) < 4
    assert np.abs((eyes[0] + eyes[1]) / 2 - [128, 122]).max() < 8
    # Aligning what is aligned changes next to nothing.
    assert np.abs(ffhq_quad(again) - [[0, 0], [0, 256], [256, 256], [256, 0]]).max() < 6


@pytest.mark.parametrize(("size", "method", "box"), [
    ((60, 60), "none", (0, 0, 60, 60)),
    ((90, 61), "centre", (14, 0, 75, 61)),
    ((40, 100), "centre", (0, 30, 40, 70)),
])  # fmt: skip
def test_no_align(size: tuple[int, int], method: str, box: tuple[int, int, int, int]) -> None:
    photo = Image.fromarray(np.random.default_rng(1).integers(0, 255, (*size[::-1], 3), dtype=np.uint8))
    side = min(size)
    crop, alignment = no_align(photo, side)
    assert alignment.method == method
    assert np.array_equal(np.asarray(crop), np.asarray(photo.crop(box)))
    assert alignment.side == side
    assert np.array_equal(np.asarray(crop_of(photo, alignment)), np.asarray(crop))


@given(
    quad=st.builds(
        square,
        st.floats(1, 5000),
        st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
        st.floats(-7, 7),
    )
)
def test_record_round_trip_is_exact(quad: np.ndarray) -> None:
    alignment = Alignment(quad, (4032, 3024), 1024, "ffhq")
    read = Alignment.from_dict(json.loads(json.dumps(alignment.to_dict())))
    assert np.array_equal(read.quad, quad)
    assert read == alignment
    assert hash(read) == hash(alignment)


@pytest.mark.parametrize("damage", [
    {"quad": [[0, 0], [0, 9], [9, 9]]},
    {"quad": [[0, 0], [0, float("nan")], [9, 9], [9, 0]]},
    {"quad": [[0, 0], [0, 20], [9, 9], [9, 0]]},
    {"quad": [[0, 0]] * 4},
    {"quad": "square"},
    {"photo_size": [0, 20]},
    {"photo_size": [20]},
    {"size": -1},
    {"size": None},
    {"method": "magic"},
    {"method": None},
])  # fmt: skip
def test_damaged_record(damage: dict[str, object]) -> None:
    good = Alignment(square(9, (10, 10)), (20, 20), 8, "ffhq").to_dict()
    assert Alignment.from_dict(good).size == 8
    with pytest.raises(InputError, match="damaged"):
        Alignment.from_dict({**good, **damage})
    for key in good:
        with pytest.raises(InputError, match="damaged"):
            Alignment.from_dict({name: value for name, value in good.items() if name != key})
