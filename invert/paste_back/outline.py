"""The person in a photo around a crop, from what the generator's picture of the crop shows."""

from dataclasses import replace

import numpy as np
from PIL import Image

from stylegan_latents.invert.paste_back.fields import SIDE, Array, blur, dilated, smoothstep
from stylegan_latents.invert.photos.crop import Alignment
from stylegan_latents.invert.photos.person_mask import Mask, PersonMask, Pixels, guided, matte

MARGIN = 0.5
"""How far the square that is looked at reaches beyond the crop on each side, as a fraction of the crop's side."""
CANVAS = round((1 + 2 * MARGIN) * SIDE)
"""The side of that square in pixels."""
INNER = slice(round(MARGIN * SIDE), round(MARGIN * SIDE) + SIDE)
"""Where in it the crop is, along each axis."""

# Of the crop's side: by how much the photo's outline may differ from that of the generator's picture.
_UNLIKE = 0.03
# Of the crop's side: how far stray hair is looked for. Levels of 255 by which it stands out from a plain wall.
_STRAY, _STANDS_OUT = 0.2, 10.0
# Of the crop's side: how far from the generator's head the photo's can be.
_NEAR = 0.15
# The share of places that stand out in a wall with a pattern.
_PATTERN = 0.08


def wider(alignment: Alignment) -> Alignment:
    """The alignment of the square around a crop."""
    middle = alignment.quad.mean(axis=0)
    return replace(alignment, quad=middle + (1 + 2 * MARGIN) * (alignment.quad - middle), size=CANVAS)


def person_in(photo: Pixels, before: PersonMask) -> tuple[Array, Array]:
    """The share of a person in a photo, with clothes and without.

    Args:
        photo: from ``square_of``.
        before: the person in the generator's picture of the crop.

    Returns:
        Two of ``[CANVAS, CANVAS]`` in 0 to 1.
    """
    whole = _with_stray_hair(photo, _person(photo, before), outwards(before.of("hair")))
    # Clothes stay, and go on behind the head as the background does.
    clothes = guided(photo, outwards(before.of("clothes") / before.person.clip(0.1)))
    head = outwards((before.of("hair", "face", "neck") > 0.5).astype(np.float32))
    near = dilated(head, round(_NEAR * SIDE), rounded=True)
    clothes = np.maximum(clothes, 1 - blur(near, 0.02))
    return whole, np.asarray(whole * (1 - smoothstep(3 * clothes - 1)), dtype=np.float32)


def beyond() -> Array:
    """The distance beyond the crop at each place of the square, in sides of the crop; negative inside."""
    along = np.abs((np.arange(CANVAS, dtype=np.float32) + np.float32(0.5)) / SIDE - np.float32(MARGIN + 0.5))
    return np.asarray(np.maximum(along[:, None], along[None, :]) - np.float32(0.5))


def outwards(inner: Array) -> Array:
    """A plane of the crop, continued beyond it by its nearest place; ``[SIDE, SIDE]`` or with channels."""
    margin = (round(MARGIN * SIDE),) * 2
    return np.asarray(np.pad(inner, (margin, margin, (0, 0))[: inner.ndim], mode="edge"), dtype=np.float32)


def square_of(photo: Image.Image, square: Alignment) -> Pixels:
    """A square of a photo at the layer's resolution; beyond the photo its edge is repeated."""
    import cv2

    pixels = np.asarray(photo)
    scale = min(1.0, CANVAS / square.side)
    if scale < 1:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    factor = np.array([pixels.shape[1] / photo.width, pixels.shape[0] / photo.height])
    corners = ((square.quad[[0, 3, 1]] + 0.5) * factor - 0.5).astype(np.float32)
    side = np.float32(CANVAS)
    ends = np.array([[0, 0], [side, 0], [0, side]], np.float32) - np.float32(0.5)
    return np.asarray(
        cv2.warpAffine(
            pixels, cv2.getAffineTransform(ends, corners), (CANVAS, CANVAS),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )
    )  # fmt: skip


def within_photo(square: Alignment) -> Mask:
    """Where in the square the photo is."""
    places = np.indices((CANVAS, CANVAS), np.float32).transpose(1, 2, 0) / np.float32(CANVAS)
    sides = np.stack([square.quad[1] - square.quad[0], square.quad[3] - square.quad[0]])
    points = square.quad[0] + places @ sides
    return np.asarray(((points > 0) & (points < np.array(square.photo_size) - 1)).all(axis=2))


def _person(pixels: Pixels, before: PersonMask) -> Array:
    """The person's share in the square, known in the crop and continued by colours beyond it."""
    # The generator's outline and body are not quite the photo's.
    head = before.of("hair", "face")
    likely = blur(outwards(np.clip(before.person, head, np.maximum(head, 0.9))), _UNLIKE)
    away = beyond()
    # Farther out the crop tells less: above and beside it there is mostly background, below it a body.
    doubt = np.clip(away / 0.25, 0, 1).astype(np.float32)
    below = (np.arange(CANVAS) >= INNER.stop)[:, None]
    likely = likely + doubt * (np.where(below, np.maximum(likely, 0.6), 0.4) - likely)
    likely = np.where(away > 0, np.clip(likely, 0.1, 0.9), likely.clip(0, 1)).astype(np.float32)
    return smoothstep((matte(pixels, likely) - np.float32(0.05)) / np.float32(0.9))


def _with_stray_hair(pixels: Pixels, person: Array, hair: Array) -> Array:
    """The person's share with what stands out from a plain background and hangs together with the hair."""
    from scipy.ndimage import distance_transform_edt, label

    levels = pixels.astype(np.float32)
    distance = (distance_transform_edt(person < 0.1) / SIDE).astype(np.float32)
    free = ((distance > 0.02) & (distance < 2 * _STRAY)).astype(np.float32)
    far = free * (distance > 0.8 * _STRAY)

    def mean(values: Array, weight: Array) -> Array:
        known = blur(weight, 0.08)
        scale = known if values.ndim == 2 else known[:, :, None]
        return np.asarray(blur(values, 0.08) / np.maximum(scale, 1e-4))

    off = np.abs(levels - mean(levels * free[:, :, None], free)).max(axis=2)
    # A wall with a pattern stands out by itself, also where no hair can be.
    plain = 1 - smoothstep(mean(far * (off > _STANDS_OUT), far) / np.float32(_PATTERN) - 1)
    stray = smoothstep(off / np.float32(_STANDS_OUT) - 1) * smoothstep(2 - 2 * distance / np.float32(_STRAY))
    stray = np.where(distance < 2 * _STRAY, plain * stray, 0).astype(np.float32)
    root = (person >= 0.1) & (hair > 0.5)
    groups, _ = label(dilated((stray > 0.1) | root, 2))
    joined = np.isin(groups, np.setdiff1d(np.unique(groups[root]), [0]))
    return np.asarray(np.maximum(person, stray * joined), dtype=np.float32)
