import numpy as np
from PIL import Image

from stylegan_latents.editing.drag.handles import marked

BLUE, RED = (40, 90, 230), (220, 40, 40)


def test_points_are_red_and_targets_blue_where_they_are_in_the_larger_picture() -> None:
    grey = Image.new("RGB", (600, 600), (128, 128, 128))
    drawn = marked(grey, [(160.0, 320.0), (800.0, 800.0)], [(480.0, 320.0)], side=1200)
    assert drawn.getpixel((80, 160)) == RED
    assert drawn.getpixel((240, 160)) == BLUE
    assert drawn.getpixel((160, 160)) == (255, 255, 255)  # the line from one to the other
    assert drawn.getpixel((400, 400)) == RED  # its target is still to come
    assert np.all(np.asarray(grey) == 128)
