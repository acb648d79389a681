"""Masks of photos: which part is not to be compared, and is filled in by the generator."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.crop import Alignment, crop_of
from stylegan_latents.invert.photos.files import read_photo

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor


def read_mask(path: Path, photo: "Image.Image", name: str) -> "Image.Image":
    """A mask for a photo: white where it is ignored, black where it counts, grey in between.

    Args:
        path: the mask's file, of the photo's size.
        photo: upright.
        name: of the photo, for messages.

    Raises:
        InputError: the file cannot be read, has another size than the photo, or is white all over.
    """
    mask = read_photo(path).convert("L")
    if mask.size != photo.size:
        raise InputError(
            f"The mask {path} is {mask.width}x{mask.height} pixels and {name} {photo.width}x{photo.height}; "
            "give a mask of the photo's size."
        )
    if mask.getextrema()[0] == 255:
        raise InputError(f"The mask {path} is white all over; leave something black, where the photo counts.")
    return mask


def compared(mask: "Image.Image", alignment: Alignment) -> "Tensor":
    """How far each pixel of the photo's crop counts: float32 ``[1, 1, size, size]``, from 0, ignored, to 1."""
    import torch

    crop = np.asarray(crop_of(mask.convert("RGB"), alignment).convert("L"), dtype=np.float32)
    return torch.from_numpy(1 - crop / 255)[None, None]
