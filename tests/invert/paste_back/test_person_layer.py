"""A head that the crop cuts through moves outside the crop, too, and the background behind it is filled."""

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter

from stylegan_latents.invert.paste_back.paste import paste_back
from stylegan_latents.invert.photos.crop import Alignment, crop_of
from stylegan_latents.invert.photos.person_mask import CLASSES, PersonMask

SIZE, SIDE, MOVE = 512, 256, 12
LEFT = TOP = 128


def scene(shift: int, wall: np.ndarray) -> tuple[Image.Image, np.ndarray]:
    """A textured head, higher than the crop, on a wall; and the head's mask."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    x = x - shift
    head = ((x - 256) / 80) ** 2 + ((y - 250) / 160) ** 2 < 1
    body = (y > 370) & (np.abs(x + shift - 256) < 60)
    grain = gaussian_filter(np.random.default_rng(1).normal(0, 1, (SIZE, SIZE)), 2)
    hair = 70 + 150 * np.roll(grain, shift, axis=1)
    level = np.where(head | body, hair, wall).clip(0, 255).astype(np.uint8)
    return Image.fromarray(np.repeat(level[:, :, None], 3, axis=2)), head | body


def mask_of(shape: np.ndarray) -> PersonMask:
    inner = shape[TOP : TOP + SIDE, LEFT : LEFT + SIDE].astype(np.float32)
    shares = np.zeros((len(CLASSES), SIDE, SIDE), np.float32)
    shares[0], shares[1] = 1 - inner, inner
    return PersonMask(shares)


def levels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)[:, :, 0]


@pytest.fixture(scope="module")
def alignment() -> Alignment:
    low, high = LEFT - 0.5, LEFT + SIDE - 0.5
    return Alignment(np.array([[low, low], [low, high], [high, high], [high, low]]), (SIZE, SIZE), SIDE, "ffhq")


PLAIN = np.full((SIZE, SIZE), 200.0)
CHECKED = np.where((np.indices((SIZE, SIZE)) // 16).sum(axis=0) % 2 == 0, 180.0, 225.0)


@pytest.mark.parametrize("wall", [PLAIN, pytest.param(CHECKED, marks=pytest.mark.slow)], ids=["plain", "checked"])
def test_what_lies_outside_the_crop_moves_with_the_edit(alignment: Alignment, wall: np.ndarray) -> None:
    (photo, was), (wanted, then) = scene(0, wall), scene(MOVE, wall)
    before, after = crop_of(photo, alignment), crop_of(wanted, alignment)
    people = (mask_of(was), mask_of(then))
    pasted = levels(paste_back(photo, after, alignment, reference=before, people=people))
    alone = levels(paste_back(photo, after, alignment, reference=before))
    above = slice(100, TOP - 2)  # the crown, cut off by the crop
    goal = levels(wanted)
    error, today = (np.abs(one - goal)[above, 150:362] for one in (pasted, alone))
    assert error.mean() < 0.5 * today.mean()
    # The crown has no step where it leaves the crop.
    edges = [int(np.flatnonzero(pasted[row, 150:362] < 140)[0]) for row in range(TOP - 10, TOP + 12)]
    assert np.abs(np.diff(edges)).max() <= 4
    # Where the head was, there is wall.
    freed = was & ~then
    freed[:, :LEFT] = freed[340:] = False
    assert (pasted[freed] > 150).mean() > 0.85


@pytest.mark.slow
def test_the_background_stays_the_photos(alignment: Alignment) -> None:
    (photo, was), (_, then) = scene(0, CHECKED), scene(MOVE, CHECKED)
    # The generator's background is a blur of the photo's.
    blurred = scene(0, np.full((SIZE, SIZE), 202.0))[0], scene(MOVE, np.full((SIZE, SIZE), 202.0))[0]
    before, after = (crop_of(one, alignment) for one in blurred)
    pasted = levels(paste_back(photo, after, alignment, reference=before, people=(mask_of(was), mask_of(then))))
    away = ~np.asarray(Image.fromarray(was | then).filter(ImageFilter.MaxFilter(25)))
    change = np.abs(pasted - levels(photo))[away]
    assert np.median(change) == 0
    assert np.percentile(change, 95) < 8


@pytest.mark.slow
def test_without_a_change_the_photo_stays(alignment: Alignment) -> None:
    photo, was = scene(0, CHECKED)
    crop = crop_of(photo, alignment)
    pasted = paste_back(photo, crop, alignment, reference=crop, people=(mask_of(was), mask_of(was)))
    assert np.array_equal(levels(pasted), levels(photo))


@pytest.mark.slow
def test_what_the_generator_lacks_stays_where_the_edit_changes_less(alignment: Alignment) -> None:
    photo, head = scene(0, PLAIN)
    people = (mask_of(head), mask_of(head))
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    earring, cheek = np.hypot(x - 290, y - 250) < 7, np.hypot(x - 290, y - 250) < 25
    before = crop_of(photo, alignment)
    darker = Image.fromarray(np.where(cheek[:, :, None], np.asarray(photo) // 4, np.asarray(photo)))
    worn = Image.fromarray(np.where(earring[:, :, None], np.uint8(255), np.asarray(photo)))
    pasted = levels(paste_back(worn, crop_of(darker, alignment), alignment, reference=before, people=people))
    inner = np.hypot(x - 290, y - 250) < 4
    ring = cheek & (np.hypot(x - 290, y - 250) > 14)
    assert pasted[inner].mean() > pasted[ring].mean() + 120
    assert pasted[ring].mean() < levels(worn)[ring].mean() - 20


@pytest.mark.slow
def test_a_seam_through_the_person_is_told(alignment: Alignment) -> None:
    photo, head = scene(0, PLAIN)
    before, people = crop_of(photo, alignment), (mask_of(head), mask_of(head))
    told: list[bool] = []

    def paste(after: Image.Image) -> None:
        paste_back(
            photo, after, alignment, reference=before, people=people, on_visible_seam=lambda: told.append(True)
        )

    paste(before)
    assert not told
    # The hair turns white up to the crop's edge.
    paste(before.point(lambda level: 255 - level // 4))
    assert told


@pytest.mark.slow
def test_a_hole_in_the_hair_is_told(alignment: Alignment) -> None:
    photo, head = scene(0, PLAIN)
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    hole = np.hypot(x - 256, y - 240) < 35
    after = Image.fromarray(np.where(hole[:, :, None], np.uint8(200), np.asarray(photo)))
    told: list[bool] = []
    paste_back(
        photo, crop_of(after, alignment), alignment, reference=crop_of(photo, alignment),
        people=(mask_of(head), mask_of(head & ~hole)), on_visible_seam=lambda: told.append(True),
    )  # fmt: skip
    assert told


@pytest.mark.slow
@pytest.mark.parametrize(("wall", "guessed"), [(PLAIN, False), (CHECKED, True)], ids=["plain", "checked"])
def test_a_guessed_pattern_is_told(alignment: Alignment, wall: np.ndarray, guessed: bool) -> None:
    (photo, was), (wanted, then) = scene(0, wall), scene(MOVE, wall)
    told: list[bool] = []
    paste_back(
        photo, crop_of(wanted, alignment), alignment, reference=crop_of(photo, alignment),
        people=(mask_of(was), mask_of(then)), on_guessed_background=lambda: told.append(True),
    )  # fmt: skip
    assert bool(told) == guessed
