import numpy as np
import pytest

from stylegan_latents.editing.mixing.features import lay_feature
from tests.editing.mixing.drawn_portrait import LANDMARKS, drawn_portrait


@pytest.mark.parametrize("name", ["eyes", "nose", "mouth"])
def test_a_feature_takes_the_receivers_skin(name: str) -> None:
    mine, theirs = drawn_portrait(20, (20, 20, 20)), drawn_portrait(20, (20, 20, 20), skin=(120, 80, 60))
    collage, changed, *_ = lay_feature(mine.picture, mine, theirs, name)
    difference = np.abs(np.asarray(collage).astype(float) - mine.pixels).mean(axis=2)
    assert difference[(changed > 0.5) & (mine.pixels[:, :, 0] > 200)].mean() < 12
    assert difference[changed == 0].max() < 1
    assert 0.002 < (changed > 0.5).mean() < 0.1


def test_dark_lashes_stay_dark_on_lighter_skin() -> None:
    mine, theirs = drawn_portrait(20, (20, 20, 20)), drawn_portrait(20, (20, 20, 20), skin=(120, 80, 60))
    x, y = np.rint([LANDMARKS.left_eye[:, 0].mean(), LANDMARKS.left_eye[:, 1].min() - 8]).astype(int)
    theirs.pixels[y - 3 : y + 4, x - 12 : x + 13] = (20, 14, 10)
    collage, changed, *_ = lay_feature(mine.picture, mine, theirs, "eyes")
    assert changed[y, x] > 0.9
    assert np.asarray(collage)[y, x].max() < 70


def test_grey_sheen_on_dark_lids_is_not_blue_on_pale_skin() -> None:
    mine, theirs = drawn_portrait(20, (20, 20, 20)), drawn_portrait(20, (20, 20, 20), skin=(80, 50, 36))
    x, y = np.rint([LANDMARKS.left_eye[:, 0].mean(), LANDMARKS.left_eye[:, 1].min() - 8]).astype(int)
    theirs.pixels[y - 3 : y + 4, x - 12 : x + 13] = (92, 88, 90)
    red, _, blue = np.asarray(lay_feature(mine.picture, mine, theirs, "eyes")[0])[y, x].astype(int)
    assert red - blue > 30
    assert red < 245


def test_brows_stay_the_receivers() -> None:
    mine, theirs = drawn_portrait(20, (20, 20, 20)), drawn_portrait(20, (20, 20, 20))
    _, changed, *_ = lay_feature(mine.picture, mine, theirs, "eyes")
    for brow in (LANDMARKS.left_brow, LANDMARKS.right_brow):
        x, y = np.rint(brow[2]).astype(int)
        assert changed[y, x] < 0.2


def test_whites_of_eyes_are_the_receivers_and_irises_the_donors() -> None:
    mine, theirs = drawn_portrait(20, (20, 20, 20)), drawn_portrait(20, (20, 20, 20))
    eye = LANDMARKS.left_eye
    x, y = np.rint(eye.mean(0)).astype(int)
    for one, white, iris in ((mine, (210, 210, 210), (80, 50, 30)), (theirs, (230, 220, 150), (40, 90, 120))):
        one.pixels[y - 4 : y + 5, round(eye[:, 0].min()) : round(eye[:, 0].max()) + 1] = white
        one.pixels[y - 4 : y + 5, x - 4 : x + 5] = iris
    pixels = np.asarray(lay_feature(mine.picture, mine, theirs, "eyes")[0]).astype(int)
    assert np.ptp(pixels[y, x - 8]) < 25
    assert pixels[y, x, 2] - pixels[y, x, 0] > 50
