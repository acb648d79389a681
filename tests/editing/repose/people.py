"""A figure of rectangles as DensePose would map it, and a lookup map of body parts in a grid; of whole numbers."""

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FOLDER = Path(__file__).parents[2] / "data" / "pose_with_style"
_GRID, _WIDTH, _HEIGHT = 5, 172, 256
_LIMBS = (
    # part, left, top, width and height, in 64ths of the picture's height
    (2, 16, 16, 12, 20), (1, 18, 20, 8, 9), (23, 17, 4, 5, 10), (24, 22, 4, 5, 10), (15, 12, 17, 4, 9),
    (18, 28, 17, 4, 9), (19, 11, 26, 4, 8), (22, 29, 26, 4, 8), (4, 11, 34, 3, 3), (3, 30, 34, 3, 3),
    (9, 16, 36, 6, 12), (10, 22, 36, 6, 12), (13, 16, 48, 5, 10), (14, 23, 48, 5, 10), (5, 16, 58, 5, 3),
)  # fmt: skip
"""Without the right foot, which the left one's mirror image completes."""


def figure(width: int, height: int, lean: int = 0) -> NDArray[np.uint8]:
    """IUV ``[height, width, 3]`` of one person.

    Args:
        width, height: in pixels.
        lean: 64ths of the height by which the head is right of the feet.
    """
    iuv = np.zeros((height, width, 3), np.uint8)
    y, x = np.mgrid[:height, :width]
    shifted = 64 * x - lean * (height - 1 - y)
    for part, left, top, wide, high in _LIMBS:
        across, down = shifted - left * height, 64 * y - top * height
        inside = (across >= 0) & (across < wide * height) & (down >= 0) & (down < high * height)
        iuv[inside, 0] = part
        iuv[inside, 1] = (across[inside] * 255) // (wide * height)
        iuv[inside, 2] = (down[inside] * 255) // (high * height)
    return iuv


def silhouette(width: int, height: int) -> NDArray[np.uint8]:
    """A skirt, 0 or 255."""
    mask = np.zeros((height, width), np.uint8)
    mask[35 * height // 64 : 52 * height // 64, 13 * height // 64 : 31 * height // 64] = 255
    return mask


def photo(width: int, height: int, phase: int = 0) -> Image.Image:
    """A picture of slanted bands."""
    y, x = np.mgrid[:height, :width]
    bands = [(x * a + y * b + 40 * phase) % 256 for a, b in ((3, 1), (1, 4), (2, -3))]
    return Image.fromarray(np.stack(bands, 2).astype(np.uint8))


def lookup() -> NDArray[np.float32]:
    """``[24, 256, 256, 2]``: the place of part, v and u in the texture, u to the right and v up."""
    part, v, u = np.mgrid[:24, :256, :256]
    places = [
        (part % _GRID + (8 + u * 240 / 255) / 256) / _GRID,
        (part // _GRID + (8 + v * 240 / 255) / 256) / _GRID,
    ]
    return np.stack(places, 3).astype(np.float32)


def save_files(folder: Path) -> None:
    """Write two persons with their maps, ``me`` and ``you``, and what draws them, ``model.pt``."""
    for name, lean in (("me", 0), ("you", 6)):
        photo(_WIDTH, _HEIGHT, lean).save(folder / f"{name}.png")
        Image.fromarray(figure(_WIDTH, _HEIGHT, lean)).save(folder / f"{name}_iuv.png")
    Image.fromarray(silhouette(_WIDTH, _HEIGHT)).save(folder / "me_sil.png")
    shutil.copyfile(FOLDER / "256.pt", folder / "model.pt")
    shutil.copyfile(FOLDER / "completion.pt", folder / "CCM_epoch50.pt")
    np.save(folder / "dp_uv_lookup_256.npy", lookup())
