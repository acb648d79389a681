"""A turned head is laid where hair and neck were; the wall around it and the clothes stay the photo's."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from stylegan_latents.invert.paste_back.paste import paste_back
from stylegan_latents.invert.paste_back.whole_head import whole_head
from stylegan_latents.invert.photos.crop import Alignment, crop_of
from stylegan_latents.invert.photos.person_mask import CLASSES, PersonMask

SIZE, SIDE, LOW, TURN = 512, 256, 128, 20
WALL = np.where((np.indices((SIZE, SIZE)) // 16).sum(axis=0) % 2 == 0, 170.0, 220.0)
COLOURS = {"hair": (60, 40, 30), "face": (200, 150, 130), "neck": (170, 120, 100), "clothes": (40, 60, 120)}


def scene(hair: int, face: int, wall: np.ndarray) -> tuple[Image.Image, dict[str, np.ndarray]]:
    """A head on a wall, its hair and its face moved to the right by some pixels."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    head = ((x - 256 - hair) / 75) ** 2 + ((y - 250) / 105) ** 2 < 1
    visage = ((x - 256 - face) / 50) ** 2 + ((y - 265) / 75) ** 2 < 1
    neck = (np.abs(x - 256 - hair) < 32) & (y > 300)
    body = (y > 372) & (np.abs(x - 256 - hair) < 110)
    shapes = {"face": visage, "hair": head & ~visage}
    shapes["neck"] = neck & ~head & ~visage & ~body
    shapes["clothes"] = body & ~head & ~visage
    picture = np.repeat(wall[:, :, None], 3, axis=2)
    for name, shape in shapes.items():
        picture[shape] = COLOURS[name]
    eyes = (np.hypot(np.abs(x - 256 - face) - 18, y - 250) < 6) & visage
    picture[eyes] = 20
    return Image.fromarray(gaussian_filter(picture, (0.7, 0.7, 0)).astype(np.uint8)), shapes


def mask_of(shapes: dict[str, np.ndarray]) -> PersonMask:
    shares = np.zeros((len(CLASSES), SIDE, SIDE), np.float32)
    for name, shape in shapes.items():
        shares[CLASSES.index(name)] = shape[LOW : LOW + SIDE, LOW : LOW + SIDE]
    shares[0] = 1 - shares.sum(axis=0)
    return PersonMask(shares)


@pytest.fixture(scope="module")
def alignment() -> Alignment:
    low, high = LOW - 0.5, LOW + SIDE - 0.5
    return Alignment(np.array([[low, low], [low, high], [high, high], [high, low]]), (SIZE, SIZE), SIDE, "ffhq")


def levels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def test_the_face_turns_and_the_head_stays_where_it_was(alignment: Alignment) -> None:
    plain = np.full((SIZE, SIZE), 195.0)
    photo, was = scene(0, 0, WALL)
    # A generator holds the face in the middle and blurs the wall.
    (before, _), (after, then) = scene(0, 0, plain), scene(-TURN, 0, plain)
    pictures = (crop_of(before, alignment), crop_of(after, alignment))
    people = (mask_of(was), mask_of(then))
    found = whole_head(photo, alignment, pictures, people)
    assert found is not None
    np.testing.assert_allclose(found.alignment.quad - alignment.quad, [[TURN, 0]] * 4, atol=4)

    pasted = levels(paste_back(photo, pictures[1], alignment, reference=pictures[0], people=people))
    wanted = levels(scene(0, TURN, WALL)[0])
    inner = (slice(200, 330), slice(190, 330))
    assert np.abs(pasted - wanted)[inner].mean() < 0.3 * np.abs(levels(photo) - wanted)[inner].mean()
    # Away from the head every level is the photo's.
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    away = (np.hypot((x - 256) / 75, (y - 250) / 105) > 1.35) & (y < 370) | (y > 400)
    assert np.array_equal(pasted[away], levels(photo)[away])


def test_what_is_no_turn_is_left_to_the_other_way(alignment: Alignment) -> None:
    photo, was = scene(0, 0, WALL)
    crop, people = crop_of(photo, alignment), (mask_of(was), mask_of(was))
    assert whole_head(photo, alignment, (crop, crop.point(lambda level: 255 - level)), people) is None
    # Without a face nothing says that it is the head that turns.
    moved, then = scene(-TURN, -TURN, WALL)
    faceless = tuple(
        mask_of({"hair": shapes["hair"] | shapes["face"], "clothes": shapes["clothes"]}) for shapes in (was, then)
    )
    assert whole_head(photo, alignment, (crop, crop_of(moved, alignment)), (faceless[0], faceless[1])) is None
