import numpy as np
import torch
from PIL import Image

from stylegan_latents.editing.drag.handles import marked, with_ways

BLUE, RED = (40, 90, 230), (220, 40, 40)


def test_points_are_red_and_targets_blue_where_they_are_in_the_larger_picture() -> None:
    grey = Image.new("RGB", (600, 600), (128, 128, 128))
    drawn = marked(grey, [(160.0, 320.0), (800.0, 800.0)], [(480.0, 320.0)], side=1200)
    assert drawn.getpixel((80, 160)) == RED
    assert drawn.getpixel((240, 160)) == BLUE
    assert drawn.getpixel((160, 160)) == (255, 255, 255)  # the line from one to the other
    assert drawn.getpixel((400, 400)) == RED  # its target is still to come
    assert np.all(np.asarray(grey) == 128)


def test_a_mask_gives_room_to_the_ways_of_the_points_in_it() -> None:
    mask = torch.zeros(100, 100)
    mask[:50] = 1
    down, outside = [[0.5, 0.45], [0.5, 0.65]], [[0.2, 0.8], [0.2, 0.9]]
    grown = with_ways(mask, torch.tensor([down, outside]))
    assert bool((grown >= mask).all())
    assert bool((grown[50:70, 50] == 1).all())
    assert not grown[85, 20]  # a point that starts outside of the mask is held back by it
    assert not grown[90, 50]
    assert not mask[60, 50]
