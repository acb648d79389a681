"""A drawn portrait for tests of collages."""

import numpy as np

from stylegan_latents.editing.discovery.scorers.head_pose import HEAD
from stylegan_latents.editing.mixing.collage import SIDE, Portrait
from stylegan_latents.invert.photos.person_mask import CLASSES

COLOURS = {"background": (90, 160, 220), "face": (220, 170, 150), "neck": (220, 170, 150), "clothes": (30, 60, 30)}
LANDMARKS = HEAD.mapped(lambda points: 1.3 * points[..., :2] + (SIDE / 2, 230))
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]


def drawn_portrait(
    hair: int, colour: tuple[int, int, int], skin: tuple[int, int, int] = COLOURS["face"]
) -> Portrait:
    """A round face; hair reaches ``hair`` pixels beyond it, above the eyes."""
    distance = np.hypot(COLUMNS - SIDE / 2, ROWS - 270)
    classes = np.zeros((SIDE, SIDE), int)
    classes[(distance < 120 + hair) & (ROWS < 230)] = CLASSES.index("hair")
    classes[distance < 120] = CLASSES.index("face")
    palette = COLOURS | {"hair": colour, "face": skin}
    pixels = np.array([palette[name] for name in CLASSES], np.float32)[classes]
    return Portrait(pixels, LANDMARKS, np.eye(len(CLASSES), dtype=np.float32)[classes].transpose(2, 0, 1))
