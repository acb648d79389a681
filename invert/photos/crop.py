"""Crops of photos, their alignments, and masks."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.colour import BLACK
from stylegan_latents.invert.photos.files import read_photo

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[np.float64]

METHODS = ("ffhq", "none", "centre")

# In pixels of the photo; a face that dlib finds has a crop of 100 and more.
_LEAST_SIDE = 0.5


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where in a photo a square crop lies.

    Attributes:
        quad: float64 ``[4, 2]``, the crop's corners in pixels of the upright photo: top left, bottom left, bottom
            right, top right. A square at any angle, which may reach outside the photo.
        photo_size: (width, height) of the photo.
        size: the crop's height in pixels.
        method: ``ffhq``; ``centre``, the photo's centre in the model's proportions, mostly a square; or ``none``,
            a whole photo of these proportions.
        width: the crop's width in pixels; None for a square.
    """

    quad: Array
    photo_size: tuple[int, int]
    size: int
    method: str
    width: int | None = None

    @property
    def side(self) -> float:
        """The crop's width in pixels of the photo, and its height too where it is a square."""
        return float(np.hypot(*(self.quad[3] - self.quad[0])))

    @property
    def _height(self) -> float:
        return self.side if self.method == "ffhq" else float(np.hypot(*(self.quad[1] - self.quad[0])))

    def into_crop(self, points: Array) -> Array:
        """Points ``[K, 2]`` of the photo in pixels of the crop."""
        across, down = (self.quad[3] - self.quad[0]) / self.side, (self.quad[1] - self.quad[0]) / self._height
        from_corner = points - self.quad[0]
        return np.stack([from_corner @ across, from_corner @ down], axis=1) * (self.size / self._height) - 0.5

    def to_dict(self) -> dict[str, Any]:
        """The alignment in the types of JSON, without loss."""
        return {
            "method": self.method,
            "size": self.size,
            "photo_size": list(self.photo_size),
            "quad": self.quad.tolist(),
            **({} if self.width is None else {"width": self.width}),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of ``to_dict``; InputError for missing or invalid values."""
        try:
            quad = np.array(values["quad"], dtype=np.float64)
            width, height = values["photo_size"]
            across = None if values.get("width") is None else int(values["width"])
            alignment = cls(quad, (int(width), int(height)), int(values["size"]), str(values["method"]), across)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InputError(f"The record's alignment is damaged ({error}); invert the photo again.") from error
        if not (
            quad.shape == (4, 2)
            and bool(np.isfinite(quad).all())
            and alignment.method in METHODS
            and min(*alignment.photo_size, alignment.size, alignment.width or 1) > 0
            and min(alignment.side, alignment._height) >= _LEAST_SIDE
            and alignment.side <= 100 * max(alignment.photo_size)
            and np.allclose(quad, _wanted(alignment), atol=1e-3 * alignment.side)
        ):
            raise InputError("The record's alignment is damaged; invert the photo again.")
        return alignment

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alignment) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.quad.tobytes(), self.photo_size, self.size, self.method, self.width))


def no_align(image: Image.Image, size: int, aspect: float = 1.0) -> tuple[Image.Image, Alignment]:
    """Resize the photo's centre, for aligned crops and for subjects that are not faces.

    Args:
        image: the photo.
        size: height of the crop in pixels.
        aspect: its width over its height: 1 for a square.
    """
    height = min(image.height, max(1, round(image.width / aspect)))
    width = min(image.width, max(1, round(height * aspect)))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    low, high = np.array([left, top]) - 0.5, np.array([left + width, top + height]) - 0.5
    quad = np.array([[low[0], low[1]], [low[0], high[1]], [high[0], high[1]], [high[0], low[1]]])
    method = "none" if image.size == (width, height) else "centre"
    across = None if aspect == 1 else max(1, round(size * aspect))
    alignment = Alignment(quad, image.size, size, method, across)
    return crop_of(image, alignment), alignment


def crop_of(image: Image.Image, alignment: Alignment, size: int | None = None) -> Image.Image:
    """The crop with an alignment, RGB, at its own or another size; InputError if it lies outside the photo."""
    image = image.convert("RGB")
    quad, side, size = alignment.quad + 0.5, alignment.side, size or alignment.size
    if alignment.method != "ffhq":
        # The quad is upright and inside the photo.
        box = (float(quad[0, 0]), float(quad[0, 1]), float(quad[2, 0]), float(quad[2, 1]))
        width = size if alignment.width is None else max(1, round(size * alignment.width / alignment.size))
        return image.resize((width, size), Image.Resampling.LANCZOS, box=box)
    # Crop the surroundings and resize them so that the quad's side is twice the output's.
    border = max(round(0.1 * side), 3)
    low = np.floor(quad.min(axis=0)).astype(int)
    high = np.ceil(quad.max(axis=0)).astype(int)
    left, top = np.maximum(low - border, 0).tolist()
    right, bottom = np.minimum(high + border, image.size).tolist()
    if right - left < 1 or bottom - top < 1:
        raise InputError("The face's crop lies outside the photo; choose another face.")
    scale = 2 * size / side
    width, height = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    work = image.resize((width, height), Image.Resampling.LANCZOS, box=(left, top, right, bottom))
    quad = (quad - [left, top]) * [width / (right - left), height / (bottom - top)]
    # How far the quad reaches outside the photo at the left, top, right and bottom; negative inside.
    outside = np.concatenate([-low, high - image.size])
    if outside.max() > -4:
        # FFHQ pads all four sides, which matters for the median that the padding fades to.
        padding = np.ceil(np.maximum(outside + border, 0.3 * side) * scale).astype(int)
        work = _pad(work, padding.tolist(), blur=0.02 * 2 * size)
        quad = quad + padding[:2]
    corners = tuple(float(value) for value in quad.ravel())
    doubled = work.transform((2 * size, 2 * size), Image.Transform.QUAD, corners, Image.Resampling.BILINEAR)
    return doubled.resize((size, size), Image.Resampling.LANCZOS)


def quarter_turn(vector: Array) -> Array:
    """The vector turned by 90 degrees clockwise, where y points down."""
    return np.array([-vector[1], vector[0]])


def _wanted(alignment: Alignment) -> Array:
    """The quad that an alignment of its method has: an upright rectangle, or the square with the same top edge."""
    quad = alignment.quad
    if alignment.method == "ffhq" or alignment.width is None:
        return _square(quad)
    (left, top), (right, bottom) = quad[0], quad[2]
    return np.array([[left, top], [left, bottom], [right, bottom], [right, top]])


def _square(quad: Array) -> Array:
    """The square with the same top edge."""
    edge = quad[3] - quad[0]
    down = quarter_turn(edge)
    return np.stack([quad[0], quad[0] + down, quad[3] + down, quad[3]])


def softened_margin(alignment: Alignment) -> Array:
    """The width that ``crop_of`` blurs at each edge, float64 ``[4]``: left, top, right, bottom, in pixels."""
    outside = np.concatenate(
        [-np.floor(alignment.quad.min(axis=0)), np.ceil(alignment.quad.max(axis=0)) - alignment.photo_size]
    )
    if alignment.method != "ffhq" or outside.max() <= -4:
        return np.zeros(4)
    return np.asarray(np.maximum(outside + 0.1 * alignment.side, 0.3 * alignment.side) / 3)


def part_in_photo(alignment: Alignment) -> "Tensor | None":
    """How far each pixel of a crop shows the photo: float32 ``[1, 1, size, size]``, from 0 to 1.

    It is 0 where the crop reaches beyond the photo, and rises to 1 over the margin in which ``crop_of`` blurs. None
    for a crop that lies inside the photo.
    """
    import torch

    quad, (width, height) = alignment.quad, alignment.photo_size
    outside = np.concatenate([-0.5 - quad.min(axis=0), quad.max(axis=0) + 0.5 - alignment.photo_size])
    if alignment.method != "ffhq" or outside.max() < 1:
        return None
    steps = ((np.arange(alignment.size) + 0.5) / alignment.size)[:, None, None]
    across, down = steps * (quad[3] - quad[0]), steps * (quad[1] - quad[0])
    places = quad[0] + across.transpose(1, 0, 2) + down  # [size, size, 2], in pixels of the photo
    x, y = places[..., 0], places[..., 1]
    depths = np.stack([x + 0.5, y + 0.5, width - 0.5 - x, height - 0.5 - y], axis=2) / softened_margin(alignment)
    depth = depths.min(axis=2).clip(0, 1)
    return torch.from_numpy(depth**2 * (3 - 2 * depth)).float()[None, None]


def _pad(image: Image.Image, padding: list[int], blur: float) -> Image.Image:
    """Extend an RGB picture by reflection that is blurred and fades to the median colour outwards.

    ``padding`` is in pixels, for left, top, right and bottom; ``blur`` is a standard deviation in pixels.
    """
    left, top, right, bottom = padding
    pixels = np.pad(np.asarray(image), ((top, bottom), (left, right), (0, 0)), "reflect")
    height, width = pixels.shape[:2]
    # The distance outside the picture along each axis: 0 at its edge, 1 at the padding's, negative inside.
    across, down = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    outside_x = 1.0 - np.minimum(across / left, across[::-1] / right)
    outside_y = 1.0 - np.minimum(down / top, down[::-1] / bottom)
    outside = np.maximum(outside_x[None, :], outside_y[:, None])[:, :, None]
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32)
    result = pixels.astype(np.float32)
    result += (blurred - result) * np.clip(3.0 * outside + 1.0, 0.0, 1.0)
    middle = np.median(result[::4, ::4], axis=(0, 1))
    result += (middle - result) * np.clip(outside, 0.0, 1.0)
    return Image.fromarray(cast("Any", np.clip(np.rint(result), 0, 255).astype(np.uint8)))


def mask_picture(path: Path) -> Image.Image:
    """Read a mask of any size: grey with 8 bits (mode ``L``).

    Transparent parts are white; if all paint is white, too, they are black.

    Raises:
        InputError: as ``read_photo``.
    """
    mask = read_photo(path).convert("L")
    return mask if mask.getextrema()[0] != 255 else read_photo(path, background=BLACK).convert("L")


def read_mask(path: Path, photo: Image.Image, name: str) -> Image.Image:
    """Read a mask for an upright photo called ``name``: white where it is ignored, black where it is compared.

    Raises:
        InputError: the file cannot be read, has another size than the photo, or is white everywhere.
    """
    mask = mask_picture(path)
    if mask.size != photo.size:
        raise InputError(
            f"The mask {path} is {mask.width}x{mask.height} pixels and {name} {photo.width}x{photo.height}; "
            "give a mask of the photo's size."
        )
    if mask.getextrema()[0] == 255:
        raise InputError(f"The mask {path} is white all over; paint black where the photo counts.")
    return mask


def compared(mask: Image.Image, alignment: Alignment) -> "Tensor":
    """The weight of each pixel of a crop: float32 ``[1, 1, size, size]``, from 0, ignored, to 1, compared."""
    import torch

    crop = np.asarray(crop_of(mask.convert("RGB"), alignment).convert("L"), dtype=np.float32)
    return torch.from_numpy(1 - crop / 255)[None, None]
