import numpy as np
from PIL import Image

from stylegan_latents.editing.mixing.collage import SIDE, in_colours_of
from tests.editing.mixing.drawn_portrait import COLUMNS


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
