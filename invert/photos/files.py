"""Reading photos of any kind as a viewer shows them: upright, 8-bit sRGB; and writing pictures atomically."""

import importlib
import importlib.util
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ExifTags, Image, ImageFile

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.invert.photos.checks import (
    DECODED_PIXELS,
    check_density,
    check_depth,
    check_size,
    check_tiff,
    near_name,
    pixel_limit,
    readable,
)
from stylegan_latents.invert.photos.colour import WHITE, Colour, to_8_bits, to_srgb

if TYPE_CHECKING:
    import torch

# Not all of Pillow's formats: EPS, for one, would run Ghostscript on the file.
_FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "HEIF")
PHOTO_SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".webp", ".bmp", ".tif", ".tiff",
    ".ppm", ".pgm", ".jp2", ".avif", ".heic", ".heif",
}  # fmt: skip
_SAVE_OPTIONS: dict[str, tuple[str, dict[str, object]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"quality": 95, "method": 4}),
    ".tif": ("TIFF", {"compression": "tiff_deflate"}),
    ".tiff": ("TIFF", {"compression": "tiff_deflate"}),
    ".bmp": ("BMP", {}),
}
_MAX_SIDE_OF_FORMAT = {"JPEG": 65_500, "WEBP": 16_383}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""


def read_photo(path: str | os.PathLike[str], *, background: Colour = WHITE) -> Image.Image:
    """Read a photo as a viewer shows it.

    The EXIF orientation is applied, an embedded colour profile is converted to sRGB, 16-bit and floating-point
    values are scaled to 8 bits, transparency is composited on ``background``, and of several pictures the first is
    taken. The size is checked against ``MAX_PIXELS`` before decoding.

    Args:
        path: a JPEG, PNG, WebP, TIFF, GIF, BMP, PPM, JPEG 2000, AVIF or HEIC file.
        background: RGB, 0 to 255.

    Returns:
        An RGB image with 8 bits per channel and no metadata.

    Raises:
        InputError: the file is missing, unreadable, no picture, damaged, too small or too large.
    """
    return read_reduced(path, None, background=background)[0]


def read_reduced(
    path: str | os.PathLike[str], most_pixels: int | None, *, background: Colour = WHITE
) -> tuple[Image.Image, bool]:
    """Read a photo as ``read_photo`` does, with a bound on the memory that it takes.

    A JPEG is reduced while it is decoded; other formats are decoded whole, up to ``DECODED_PIXELS`` at four bytes
    each, and reduced before anything else is done with them.

    Args:
        path, background: see ``read_photo``.
        most_pixels: of the picture given; None for any number.

    Returns:
        The picture, and whether it was reduced.

    Raises:
        InputError: see ``read_photo``.
    """
    path = Path(path)
    with readable(path), pixel_limit(), Image.open(path, formats=_registered_formats()) as image:
        check_size(path, image.size)
        check_density(path, image.size)
        check_depth(path, image)
        check_tiff(path, image)
        file_format, whole = image.format or "", image.size
        picture: Image.Image = image
        reduced = most_pixels is not None and math.prod(whole) > most_pixels
        if most_pixels is not None and reduced:
            picture = _load_reduced(path, image, most_pixels)
        image.load()
        # Pillow turns a TIFF while it loads it, and then says so.
        orientation = image.getexif().get(ExifTags.Base.Orientation)
        if orientation in _TURNS:
            picture = picture.transpose(_TURNS[orientation])
        return to_srgb(picture, file_format, background), reduced


def _load_reduced(path: Path, image: ImageFile.ImageFile, most_pixels: int) -> Image.Image:
    """The pixels of an opened picture, averaged over squares so that there are at most ``most_pixels``."""
    width, height = image.size
    factor = math.ceil(math.sqrt(width * height / most_pixels))
    power = min(8, 1 << (factor - 1).bit_length())  # what a JPEG's decoder divides by
    if image.draft(None, (width // power, height // power)) is None and width * height > DECODED_PIXELS:
        raise InputError(
            f"{path} is {width}x{height} pixels; save it as JPEG, or make it smaller than "
            f"{DECODED_PIXELS // 10**6} million first."
        )
    image.load()
    picture: Image.Image = image
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = to_8_bits(picture, image.format or "")
    elif picture.mode in ("1", "P", "PA"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture.reduce(max(1, math.ceil(math.sqrt(math.prod(picture.size) / most_pixels))))


def list_photos(folder: str | os.PathLike[str]) -> list[Path]:
    """List the photos directly inside a folder, by suffix, sorted by name, without hidden files.

    Raises:
        InputError: the folder is missing, is no folder, may not be read, or holds no photo.
    """
    folder = Path(folder)
    try:
        if not folder.exists():
            raise InputError(f"There is no folder {folder}{near_name(folder)}")
        if not folder.is_dir():
            raise InputError(f"{folder} is a file; give the folder that holds the photos.")
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
        photos = [entry for entry in entries if entry.suffix.lower() in PHOTO_SUFFIXES and entry.is_file()]
    except OSError as error:
        raise InputError(f"The folder {folder} may not be read: {error.strerror or error}.") from error
    if not photos:
        raise InputError(f"The folder {folder} holds no photo; put JPEG or PNG files there.")
    return sorted(photos, key=lambda photo: (photo.name.casefold(), photo.name))


def to_tensor(image: Image.Image, size: int | None = None, device: "str | torch.device" = "cpu") -> "torch.Tensor":
    """Convert a picture to a tensor.

    Args:
        image: of any mode.
        size: side in pixels to which a square picture is resized (Lanczos); None keeps the size.
        device: of the tensor.

    Returns:
        float32 ``[1, 3, H, W]`` in [-1, 1].

    Raises:
        ValueError: a size is given and the picture is not square.
    """
    import numpy as np
    import torch

    image = image.convert("RGB")
    if size is not None and image.size != (size, size):
        if image.width != image.height:
            raise ValueError(f"a {image.width}x{image.height} picture cannot become {size}x{size}: crop it first")
        image = image.resize((size, size), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.array(image)).to(device)
    return pixels.permute(2, 0, 1).unsqueeze(0).to(torch.float32).div(127.5).sub(1).contiguous()


def to_picture(images: "torch.Tensor", *, opacity: bool = False) -> list[Image.Image]:
    """Convert images ``[N, 1 to 4, H, W]`` in [-1, 1] to N RGB pictures, rounded and clamped to 8 bits.

    Args:
        images: one channel is grey; a second or fourth is opacity.
        opacity: keep it, in RGBA pictures; otherwise they are on white.

    Raises:
        ValueError: another shape.
        InputError: values are not finite, as with a strength of 1e30 or a broken model; or there are more channels.
    """
    import torch

    from stylegan_latents.generator.perceptual import as_colour

    if images.ndim != 4:
        raise ValueError(f"images must be [N, 1 to 4, H, W], not {list(images.shape)}")
    images = images.detach().to(torch.float32)
    if opacity and images.shape[1] in (2, 4):
        images = torch.cat([as_colour(images[:, :-1]), images[:, -1:]], dim=1)
    else:
        images = as_colour(images)
    if not bool(torch.isfinite(images).all()):
        raise InputError(
            "The picture is not finite: take smaller strengths, or another model if this one never draws any."
        )
    pixels = images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return [Image.fromarray(picture.numpy()) for picture in pixels.permute(0, 2, 3, 1).contiguous().cpu()]


def save_picture(image: Image.Image, path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Write a picture atomically, in the format of its suffix.

    Raises:
        InputError: the suffix is unknown, the picture is too large for the format, the file exists and
            ``overwrite`` is False, or it cannot be written.
    """
    path = Path(path)
    check_picture_suffix(path)
    file_format, options = _SAVE_OPTIONS[path.suffix.lower()]
    limit = _MAX_SIDE_OF_FORMAT.get(file_format)
    if limit is not None and max(image.size) > limit:
        raise InputError(
            f"{path}: {file_format} holds at most {limit} pixels a side, this picture is "
            f"{image.width}x{image.height}; choose .png."
        )
    if image.mode == "RGBA" and file_format in ("JPEG", "BMP"):
        image = to_srgb(image, file_format)  # on white
    with atomic_path(path, overwrite=overwrite) as temporary:
        image.save(temporary, format=file_format, **options)


def check_picture_suffix(path: str | os.PathLike[str]) -> None:
    """Raise InputError if ``save_picture`` cannot write this suffix; to be called before long work."""
    suffix = Path(path).suffix
    if suffix.lower() not in _SAVE_OPTIONS:
        found = f"the suffix {suffix}" if suffix else "a name without a suffix"
        raise InputError(
            f"Cannot write {path}: {found} names no known picture format; use one of {', '.join(_SAVE_OPTIONS)}."
        )


def _registered_formats() -> list[str]:
    """The formats of ``_FORMATS`` that this Pillow can open."""
    if importlib.util.find_spec("pillow_heif") is not None:
        importlib.import_module("pillow_heif").register_heif_opener()
    Image.init()
    return [name for name in _FORMATS if name in Image.OPEN]
