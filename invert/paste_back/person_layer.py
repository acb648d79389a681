"""The photo with its person moved as an edit moved them, also beyond the crop.

The person is a layer over the background: hair that the crop cuts through goes on outside it where the edit took
it, and the background that the person covered is filled.
"""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from stylegan_latents.invert.paste_back.cut import SIDE, Array, blur, coordinates, smoothstep
from stylegan_latents.invert.photos.crop import Alignment
from stylegan_latents.invert.photos.person_mask import Pixels, foreground, guided

MARGIN = 0.5
"""How far the layer reaches beyond the crop on each side, as a fraction of the crop's side."""

_CANVAS = round((1 + 2 * MARGIN) * SIDE)
_INNER = slice(round(MARGIN * SIDE), round(MARGIN * SIDE) + SIDE)
# Of the crop's side: movements that count as none, and the distance beyond the crop at which none is left.
_STILL, _REACH = 0.002, 0.4
# Of the crop's side: how far stray hair and the person's blurred edge reach into the background.
_HALO = 0.035
# Levels of 255 beyond which the flow has not found the same place.
_OTHER = 25.0
# Widths by which the movement is spread over the layer, as fractions of its side, each with its weight.
_SPREADS = ((0.006, 1.0), (0.02, 0.1), (0.06, 0.01))
_FLOW_SIDE = 512
_STRIP = 256


@dataclass(frozen=True, eq=False)
class PersonLayer:
    """A photo's person and how they move, on a square around the crop.

    Attributes:
        alignment: of the square.
        person: ``[S, S]``, the person's share before the edit.
        shown: ``[S, S]``, the largest share that the moved person may have.
        movement: ``[S, S, 2]``, from each place after the edit to the same before it, in sides of the square.
        mirror: ``[S, S, 2]``, from each place of the person to the background that fills it, in sides.
    """

    alignment: Alignment
    person: Array
    shown: Array
    movement: Array
    mirror: Array


def person_layer(
    photo: Image.Image,
    alignment: Alignment,
    pictures: tuple[Image.Image, Image.Image],
    people: tuple[Array, Array],
    change: Array,
) -> PersonLayer:
    """Find the person in the photo around the crop, and how the edit moves them.

    Args:
        photo: RGB.
        alignment: of the crop.
        pictures: the generator's pictures before and after the edit.
        people: the person's share in each place of them, ``[SIDE, SIDE]``.
        change: how much the edit changes each place of the crop, ``[SIDE, SIDE, 1]``.
    """
    movement = _movement(pictures, people, change)
    middle = alignment.quad.mean(axis=0)
    wide = replace(alignment, quad=middle + (1 + 2 * MARGIN) * (alignment.quad - middle), size=_CANVAS)
    person = _person(_sampled(photo, wide), people[0])
    # Hair that the edit took away is not drawn inside the crop.
    depth = _beyond()
    shown = np.ones((_CANVAS, _CANVAS), np.float32)
    shown[_INNER, _INNER] = np.maximum(_grown(people[1]), 1 - smoothstep(-depth[_INNER, _INNER] / 0.06))
    return PersonLayer(wide, person, shown, movement, _mirror(person, wide))


def drawn_photo(photo: Image.Image, layer: PersonLayer) -> Image.Image:
    """A new photo with its person moved."""
    pixels, result = np.asarray(photo), photo.copy()
    low = np.maximum(np.floor(layer.alignment.quad.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(layer.alignment.quad.max(axis=0)) + 1, photo.size).astype(int)
    for top in range(int(low[1]), int(high[1]), _STRIP):
        rows = np.arange(top, min(top + _STRIP, high[1]), dtype=np.float32)
        columns = np.arange(low[0], high[0], dtype=np.float32)
        strip = _drawn(layer, pixels, np.stack(np.meshgrid(columns, rows), axis=2))
        result.paste(Image.fromarray(np.clip(np.rint(strip), 0, 255).astype(np.uint8)), (int(low[0]), top))
    return result


def _drawn(layer: PersonLayer, photo: Pixels, places: Array) -> Array:
    """The photo with its person moved, at places of the photo.

    Args:
        layer: of the photo.
        photo: uint8 ``[height, width, 3]``.
        places: float32 ``[h, w, 2]``, x and y in pixels of the photo.

    Returns:
        float32 ``[h, w, 3]``; exactly the photo where its person neither is nor comes.
    """
    import cv2

    square = layer.alignment
    across, down = square.quad[3] - square.quad[0], square.quad[1] - square.quad[0]
    axes = np.stack([across, down]).astype(np.float32)  # sides of the square to pixels of the photo
    origin = (square.quad[0] + 0.5).astype(np.float32)

    def at(field: Array, points: Array) -> Array:
        inside = (points + np.float32(0.5) - origin) @ (axes.T / np.float32(square.side**2))
        return _at(field, inside * np.float32(_CANVAS) - np.float32(0.5))

    def colours(points: Array, method: int) -> Array:
        return _at(photo, points, method, cv2.BORDER_REFLECT_101)

    def filled(points: Array) -> Array:
        return colours(points + at(layer.mirror, points) @ axes, cv2.INTER_LINEAR)

    source = places + at(layer.movement, places) @ axes
    share = at(layer.person, source)
    here = at(layer.person, places)
    moves = np.abs(source - places).max(axis=2) > 1e-3
    drawn_share = np.minimum(share, at(layer.shown, places))
    near = np.hypot(*np.moveaxis(at(layer.mirror, places), 2, 0)) > 1e-6
    touched = (moves | (drawn_share < share)) & (near | (share > 1e-3) | (here > 1e-3))
    own = colours(places, cv2.INTER_NEAREST)
    if not touched.any():
        return own
    behind = filled(source)
    seen = share[:, :, None]
    person = (colours(source, cv2.INTER_CUBIC) - (1 - seen) * behind) / np.maximum(seen, np.float32(0.1))
    result = filled(places)
    result += drawn_share[:, :, None] * (person.clip(0, 255) - result)
    return np.where(touched[:, :, None], result, own)


def _movement(
    pictures: tuple[Image.Image, Image.Image], people: tuple[Array, Array], change: Array
) -> Array:
    """``PersonLayer.movement``: the optical flow between the pictures, continued beyond the crop."""
    import cv2

    before, after = (
        np.asarray(one.convert("RGB").resize((_FLOW_SIDE,) * 2, Image.Resampling.BOX)) for one in pictures
    )
    grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (after, before)]
    empty = np.zeros((_FLOW_SIDE, _FLOW_SIDE, 2), np.float32)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(grey[0], grey[1], empty)
    grid = np.stack(np.meshgrid(*[np.arange(_FLOW_SIDE, dtype=np.float32)] * 2), axis=2)
    error = np.abs(_at(before, grid + flow) - after).max(axis=2)
    small = (SIDE, SIDE)
    flow = cv2.resize(flow, small, interpolation=cv2.INTER_AREA) / np.float32(_FLOW_SIDE)
    trust = 1 / (1 + (cv2.resize(error, small, interpolation=cv2.INTER_AREA) / _OTHER) ** 2)
    # The person's edge is often the background's flow.
    grid = np.stack(np.meshgrid(coordinates(), coordinates()), axis=2)
    was = _at(people[0], (grid + flow) * np.float32(SIDE) - np.float32(0.5))
    trust = trust * cv2.erode(people[1], np.ones((3, 3), np.uint8)) * was
    length = np.hypot(flow[:, :, 0], flow[:, :, 1])[:, :, None]
    flow = flow * np.maximum(0, 1 - np.float32(_STILL) / np.maximum(length, 1e-6))
    flow = flow * np.minimum(3 * blur(change, 0.03), 1)
    wide = np.zeros((_CANVAS, _CANVAS, 3), np.float32)
    wide[_INNER, _INNER, :2], wide[_INNER, _INNER, 2] = flow * trust[:, :, None], trust
    spread = np.zeros_like(wide)
    for sigma, weight in _SPREADS:
        spread += np.float32(weight) * cv2.GaussianBlur(
            wide, (0, 0), sigma * _CANVAS, borderType=cv2.BORDER_REFLECT
        )
    movement = spread[:, :, :2] / (spread[:, :, 2:] + np.float32(1e-4))
    fading = smoothstep(1 - _beyond() / _REACH)[:, :, None]
    return np.asarray(movement * fading / (1 + 2 * MARGIN), dtype=np.float32)


def _beyond() -> Array:
    """The distance beyond the crop at each place of the square, in sides of the crop; negative inside."""
    along = np.abs((np.arange(_CANVAS, dtype=np.float32) + np.float32(0.5)) / SIDE - np.float32(MARGIN + 0.5))
    return np.asarray(np.maximum(along[:, None], along[None, :]) - np.float32(0.5))


def _sampled(photo: Image.Image, square: Alignment) -> Pixels:
    """A square of a photo at the layer's resolution; beyond the photo its edge is repeated."""
    import cv2

    pixels = np.asarray(photo)
    scale = min(1.0, _CANVAS / square.side)
    if scale < 1:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    factor = np.array([pixels.shape[1] / photo.width, pixels.shape[0] / photo.height])
    corners = ((square.quad[[0, 3, 1]] + 0.5) * factor - 0.5).astype(np.float32)
    side = np.float32(_CANVAS)
    ends = np.array([[0, 0], [side, 0], [0, side]], np.float32) - np.float32(0.5)
    return np.asarray(
        cv2.warpAffine(
            pixels, cv2.getAffineTransform(ends, corners), (_CANVAS, _CANVAS),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )
    )  # fmt: skip


def _person(pixels: Pixels, inner: Array) -> Array:
    """The person's share in the square, known in the crop and continued by colours beyond it."""
    from scipy.ndimage import distance_transform_edt

    known = np.zeros((_CANVAS, _CANVAS), bool)
    known[_INNER, _INNER] = True
    likely = np.zeros((_CANVAS, _CANVAS), np.float32)
    likely[_INNER, _INNER] = inner
    distance, nearest = distance_transform_edt(~known, return_indices=True)
    likely = likely[tuple(nearest)]
    # Farther out the crop tells less: above and beside it there is mostly background, below it a body.
    doubt = np.clip(distance / SIDE / 0.25, 0, 1).astype(np.float32)
    below = (np.arange(_CANVAS) >= _INNER.stop)[:, None]
    likely = likely + doubt * (np.where(below, np.maximum(likely, 0.6), 0.4) - likely)
    likely[known] = np.clip(likely[known], 0.0, 1.0)
    likely[~known] = np.clip(likely[~known], 0.1, 0.9)
    found = foreground(pixels, likely).astype(np.float32)
    share = guided(pixels, found).clip(0, 1)
    return smoothstep((share - np.float32(0.05)) / np.float32(0.9))


def _mirror(person: Array, square: Alignment) -> Array:
    """``PersonLayer.mirror``: the background beside the person, mirrored at the person's edge."""
    import cv2
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(_HALO * SIDE) + 1,) * 2)
    covered = cv2.dilate((person > 0.02).astype(np.uint8), kernel) > 0
    steps = (np.arange(_CANVAS, dtype=np.float32) + np.float32(0.5)) / np.float32(_CANVAS)
    across, down = square.quad[3] - square.quad[0], square.quad[1] - square.quad[0]
    x = square.quad[0, 0] + steps[None, :] * across[0] + steps[:, None] * down[0]
    y = square.quad[0, 1] + steps[None, :] * across[1] + steps[:, None] * down[1]
    free = ~covered & (x > 0) & (y > 0) & (x < square.photo_size[0] - 1) & (y < square.photo_size[1] - 1)
    mirror = np.zeros((_CANVAS, _CANVAS, 2), np.float32)
    if not free.any():
        return mirror
    rows, columns = distance_transform_edt(~free, return_distances=False, return_indices=True)
    own_rows, own_columns = np.mgrid[:_CANVAS, :_CANVAS]
    to = np.stack([columns - own_columns, rows - own_rows], axis=2).astype(np.float32)
    for reach in (2.0, 1.5, 1.1):
        target = np.rint(np.stack([own_columns, own_rows], axis=2) + reach * to).astype(int)
        within = (target >= 0).all(axis=2) & (target < _CANVAS).all(axis=2)
        target = target.clip(0, _CANVAS - 1)
        good = within & free[target[:, :, 1], target[:, :, 0]] & (mirror == 0).all(axis=2)
        mirror[good] = reach * to[good]
    missing = (mirror == 0).all(axis=2) & ~free
    mirror[missing] = to[missing]
    # Jumps between two sides of the person would show as cuts.
    smooth = np.stack([gaussian_filter(mirror[:, :, axis], 2.0) for axis in (0, 1)], axis=2)
    weight = gaussian_filter((~free).astype(np.float32), 2.0)[:, :, None]
    mirror = np.where(free[:, :, None], 0, smooth / np.maximum(weight, 1e-3))
    return np.asarray(mirror / _CANVAS, dtype=np.float32)


def _at(field: Array | Pixels, points: Array, method: int | None = None, border: int | None = None) -> Array:
    """A field ``[height, width]`` or ``[height, width, C]`` at points ``[h, w, 2]``, x and y in its pixels."""
    import cv2

    x, y = (np.ascontiguousarray(points[:, :, axis], dtype=np.float32) for axis in (0, 1))
    method = cv2.INTER_LINEAR if method is None else method
    border = cv2.BORDER_REPLICATE if border is None else border
    return np.asarray(cv2.remap(field, x, y, method, borderMode=border), dtype=np.float32)


def _grown(person: Array) -> Array:
    import cv2

    return np.asarray(cv2.dilate(person, np.ones((5, 5), np.uint8)))
