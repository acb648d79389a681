"""Any colour mode and depth that a picture file can have, to 8-bit sRGB."""

import io

from PIL import Image, ImageCms

Colour = tuple[int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
_MODE_OF_COLOUR_SPACE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def to_srgb(image: Image.Image, file_format: str, background: Colour = WHITE) -> Image.Image:
    """Convert a loaded picture to RGB, 8 bits a channel, sRGB, without transparency or metadata.

    An embedded ICC profile that is broken, or that belongs to another colour
    space than the pixels, is ignored and the pixels are taken for sRGB, as viewers do.

    Args:
        image: a picture of any mode; left as it is.
        file_format: Pillow's name of the format it came from (a 32-bit integer mode means 16 bits in a PNG).
        background: what is seen through transparent parts.
    """
    profile = image.info.get("icc_profile")
    alpha: Image.Image | None = None
    if image.mode == "F" or image.mode.startswith("I"):
        image = _to_8_bits(image, file_format)
    elif image.has_transparency_data:
        grey = image.mode in ("L", "LA", "La")
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        # The three channels of a grey picture are equal; a grey profile needs just one.
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
    plain = image.copy()
    plain.info.clear()
    return plain


def _to_8_bits(image: Image.Image, file_format: str) -> Image.Image:
    """Scale 16-bit, 32-bit and floating-point grey to 8 bits; Pillow's own conversion clips instead."""
    import numpy as np

    values = np.nan_to_num(np.asarray(image).astype(np.float64))
    top = float(values.max(initial=0.0))
    if image.mode.startswith("I;16") or (image.mode == "I" and file_format == "PNG"):
        white = 65535.0
    elif image.mode == "F":
        white = 1.0 if top <= 1.0 else 255.0 if top <= 255.0 else top
    else:
        white = 255.0 if top <= 255.0 else 65535.0 if top <= 65535.0 else top
    return Image.fromarray(np.clip(values * (255.0 / white) + 0.5, 0, 255).astype(np.uint8))


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
