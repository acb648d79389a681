import numpy as np

from stylegan_latents.editing.mixing.collage import SIDE
from stylegan_latents.editing.mixing.hair import lay_hair
from stylegan_latents.invert.photos.person_mask import CLASSES
from tests.editing.mixing.drawn_portrait import COLOURS, LANDMARKS, drawn_portrait


def test_hair_comes_with_its_outline_and_colour() -> None:
    mine, theirs = drawn_portrait(20, (20, 20, 20)), drawn_portrait(60, (180, 60, 30))
    collage, changed, seams, colours = lay_hair(mine.picture, mine, theirs, "hair")
    pixels = np.asarray(collage).astype(int)
    assert np.abs(pixels[270 - 160, SIDE // 2] - (180, 60, 30)).max() < 12
    assert np.array_equal(pixels[300, SIDE // 2], mine.pixels[300, SIDE // 2])
    assert changed[270 - 160, SIDE // 2] > 0.9
    assert changed[300, SIDE // 2] == 0
    assert set(np.unique(seams)) == {0, 1}
    assert not colours.any()


def test_what_longer_hair_covered_is_background_again() -> None:
    mine, theirs = drawn_portrait(60, (20, 20, 20)), drawn_portrait(20, (180, 60, 30))
    pixels = np.asarray(lay_hair(mine.picture, mine, theirs, "hair")[0]).astype(int)
    assert np.abs(pixels[270 - 165, SIDE // 2] - COLOURS["background"]).max() < 25


def test_loose_strands_before_a_plain_background_go_with_the_hair() -> None:
    mine, theirs = drawn_portrait(40, (20, 20, 20)), drawn_portrait(20, (180, 60, 30))
    strand = np.s_[60:140, 80:84]
    mine.pixels[strand] = (40, 60, 80)
    pixels = np.asarray(lay_hair(mine.picture, mine, theirs, "hair")[0]).astype(int)
    assert np.abs(pixels[strand] - COLOURS["background"]).max() < 25
    # Before a rough wall they cannot be told.
    wall = np.random.default_rng(0).uniform(-40, 40, (SIDE, SIDE, 1)) * mine.of("background")[:, :, None]
    mine.pixels[:] += wall
    pixels = np.asarray(lay_hair(mine.picture, mine, theirs, "hair")[0]).astype(int)
    assert np.abs(pixels[strand] - mine.pixels[strand]).max() < 2


def test_a_beard_stays_behind() -> None:
    mine, theirs = drawn_portrait(20, (20, 20, 20)), drawn_portrait(60, (180, 60, 30))
    left, right = LANDMARKS.outline[[5, -6]]
    beard = np.s_[round(left[1]) : round(LANDMARKS.outline[8, 1]) - 8, round(left[0]) + 8 : round(right[0]) - 8]
    theirs.shares[(slice(None), *beard)] = np.eye(len(CLASSES))[CLASSES.index("hair")][:, None, None]
    collage = np.asarray(lay_hair(mine.picture, mine, theirs, "hair")[0])
    assert np.array_equal(collage[beard], mine.pixels[beard])


def test_above_a_donors_picture_is_background() -> None:
    theirs = drawn_portrait(160, (180, 60, 30))
    moved = theirs.warped(np.array([[1, 0, 0], [0, 1, 60]], np.float32), LANDMARKS)
    assert moved.of("background")[:60].min() == 1
    assert moved.of("hair")[:60].max() == 0
    assert np.allclose(moved.shares.sum(0), 1)


def test_ends_of_a_fringe_go_with_it() -> None:
    mine, theirs = drawn_portrait(20, (20, 20, 20)), drawn_portrait(20, (180, 60, 30))
    brow = round(LANDMARKS.brows[:, 1].min())
    forehead = np.s_[brow - 40 : brow - 20, SIDE // 2 - 60 : SIDE // 2 + 60]
    mine.shares[(slice(None), *forehead)] = np.eye(len(CLASSES))[CLASSES.index("hair")][:, None, None]
    end = np.s_[brow - 20 : brow - 10, SIDE // 2 - 1 : SIDE // 2 + 2]
    for there in (forehead, end):
        mine.pixels[there] = (20, 20, 20)
    # What hangs together with hair is the hair of both.
    mine.shares[(slice(None), *np.s_[140 : brow - 20, SIDE // 2 - 4 : SIDE // 2 + 4])] = np.eye(len(CLASSES))[
        CLASSES.index("hair")
    ][:, None, None]
    collage = np.asarray(lay_hair(mine.picture, mine, theirs, "hair")[0]).astype(int)
    assert np.abs(collage[end] - COLOURS["face"]).max() < 40
