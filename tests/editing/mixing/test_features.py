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
