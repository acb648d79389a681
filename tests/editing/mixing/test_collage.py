import numpy as np
import pytest
from PIL import Image

from stylegan_latents.editing.discovery.scorers.head_pose import HEAD
from stylegan_latents.editing.mixing.collage import SIDE, Portrait, in_colours_of, lay_feature, lay_hair
from stylegan_latents.invert.photos.person_mask import CLASSES

COLOURS = {"background": (90, 160, 220), "face": (220, 170, 150), "neck": (220, 170, 150), "clothes": (30, 60, 30)}
LANDMARKS = HEAD.mapped(lambda points: 1.3 * points[..., :2] + (SIDE / 2, 230))
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]


def _portrait(hair: int, colour: tuple[int, int, int], skin: tuple[int, int, int] = COLOURS["face"]) -> Portrait:
    """A round face; hair reaches ``hair`` pixels beyond it, above the eyes."""
    distance = np.hypot(COLUMNS - SIDE / 2, ROWS - 270)
    classes = np.zeros((SIDE, SIDE), int)
    classes[(distance < 120 + hair) & (ROWS < 230)] = CLASSES.index("hair")
    classes[distance < 120] = CLASSES.index("face")
    palette = COLOURS | {"hair": colour, "face": skin}
    pixels = np.array([palette[name] for name in CLASSES], np.float32)[classes]
    return Portrait(pixels, LANDMARKS, np.eye(len(CLASSES), dtype=np.float32)[classes].transpose(2, 0, 1))


def test_hair_comes_with_its_outline_and_colour() -> None:
    mine, theirs = _portrait(20, (20, 20, 20)), _portrait(60, (180, 60, 30))
    collage, changed, seams, colours = lay_hair(mine.picture, mine, theirs, "hair")
    pixels = np.asarray(collage).astype(int)
    assert np.abs(pixels[270 - 160, SIDE // 2] - (180, 60, 30)).max() < 12
    assert np.array_equal(pixels[300, SIDE // 2], mine.pixels[300, SIDE // 2])
    assert changed[270 - 160, SIDE // 2] > 0.9
    assert changed[300, SIDE // 2] == 0
    assert set(np.unique(seams)) == {0, 1}
    assert not colours.any()


def test_what_longer_hair_covered_is_background_again() -> None:
    mine, theirs = _portrait(60, (20, 20, 20)), _portrait(20, (180, 60, 30))
    pixels = np.asarray(lay_hair(mine.picture, mine, theirs, "hair")[0]).astype(int)
    assert np.abs(pixels[270 - 165, SIDE // 2] - COLOURS["background"]).max() < 25


@pytest.mark.parametrize("name", ["eyes", "nose", "mouth"])
def test_a_feature_takes_the_receivers_skin(name: str) -> None:
    mine, theirs = _portrait(20, (20, 20, 20)), _portrait(20, (20, 20, 20), skin=(120, 80, 60))
    collage, changed, *_ = lay_feature(mine.picture, mine, theirs, name)
    difference = np.abs(np.asarray(collage).astype(float) - mine.pixels).mean(axis=2)
    assert difference[(changed > 0.5) & (mine.pixels[:, :, 0] > 200)].mean() < 12
    assert difference[changed == 0].max() < 1
    assert 0.002 < (changed > 0.5).mean() < 0.1


def test_dark_lashes_stay_dark_on_lighter_skin() -> None:
    mine, theirs = _portrait(20, (20, 20, 20)), _portrait(20, (20, 20, 20), skin=(120, 80, 60))
    x, y = np.rint([LANDMARKS.left_eye[:, 0].mean(), LANDMARKS.left_eye[:, 1].min() - 8]).astype(int)
    theirs.pixels[y - 3 : y + 4, x - 12 : x + 13] = (20, 14, 10)
    collage, changed, *_ = lay_feature(mine.picture, mine, theirs, "eyes")
    assert changed[y, x] > 0.9
    assert np.asarray(collage)[y, x].max() < 70


def test_grey_sheen_on_dark_lids_is_not_blue_on_pale_skin() -> None:
    mine, theirs = _portrait(20, (20, 20, 20)), _portrait(20, (20, 20, 20), skin=(80, 50, 36))
    x, y = np.rint([LANDMARKS.left_eye[:, 0].mean(), LANDMARKS.left_eye[:, 1].min() - 8]).astype(int)
    theirs.pixels[y - 3 : y + 4, x - 12 : x + 13] = (92, 88, 90)
    red, _, blue = np.asarray(lay_feature(mine.picture, mine, theirs, "eyes")[0])[y, x].astype(int)
    assert red - blue > 30
    assert red < 245


def test_brows_stay_the_receivers() -> None:
    mine, theirs = _portrait(20, (20, 20, 20)), _portrait(20, (20, 20, 20))
    _, changed, *_ = lay_feature(mine.picture, mine, theirs, "eyes")
    for brow in (LANDMARKS.left_brow, LANDMARKS.right_brow):
        x, y = np.rint(brow[2]).astype(int)
        assert changed[y, x] < 0.2


def test_a_drawn_picture_takes_colours_where_they_have_to_stay_and_keeps_its_details() -> None:
    stripes = 40 * (COLUMNS[:, :, None] % 2) + np.array((80, 70, 60))
    drawn = Image.fromarray(stripes.astype(np.uint8))
    collage = Image.new("RGB", (SIDE, SIDE), (70, 100, 130))
    where = np.zeros((SIDE, SIDE), np.float32)
    where[200:240, 200:240] = 1
    pixels = np.asarray(in_colours_of(drawn, collage, where)).astype(int)
    # All of the hue, and half of the lightness, which is that of (100, 90, 80) before.
    assert np.abs(pixels[210:230, 210:230].mean((0, 1)) - (65, 95, 125)).max() < 3
    assert np.ptp(pixels[220, 210:230, 0]) > 30
    assert np.array_equal(pixels[100], stripes[100])
