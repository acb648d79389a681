"""Checks of a photo's file and size, and one sentence for whatever is wrong with it."""

import contextlib
import difflib
import math
import shlex
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from stylegan_latents.generator.errors import InputError

MAX_PIXELS = 200_000_000
"""Largest photo, in pixels (0.6 GB decoded): the largest phone cameras have 200 megapixels."""

DECODED_PIXELS = 100_000_000
"""Of a picture that is read reduced and is no JPEG, which alone is reduced while it is decoded: 0.4 GB at most."""

MIN_SIDE = 16
"""Smallest side of a photo, in pixels."""

# A photo takes a byte for some 5 to 30 pixels; one colour alone, for some 300 (PNG).
_UNQUESTIONED_PIXELS, _PIXELS_OF_A_BYTE = 40_000_000, 100

_RAW_SUFFIXES = {".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw"}
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
_READABLE = "use a JPEG, PNG, WebP, TIFF, GIF or BMP picture"

_limit_lock = threading.Lock()


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Check a picture's file, and raise one InputError for whatever reading it in the block raises."""
    check_file(path)
    try:
        yield
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{path} has more than {MAX_PIXELS // 10**6} million pixels; make it smaller first."
        ) from error
    except UnidentifiedImageError as error:
        raise InputError(_unidentified(path)) from error
    except PermissionError as error:
        raise InputError(f"{path} may not be read: {error.strerror}; check the file's permissions.") from error
    except MemoryError as error:
        raise InputError(f"{path} does not fit in memory; make it smaller first.") from error
    # Pillow's decoders raise whatever the damaged bytes led them into: OSError, SyntaxError, ValueError,
    # struct.error, zlib.error, EOFError, TypeError and more.
    except Exception as error:
        raise InputError(
            f"{path} is damaged or incomplete ({error}); copy or download it again, or use another photo."
        ) from error


@contextlib.contextmanager
def pixel_limit() -> Iterator[None]:
    """Let Pillow open up to MAX_PIXELS, silently; its own limit can only be set for the whole process."""
    with _limit_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        previous = Image.MAX_IMAGE_PIXELS
        # Pillow refuses above twice its limit.
        Image.MAX_IMAGE_PIXELS = math.ceil(MAX_PIXELS / 2)
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = previous


def check_file(path: Path) -> None:
    """Raise InputError for what is not a regular file with content, and for camera raw files."""
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give a photo inside it.")
        if not path.exists():
            if path.is_symlink():
                raise InputError(f"{path} is a link to a file that is not there; give the photo itself.")
            raise InputError(f"There is no file {path}{near_name(path)}")
        if not path.is_file():
            raise InputError(f"{path} is no regular file; {_READABLE}.")
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty (0 bytes); copy or download it again.")
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path} may not be read: {reason}.") from error
    if path.suffix.lower() in _RAW_SUFFIXES:
        # These are TIFF files inside, and Pillow would return the thumbnail.
        raise InputError(f"{path} is a camera raw file; export it as JPEG or PNG first.")


def check_size(path: Path, size: tuple[int, int]) -> None:
    """Raise InputError for a picture that is too large or too small."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{path} is {width}x{height} pixels, more than {MAX_PIXELS // 10**6} million; make it smaller first."
        )
    if min(width, height) < MIN_SIDE:
        raise InputError(f"{path} is {width}x{height} pixels; a photo needs at least {MIN_SIDE} pixels a side.")


def check_density(path: Path, size: tuple[int, int]) -> None:
    """Raise InputError for a large picture in a file so small that nothing can be photographed on it."""
    pixels, held = math.prod(size), path.stat().st_size
    if pixels > _UNQUESTIONED_PIXELS and pixels > _PIXELS_OF_A_BYTE * held:
        raise InputError(
            f"{path} declares {pixels // 10**6} million pixels in {held / 1e6:.2g} MB, which no photo has; make it "
            f"smaller than {_UNQUESTIONED_PIXELS // 10**6} million first."
        )


def check_depth(path: Path, image: Image.Image) -> None:
    """Raise InputError for a picture whose 16 bits, floats or opacity take more memory than the largest photo."""
    pixels = math.prod(image.size)
    plain = image.mode in ("1", "L", "P", "RGB", "YCbCr") and not image.has_transparency_data
    if pixels > DECODED_PIXELS and not plain:
        raise InputError(
            f"{path} is {image.width}x{image.height} pixels with opacity or more than 8 bits; save it as RGB of 8 "
            f"bits, or make it smaller than {DECODED_PIXELS // 10**6} million first."
        )


def check_tiff(path: Path, image: Image.Image) -> None:
    """Raise InputError for TIFF files that Pillow would read wrongly without an error."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    tags = image.tag_v2
    bits = math.prod(image.size) * min(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    if image.info.get("compression") == "raw" and bits > 8 * path.stat().st_size:  # Pillow may fill it with zeros
        raise InputError(f"{path} is damaged or incomplete: pixels are missing; copy or download it again.")
    if max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))) <= 8:
        return
    white_is_zero = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    if white_is_zero or tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2:
        kept = "white as 0" if white_is_zero else "each colour in a plane of its own"
        raise InputError(f"{path} is a TIFF of more than 8 bits that keeps {kept}; save it as PNG first.")


def _unidentified(path: Path) -> str:
    """The error message for a file that no decoder recognises."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return (
            f"{path} is a HEIC or AVIF photo, which cannot be read here; run `pip install pillow-heif`, "
            "or export it as JPEG."
        )
    if path.suffix == ".safetensors":
        command = f"edit {shlex.quote(str(path))} --direction smile"
        return f"{path} is no photo; if it is a record, `{command}` goes on from it."
    if head.lstrip()[:1] == b"<":
        return f"{path} is a web page or an SVG drawing, not a photo; {_READABLE}."
    return f"{path} is not a picture that can be read; {_READABLE}."


def near_name(path: Path) -> str:
    """'; did you mean …?' for a file of a similar name in the same folder, or a full stop."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return "."
    # A dangling link has the very name and is not meant.
    near = difflib.get_close_matches(path.name, [name for name in names if name != path.name], n=1, cutoff=0.75)
    return f"; did you mean {path.parent / near[0]}?" if near else "."
