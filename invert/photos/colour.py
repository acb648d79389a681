"""Conversion of any colour mode and depth to 8-bit sRGB."""

import io
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageCms

if TYPE_CHECKING:
    import numpy as np

Colour = tuple[int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
_STRIP_PIXELS = 1 << 20
_MODE_OF_COLOUR_SPACE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def to_srgb(image: Image.Image, file_format: str, background: Colour = WHITE) -> Image.Image:
    """Convert a picture to RGB, 8 bits per channel, sRGB, without transparency or metadata.

    A broken ICC profile, or one of another colour space than the pixels, is ignored and the pixels are taken for
    sRGB, as viewers do.

    Args:
        image: of any mode.
        file_format: Pillow's name of the file's format (a 32-bit integer mode means 16 bits in a PNG).
        background: colour behind transparent parts.
    """
    given, profile = image, image.info.get("icc_profile")
    alpha: Image.Image | None = None
    if image.mode == "F" or image.mode.startswith("I"):
        image = to_8_bits(image, file_format)
    elif image.has_transparency_data:
        grey = image.mode in ("L", "LA", "La")
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        # A grey profile needs one of the three equal channels.
        image = image.getchannel("R") if grey else image.convert("RGB")
    elif image.mode in ("1", "P"):
        image = image.convert("RGB")
    if profile:
        image = _apply_profile(image, profile)
    if image.mode != "RGB":
        image = image.convert("RGB")
    if alpha is not None:
        behind = Image.new("RGB", image.size, background)
        behind.paste(image, mask=alpha)
        image = behind
    plain = image if image is not given else image.copy()  # a copy of the largest photo takes 0.6 GB
    plain.info.clear()
    return plain


def to_8_bits(image: Image.Image, file_format: str) -> Image.Image:
    """Scale 16-bit, 32-bit and floating-point grey to 8 bits, in strips to save memory; Pillow would clip.

    Args:
        image: of a mode ``I``, ``I;16`` and the like, or ``F``.
        file_format: see ``to_srgb``.
    """
    import numpy as np

    rows = max(1, _STRIP_PIXELS // image.width)
    boxes = [(0, top, image.width, min(top + rows, image.height)) for top in range(0, image.height, rows)]

    def values(box: tuple[int, int, int, int]) -> "np.ndarray[Any, np.dtype[np.float64]]":
        return np.nan_to_num(np.asarray(image.crop(box)).astype(np.float64))

    if image.mode.startswith("I;16") or (image.mode == "I" and file_format == "PNG"):
        white = 65535.0
    else:
        top = max((float(values(box).max(initial=0.0)) for box in boxes), default=0.0)
        if image.mode == "F":
            white = 1.0 if top <= 1.0 else 255.0 if top <= 255.0 else top
        else:
            white = 255.0 if top <= 255.0 else 65535.0 if top <= 65535.0 else top
    grey = Image.new("L", image.size)
    for box in boxes:
        strip = np.clip(values(box) * (255.0 / white) + 0.5, 0, 255).astype(np.uint8)
        grey.paste(Image.fromarray(strip), box)
    return grey


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert pixels from an ICC profile's colour space to sRGB."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space == "RGB" and "srgb" in (source.profile.profile_description or "").lower():
            return image
        mode = _MODE_OF_COLOUR_SPACE.get(space)
        if mode is None:
            return image
        if image.mode == "L" and mode == "RGB":
            image = image.convert("RGB")
        if image.mode != mode:
            return image
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image
    return converted if converted is not None else image
