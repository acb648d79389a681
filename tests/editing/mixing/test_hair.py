import numpy as np

from stylegan_latents.editing.mixing.collage import SIDE
from stylegan_latents.editing.mixing.hair import lay_hair
from tests.editing.mixing.drawn_portrait import COLOURS, drawn_portrait


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
