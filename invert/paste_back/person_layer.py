"""The photo with its person moved as an edit moved them, also beyond the crop.

The person is a layer over the background: hair that the crop cuts through goes on outside it where the edit took
it, and the background that the person covered is filled.
"""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from stylegan_latents.invert.paste_back.fields import SIDE, Array, blur, smoothstep
from stylegan_latents.invert.paste_back.flow import continued, sampled, trusted_flow
from stylegan_latents.invert.photos.crop import Alignment
from stylegan_latents.invert.photos.person_mask import Mask, PersonMask, Pixels, foreground, guided

MARGIN = 0.5
"""How far the layer reaches beyond the crop on each side, as a fraction of the crop's side."""

_CANVAS = round((1 + 2 * MARGIN) * SIDE)
_INNER = slice(round(MARGIN * SIDE), round(MARGIN * SIDE) + SIDE)
# Of the crop's side: movements that count as none, and the distance beyond the crop at which none is left.
_STILL, _REACH = 0.002, 0.4
# Of the crop's side: by how much the photo's outline may differ from that of the generator's picture.
_UNLIKE = 0.03
# Height in the crop below which what the photo shows is not taken away.
_SHOULDERS = 0.97
# Of the crop's side: how far stray hair and the person's blurred edge reach into the background.
_HALO = 0.035
# Of the crop's side: how far stray hair is looked for. Levels of 255 by which it stands out from a plain wall.
_STRAY, _STANDS_OUT = 0.2, 10.0
# The share of places that stand out in a wall with a pattern.
_PATTERN = 0.08
# Of the crop's side: the movement from which the background beside the person is filled in full.
_CLEARLY = 0.008
# Widths, of the crop's side, over which the background's colours go on behind the person, each with its weight.
# Levels of 255 up to which a difference from them is texture, which goes on behind the person, too.
_TEXTURE = 12.0
_PLATE = ((0.03, 100.0), (0.08, 10.0), (0.25, 1.0))
_STRIP = 256


@dataclass(frozen=True, eq=False)
class PersonLayer:
    """A photo's person and how they move, on a square around the crop.

    Attributes:
        alignment: of the square.
        person: ``[S, S]``, the share of the person, without clothes, before the edit.
        shown: ``[S, S]``, the largest share that the moved person may have.
        movement: ``[S, S, 2]``, from each place after the edit to the same before it, in sides of the square.
        mirror: ``[S, S, 2]``, from each place of the person to the background whose texture fills it, in sides.
        plate: ``[S, S, 3]``, the background's smooth colours, continued behind the person.
        freed: ``[S, S]``, how far the background is filled in, from 0 to 1.
    """

    alignment: Alignment
    person: Array
    shown: Array
    movement: Array
    mirror: Array
    plate: Array
    freed: Array


def person_layer(
    photo: Image.Image,
    alignment: Alignment,
    pictures: tuple[Image.Image, Image.Image],
    people: tuple[PersonMask, PersonMask],
    then: Array,
    change: Array,
) -> PersonLayer:
    """Find the person in the photo around the crop, and how the edit moves them.

    Args:
        photo: RGB.
        alignment: of the crop.
        pictures: the generator's pictures before and after the edit, the latter with neck and shoulders led back.
        people: in the pictures before and after the edit.
        then: the person's share in each place of the latter picture, ``[SIDE, SIDE]``.
        change: how much the edit changes each place of the crop, ``[SIDE, SIDE, 1]``.
    """
    movement = _movement(pictures, people, then, change)
    middle = alignment.quad.mean(axis=0)
    wide = replace(alignment, quad=middle + (1 + 2 * MARGIN) * (alignment.quad - middle), size=_CANVAS)
    pixels = square_of(photo, wide)
    person = _with_stray_hair(pixels, _person(pixels, people[0]), _outwards(people[0].of("hair")))
    # Clothes stay, and go on behind the head as the background does.
    clothes = guided(pixels, _outwards(people[0].of("clothes") / people[0].person.clip(0.1)))
    person = person * (1 - smoothstep(clothes))
    shown = _shown(people[0], then, change)
    mirror, covered = _mirror(person, wide)
    plate, freed = _plate(pixels, covered, wide), _freed(person, shown, movement, covered)
    return PersonLayer(wide, person, shown, movement, mirror, plate, freed)


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
        return sampled(field, inside * np.float32(_CANVAS) - np.float32(0.5))

    def colours(points: Array, method: int) -> Array:
        return sampled(photo, points, method, cv2.BORDER_REFLECT_101)

    def filled(points: Array) -> Array:
        away = points + at(layer.mirror, points) @ axes
        texture = colours(away, cv2.INTER_LINEAR) - at(layer.plate, away)
        return at(layer.plate, points) + texture.clip(-_TEXTURE, _TEXTURE)

    source = places + at(layer.movement, places) @ axes
    share = at(layer.person, source)
    drawn_share = np.minimum(share, at(layer.shown, places))
    freed = at(layer.freed, places)
    moves = np.abs(source - places).max(axis=2) > 1e-3
    touched = (freed > 1e-3) | (moves & (drawn_share > 1e-3))
    own = colours(places, cv2.INTER_NEAREST)
    if not touched.any():
        return own
    seen = share[:, :, None]
    person = (colours(source, cv2.INTER_CUBIC) - (1 - seen) * filled(source)) / np.maximum(seen, np.float32(0.1))
    result = own + freed[:, :, None] * (filled(places).clip(0, 255) - own)
    result += drawn_share[:, :, None] * (person.clip(0, 255) - result)
    return np.where(touched[:, :, None], result, own)


def _movement(
    pictures: tuple[Image.Image, Image.Image], people: tuple[PersonMask, PersonMask], then: Array, change: Array
) -> Array:
    """``PersonLayer.movement``: the optical flow between the pictures, continued beyond the crop."""
    heads = [one.of("hair", "face", "neck") for one in people]
    flow, trust = trusted_flow(pictures[1], pictures[0], heads[1], heads[0])
    length = np.hypot(flow[:, :, 0], flow[:, :, 1])[:, :, None]
    flow = flow * np.maximum(0, 1 - np.float32(_STILL) / np.maximum(length, 1e-6))
    flow = flow * _spread(change)
    # Shoulders were led back.
    still = np.maximum(then - heads[1], 0)
    total = trust + still
    flow = flow * (trust / np.maximum(total, 1e-6))[:, :, None]
    wide, known = np.zeros((_CANVAS, _CANVAS, 2), np.float32), np.zeros((_CANVAS, _CANVAS), np.float32)
    wide[_INNER, _INNER], known[_INNER, _INNER] = flow, total
    fading = smoothstep(1 - _beyond() / _REACH)[:, :, None]
    return np.asarray(continued(wide, known) * fading / (1 + 2 * MARGIN), dtype=np.float32)


def _shown(before: PersonMask, then: Array, change: Array) -> Array:
    """``PersonLayer.shown``: what the edit takes away from the head is not drawn, nor what grows there."""
    import cv2
    from scipy.ndimage import distance_transform_edt

    head = blur(before.of("hair", "face")[:, :, None], 0.03)
    gone = np.minimum(_spread(change * smoothstep(4 * head))[:, :, 0], 1 - then)
    # Hair of the photo that the generator lacks goes with the nearest hair that the generator has.
    core = np.zeros((_CANVAS, _CANVAS), bool)
    core[_INNER, _INNER] = cv2.erode((before.person > 0.5).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    if not core.any():
        return np.ones((_CANVAS, _CANVAS), np.float32)
    rows, columns = distance_transform_edt(~core, return_distances=False, return_indices=True)
    gone = cv2.GaussianBlur(_outwards(gone)[rows, columns], (0, 0), 0.008 * SIDE)
    height = (np.arange(_CANVAS, dtype=np.float32)[:, None] + np.float32(0.5)) / SIDE - np.float32(MARGIN)
    fading = smoothstep(1 - _beyond() / np.float32(_REACH)) * smoothstep((_SHOULDERS - height) / np.float32(0.2))
    return np.asarray(1 - gone * fading, dtype=np.float32)


def _freed(person: Array, shown: Array, movement: Array, covered: Mask) -> Array:
    """``PersonLayer.freed``: near the person, where the edit takes them away."""
    import cv2

    length = np.hypot(movement[:, :, 0], movement[:, :, 1]) * (1 + 2 * MARGIN)
    kernel = np.ones((2 * round(_HALO * SIDE) + 1,) * 2, np.uint8)
    gone = cv2.dilate(np.maximum(person - shown, 0), kernel)
    amount = cv2.GaussianBlur(np.maximum(smoothstep(length / np.float32(_CLEARLY)), gone), (0, 0), 3)
    return np.asarray(amount * cv2.GaussianBlur(covered.astype(np.float32), (0, 0), 1.5), dtype=np.float32)


def _plate(pixels: Pixels, covered: Mask, square: Alignment) -> Array:
    """``PersonLayer.plate``."""
    return continued(pixels.astype(np.float32), (_within_photo(square) & ~covered).astype(np.float32), _PLATE)


def _spread(change: Array) -> Array:
    """1 near what the edit changes, 0 elsewhere."""
    return np.minimum(np.float32(3) * blur(change, 0.03), np.float32(1)) if change.any() else change


def _beyond() -> Array:
    """The distance beyond the crop at each place of the square, in sides of the crop; negative inside."""
    along = np.abs((np.arange(_CANVAS, dtype=np.float32) + np.float32(0.5)) / SIDE - np.float32(MARGIN + 0.5))
    return np.asarray(np.maximum(along[:, None], along[None, :]) - np.float32(0.5))


def square_of(photo: Image.Image, square: Alignment) -> Pixels:
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


def _outwards(inner: Array) -> Array:
    """A plane of the crop, continued beyond it by its nearest place."""
    margin = round(MARGIN * SIDE)
    return np.pad(inner, margin, mode="edge")


def _person(pixels: Pixels, before: PersonMask) -> Array:
    """The person's share in the square, known in the crop and continued by colours beyond it."""
    import cv2

    # The generator's outline and body are not quite the photo's.
    head = before.of("hair", "face")
    likely = cv2.GaussianBlur(
        _outwards(np.clip(before.person, head, np.maximum(head, 0.9))), (0, 0), _UNLIKE * SIDE
    )
    beyond = _beyond()
    # Farther out the crop tells less: above and beside it there is mostly background, below it a body.
    doubt = np.clip(beyond / 0.25, 0, 1).astype(np.float32)
    below = (np.arange(_CANVAS) >= _INNER.stop)[:, None]
    likely = likely + doubt * (np.where(below, np.maximum(likely, 0.6), 0.4) - likely)
    likely = np.where(beyond > 0, np.clip(likely, 0.1, 0.9), likely.clip(0, 1)).astype(np.float32)
    found = foreground(pixels, likely).astype(np.float32)
    share = guided(pixels, found).clip(0, 1)
    return smoothstep((share - np.float32(0.05)) / np.float32(0.9))


def _with_stray_hair(pixels: Pixels, person: Array, hair: Array) -> Array:
    """The person's share with what stands out from a plain background and hangs together with the hair."""
    import cv2
    from scipy.ndimage import distance_transform_edt, label

    levels = pixels.astype(np.float32)
    distance = (distance_transform_edt(person < 0.1) / SIDE).astype(np.float32)
    free = ((distance > 0.02) & (distance < 2 * _STRAY)).astype(np.float32)
    far = free * (distance > 0.8 * _STRAY)

    def mean(values: Array, weight: Array) -> Array:
        known = cv2.GaussianBlur(weight, (0, 0), 0.08 * SIDE)
        scale = known if values.ndim == 2 else known[:, :, None]
        return np.asarray(cv2.GaussianBlur(values, (0, 0), 0.08 * SIDE) / np.maximum(scale, 1e-4))

    off = np.abs(levels - mean(levels * free[:, :, None], free)).max(axis=2)
    # A wall with a pattern stands out by itself, also where no hair can be.
    plain = 1 - smoothstep(mean(far * (off > _STANDS_OUT), far) / np.float32(_PATTERN) - 1)
    stray = smoothstep(off / np.float32(_STANDS_OUT) - 1) * smoothstep(2 - 2 * distance / np.float32(_STRAY))
    stray = np.where(distance < 2 * _STRAY, plain * stray, 0).astype(np.float32)
    root = (person >= 0.1) & (hair > 0.5)
    groups, _ = label(cv2.dilate(((stray > 0.1) | root).astype(np.uint8), np.ones((5, 5), np.uint8)))
    joined = np.isin(groups, np.setdiff1d(np.unique(groups[root]), [0]))
    return np.maximum(person, stray * joined)


def _within_photo(square: Alignment) -> Mask:
    """Where in the square the photo is."""
    steps = (np.arange(_CANVAS, dtype=np.float32) + np.float32(0.5)) / np.float32(_CANVAS)
    across, down = square.quad[3] - square.quad[0], square.quad[1] - square.quad[0]
    x = square.quad[0, 0] + steps[None, :] * across[0] + steps[:, None] * down[0]
    y = square.quad[0, 1] + steps[None, :] * across[1] + steps[:, None] * down[1]
    return np.asarray((x > 0) & (y > 0) & (x < square.photo_size[0] - 1) & (y < square.photo_size[1] - 1))


def _mirror(person: Array, square: Alignment) -> tuple[Array, Mask]:
    """``PersonLayer.mirror``, and where the person is, with a halo."""
    import cv2
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(_HALO * SIDE) + 1,) * 2)
    # Along a smooth outline mirrored places keep their order.
    covered = gaussian_filter(cv2.dilate((person > 0.02).astype(np.float32), kernel), 3.0) > 0.35
    # Texture is taken from farther out, where no hair is.
    free = (cv2.dilate(covered.astype(np.uint8), kernel) == 0) & _within_photo(square)
    mirror = np.zeros((_CANVAS, _CANVAS, 2), np.float32)
    if not free.any():
        return mirror, covered
    rows, columns = distance_transform_edt(~free, return_distances=False, return_indices=True)
    own_rows, own_columns = np.mgrid[:_CANVAS, :_CANVAS]
    to = np.stack([columns - own_columns, rows - own_rows], axis=2).astype(np.float32)
    for reach in (2.0, 1.5, 1.1):
        target = np.rint(np.stack([own_columns, own_rows], axis=2) + reach * to).astype(int)
        within = (target >= 0).all(axis=2) & (target < _CANVAS).all(axis=2)
        target = target.clip(0, _CANVAS - 1)
        good = covered & within & free[target[:, :, 1], target[:, :, 0]] & (mirror == 0).all(axis=2)
        mirror[good] = reach * to[good]
    missing = (mirror == 0).all(axis=2) & covered
    mirror[missing] = to[missing]
    # Jumps between two sides of the person would show as cuts.
    smooth = np.stack([gaussian_filter(mirror[:, :, axis], 2.0) for axis in (0, 1)], axis=2)
    weight = gaussian_filter(covered.astype(np.float32), 2.0)[:, :, None]
    mirror = np.where(covered[:, :, None], smooth / np.maximum(weight, 1e-3), 0)
    return np.asarray(mirror / _CANVAS, dtype=np.float32), covered
