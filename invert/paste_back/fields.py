"""Smooth fields over a crop, at the resolution at which pasting back is computed."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylegan_latents.invert.photos.person_mask import Mask

Array = npt.NDArray[np.float32]

SIDE = 256
"""The side of the crops on which colour correction, change and cuts are computed."""


def small(crop: Image.Image) -> Array:
    """A square picture resized to float32 ``[SIDE, SIDE, 3]``, 0 to 255."""
    return np.asarray(crop.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32)


def coordinates() -> Array:
    """The centres of ``SIDE`` pixels along one axis, from 0 to 1."""
    return (np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(SIDE)


def blur(field: Array | Mask, sigma: float) -> Array:
    """Gaussian blur with mirrored edges; ``sigma`` is a fraction of ``SIDE``, whatever the field's size."""
    import cv2

    levels = np.asarray(field, np.float32)
    blurred = cv2.GaussianBlur(levels, (0, 0), sigma * SIDE, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32).reshape(levels.shape)


def dilated(plane: Array | Mask, reach: int, *, rounded: bool = False) -> Array:
    """The largest value within some pixels of each place, in a square or an ellipse."""
    import cv2

    shape = cv2.MORPH_ELLIPSE if rounded else cv2.MORPH_RECT
    kernel = cv2.getStructuringElement(shape, (2 * reach + 1,) * 2)
    return np.asarray(cv2.dilate(np.asarray(plane, np.float32), kernel), np.float32)


def eroded(plane: Array | Mask, reach: int) -> Array:
    """The least value within some pixels of each place, in a square."""
    import cv2

    return np.asarray(cv2.erode(np.asarray(plane, np.float32), np.ones((2 * reach + 1,) * 2, np.uint8)), np.float32)


def smoothstep(values: Array) -> Array:
    """The cubic smoothstep: 0 up to 0, 1 from 1 on."""
    values = np.clip(values, 0, 1)
    return np.asarray(values * values * (3 - 2 * values), dtype=np.float32)


def moved(plane: Array, right: int, down: int) -> Array:
    """A plane ``[height, width, ...]`` moved by whole pixels; its edges are repeated."""
    rows, columns = (
        (np.arange(side) - step).clip(0, side - 1)
        for side, step in zip(plane.shape[:2], (down, right), strict=True)
    )
    return np.asarray(plane[rows][:, columns])
