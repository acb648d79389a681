"""A portrait with its landmarks and masks, and what a part that is laid over it leaves to a search."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.person_mask import CLASSES

Array = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

SIDE = 512
"""The side of a collage in pixels."""

BAND = 15
"""The width of a seam in pixels."""

_DETAIL = 2.0  # standard deviation of finer details than colours, in pixels


Laid = tuple[Image.Image, Array, Array, Array]
"""A collage, where it changed, where its seams are, and where its colours have to stay, as a search may not draw
them: 0 to 1, ``[side, side]``.
"""


@dataclass(frozen=True, eq=False)
class Portrait:
    """A picture of ``SIDE`` pixels, its landmarks in pixels, and the share of each of ``CLASSES`` in it."""

    pixels: Array
    landmarks: Landmarks
    shares: Array

    @property
    def picture(self) -> Image.Image:
        return picture_of(self.pixels)

    def of(self, name: str) -> Array:
        """The share of one of ``CLASSES``, ``[SIDE, SIDE]``."""
        return np.asarray(self.shares[CLASSES.index(name)])

    def warped(self, matrix: Array, landmarks: Landmarks) -> "Portrait":
        """Moved by an affine map ``[2, 3]`` of pixels; above its upper edge is background."""
        shares = np.stack([_warp(one, matrix) for one in self.shares])
        above = above_edge(matrix)
        shares *= 1 - above
        shares[CLASSES.index("background")] += above
        return Portrait(_warp(self.pixels, matrix), landmarks, shares)


def above_edge(matrix: Array) -> Array:
    """What lies above a picture's upper edge after an affine map ``[2, 3]``, 0 or 1, ``[SIDE, SIDE]``."""
    import cv2

    back = cv2.invertAffineTransform(matrix)
    columns, rows = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    return np.asarray(back[1, 0] * columns + back[1, 1] * rows + back[1, 2] < 0, dtype=np.float32)


def in_colours_of(drawn: Image.Image, collage: Image.Image, where: Array) -> Image.Image:
    """A drawn picture with a collage's colours, but its own details.

    Args:
        drawn: of any size.
        collage: of ``SIDE`` pixels.
        where: 0 to 1, ``[SIDE, SIDE]``.
    """
    import cv2

    small = np.asarray(drawn.convert("RGB").resize(collage.size, Image.Resampling.BOX), dtype=np.float32)
    weighted = where[:, :, None] * (np.asarray(collage.convert("RGB"), dtype=np.float32) - small)
    weight = cv2.GaussianBlur(where, (0, 0), _DETAIL)[:, :, None] + np.float32(1e-3)
    shift = where[:, :, None] * cv2.GaussianBlur(weighted, (0, 0), _DETAIL) / weight
    # Half of the lightness, as pupils and whites that the search has moved would turn grey.
    shift -= shift.mean(axis=2, keepdims=True) / 2
    return picture_of(np.asarray(drawn.convert("RGB"), dtype=np.float32) + cv2.resize(shift, drawn.size))


def blurred(mask: npt.NDArray[np.bool_], sigma: float) -> Array:
    """A mask with a soft edge, 0 to 1."""
    import cv2

    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma), dtype=np.float32)


def picture_of(pixels: Array) -> Image.Image:
    """Pixels, 0 to 255, as a picture."""
    return Image.fromarray(np.rint(pixels).clip(0, 255).astype(np.uint8))


def _warp(values: Array, matrix: Array) -> Array:
    import cv2

    size = (values.shape[1], values.shape[0])
    warped = cv2.warpAffine(values, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.float32)
