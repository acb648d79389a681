"""A face that was joined to its head is laid over the photo, of which everything else stays."""

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.invert.paste_back.joined_face import JoinedFace
from stylegan_latents.invert.paste_back.paste import paste_back
from stylegan_latents.invert.photos.crop import Alignment, crop_of
from tests.invert.paste_back.test_whole_head import COLOURS, LOW, SIDE, SIZE, TURN, WALL, levels, mask_of, scene

LOW_EDGE, HIGH_EDGE = LOW - 0.5, LOW + SIDE - 0.5
CORNERS = np.array([[LOW_EDGE, LOW_EDGE], [LOW_EDGE, HIGH_EDGE], [HIGH_EDGE, HIGH_EDGE], [HIGH_EDGE, LOW_EDGE]])


def _turned(photo: Image.Image, shaded: np.ndarray | None = None) -> tuple[np.ndarray, list[str]]:
    """The photo of a head before a wall with its face turned, and what was said of the seam.

    Args:
        photo: the head as it was.
        shaded: what the turn makes darker.
    """
    alignment = Alignment(CORNERS, (SIZE, SIZE), SIDE, "ffhq")
    plain = np.full((SIZE, SIZE), 195.0)
    # A generator holds the face in the middle and blurs the wall.
    (before, was), (edited, then), (joined, there) = (
        scene(*move, plain) for move in ((0, 0), (-TURN, 0), (0, TURN))
    )
    if shaded is not None:
        joined = Image.fromarray((levels(joined) - 60 * shaded[:, :, None]).clip(0, 255).astype(np.uint8))
    y, x = np.mgrid[LOW : LOW + SIDE, LOW : LOW + SIDE]
    share = (np.hypot((x - 266) / 80, (y - 265) / (95 if shaded is None else 115)) < 1).astype(np.float32)
    face = JoinedFace(
        crop_of(edited, alignment),
        mask_of(then),
        (TURN / SIDE, 0.0),
        share,
        there["face"][LOW : LOW + SIDE, LOW - TURN : LOW - TURN + SIDE].astype(np.float32),
    )
    seams: list[str] = []
    pasted = paste_back(
        photo, crop_of(joined, alignment), alignment, reference=crop_of(before, alignment),
        people=(mask_of(was), mask_of(there)), face=face, on_visible_seam=lambda: seams.append("seen"),
    )  # fmt: skip
    return levels(pasted), seams


def test_the_face_turns_and_hair_neck_clothes_and_wall_stay_the_photos() -> None:
    photo = scene(0, 0, WALL)[0]
    pasted, seams = _turned(photo)
    wanted = levels(scene(0, TURN, WALL)[0])
    inner = (slice(200, 330), slice(190, 330))
    assert np.abs(pasted - wanted)[inner].mean() < 0.1 * np.abs(levels(photo) - wanted)[inner].mean()
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    beside = np.hypot((x - 266) / 86, (y - 265) / 100) > 1
    assert np.array_equal(pasted[beside], levels(photo)[beside])
    assert not seams


def test_freckles_do_not_stay_where_the_face_was() -> None:
    photo = scene(0, 0, WALL)[0]
    spots = np.zeros((SIZE, SIZE), bool)
    spots[270:310:8, 240:272:8] = spots[271:310:8, 240:272:8] = True
    freckled = levels(photo)
    freckled[spots] -= 60
    pasted, _ = _turned(Image.fromarray(freckled.astype(np.uint8)))
    assert np.abs(pasted - levels(scene(0, TURN, WALL)[0]))[spots].mean() < 6


def test_what_hides_the_face_in_the_photo_does_not_go_along() -> None:
    """Such as hair over a cheek, which the generator did not draw: elsewhere it would be a spot."""
    photo = levels(scene(0, 0, WALL)[0])
    photo[270:310, 222:242] = COLOURS["hair"]
    pasted, _ = _turned(Image.fromarray(photo.astype(np.uint8)))
    wanted = levels(scene(0, TURN, WALL)[0])
    assert np.abs(pasted - wanted)[275:305, 243:250].mean() < 6


def test_the_shadow_that_a_turned_head_throws_on_the_neck_comes_with_it() -> None:
    shaded = np.zeros((SIZE, SIZE), bool)
    shaded[358:372, 245:285] = True
    photo = scene(0, 0, WALL)[0]
    pasted, _ = _turned(photo, shaded)
    assert np.median((levels(photo) - pasted)[361:369, 252:278]) > 50


@pytest.mark.parametrize(("top", "told"), [(LOW + 150, True), (LOW + 20, False)])
def test_an_edit_that_the_crop_cuts_is_told(top: int, told: bool) -> None:
    """Such as a beard that goes on below the crop, of which only the upper part is shaved."""
    alignment = Alignment(CORNERS, (SIZE, SIZE), SIDE, "ffhq")
    face = np.zeros((SIZE, SIZE), bool)
    face[LOW + 20 :, 200:312] = True
    photo = np.full((SIZE, SIZE, 3), 195, np.uint8)
    photo[face] = 120
    shaved = photo.copy()
    shaved[top : top + 110, 200:312] += 70
    person = mask_of({"face": face})
    seams: list[str] = []
    paste_back(
        Image.fromarray(photo), crop_of(Image.fromarray(shaved), alignment), alignment,
        reference=crop_of(Image.fromarray(photo), alignment), people=(person, person),
        face=JoinedFace(
            crop_of(Image.fromarray(shaved), alignment), person, (0.0, 0.0), person.of("face"), person.of("face")
        ),
        on_visible_seam=lambda: seams.append("seen"),
    )  # fmt: skip
    assert bool(seams) == told
