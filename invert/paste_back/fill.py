"""Filling the background that a moved person uncovers, with pieces of the background beside it.

Exemplar-based filling (Criminisi, Pérez & Toyama, "Region filling and object removal by exemplar-based image
inpainting", 2004): patch after patch along the hole's border, edges first, each is continued by the most similar
patch of the background. What is found are places in the picture, so that it is filled at any resolution.
"""

import numpy as np

from stylegan_latents.invert.paste_back.fields import Array, blur, smoothstep
from stylegan_latents.invert.photos.person_mask import Mask, Pixels

# The side at which patches are compared, half a patch, and how far they are looked for, in pixels of that side.
_SIDE, _HALF, _REACH = 256, 4, 44
# What a patch costs by its distance at the reach, and the levels of 255 by which its colours are shifted at most.
_FAR, _SHIFT = np.float32(4.0), np.float32(10.0)
# Pixels of that side from a place to those whose patches reach over it.
_STEPS = (-3.0, -1.5, 0.0, 1.5, 3.0)
# Of the crop's side: the width over which a background's pattern is measured. Its deviation in levels of 255.
_AROUND, _PATTERN = 0.03, 10.0
# Widths in pixels over which the surroundings' shade is spread, each with its weight.
_SHADES = ((4.0, 1.0), (12.0, 0.03), (36.0, 0.001))


def filling(pixels: Pixels, hole: Mask, free: Mask, low: Mask | None = None) -> tuple[Array, Array]:
    """The places that fill a hole in a picture.

    Args:
        pixels: RGB, ``[S, S, 3]``.
        hole: ``[S, S]``, what is filled.
        free: ``[S, S]``, what it may be filled with.
        low: ``[S, S]``, what of it does not go on upwards, such as shoulders.

    Returns:
        ``[S, S, 2]``, from each place of the hole to the one that fills it, x and y in pixels; and ``[S, S, 3]``,
        what is added to its levels. Both are 0 outside the hole.
    """
    import cv2
    from scipy.ndimage import distance_transform_edt

    side = pixels.shape[0]
    picture, part, clear = (
        cv2.resize(one, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        for one in (pixels, hole.astype(np.float32), free.astype(np.float32))
    )
    known = (clear > 0.99) & (part == 0)
    rim = np.pad(np.ones((_SIDE - 2 * _HALF,) * 2, bool), _HALF)
    unknown = (part > 0) & rim
    whole = cv2.erode(known.astype(np.uint8), np.ones((2 * _HALF + 1,) * 2, np.uint8)).astype(bool) & rim
    above = whole
    if low is not None:
        below = cv2.resize(low.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) > 0.01
        above = whole & (cv2.dilate(below.astype(np.uint8), np.ones((2 * _HALF + 1,) * 2, np.uint8)) == 0)
    # Where no patch reaches, the background's nearest place is repeated.
    rows, columns = distance_transform_edt(~known, return_distances=False, return_indices=True)
    own_rows, own_columns = np.mgrid[:_SIDE, :_SIDE]
    away = np.stack([columns - own_columns, rows - own_rows], axis=2).astype(np.float32)
    shift = np.zeros((_SIDE, _SIDE, 3), np.float32)
    confidence = known.astype(np.float32)
    while (front := unknown & (cv2.dilate(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)).any():
        y, x = _first(picture, known, confidence, front)
        source = _most_similar(picture, known, np.where(np.arange(_SIDE)[:, None] > y, above, whole), y, x)
        if source is None:
            break
        here, there = (_patch(*one) for one in ((y, x), source))
        new, seen = unknown[here], known[here]
        tone = (picture[here][seen] - picture[there][seen]).mean(axis=0).clip(-_SHIFT, _SHIFT)
        picture[here][new] = picture[there][new] + tone
        away[here][new], shift[here][new] = (source[1] - x, source[0] - y), tone
        confidence[here][new] = confidence[here].mean()
        unknown[here], known[here] = unknown[here] & ~new, known[here] | new
    # Where patches disagree with each other their shade is led over from the hole's surroundings.
    around = (clear > 0.99) & (part == 0)
    smooth = np.concatenate([picture, np.ones((_SIDE, _SIDE, 1), np.float32)], axis=2)
    wide = sum(
        np.float32(weight) * cv2.GaussianBlur(smooth * around[:, :, None], (0, 0), sigma)
        for sigma, weight in _SHADES
    )
    shade, weight = wide[:, :, :3], wide[:, :, 3:]
    own = cv2.GaussianBlur(picture * known[:, :, None], (0, 0), _SHADES[0][0])
    own /= cv2.GaussianBlur(known.astype(np.float32), (0, 0), _SHADES[0][0])[:, :, None] + np.float32(1e-5)
    off = (shade - own * weight) / (weight + np.float32(1e-5))  # 0 far from the surroundings
    # A larger difference is an edge that goes on into the hole.
    off = off / (1 + (np.abs(off).max(axis=2, keepdims=True) / (2 * _SHIFT)) ** 2)
    near = cv2.GaussianBlur((part > 0).astype(np.float32), (0, 0), 2)[:, :, None]
    off = cv2.GaussianBlur(off * (part > 0)[:, :, None], (0, 0), 2) / np.maximum(near, np.float32(1e-3))
    tone = np.asarray(cv2.resize(off, (side, side), interpolation=cv2.INTER_LINEAR), np.float32) * hole[:, :, None]
    places, shades = (
        np.asarray(cv2.resize(one, (side, side), interpolation=cv2.INTER_NEAREST), np.float32)
        for one in (away * np.float32(side / _SIDE), shift)
    )
    tone[hole] = tone[hole] + _agreed(pixels, (places, shades), hole, free & ~hole)
    return places * hole[:, :, None], tone


def _agreed(pixels: Pixels, patches: tuple[Array, Array], hole: Mask, free: Mask) -> Array:
    """What is added to the levels of the hole's places ``[N, 3]``, so that all patches over a place have a say."""
    import cv2

    (away, shift), side = patches, np.array(hole.shape)
    places = np.argwhere(hole)

    near = [round(step * hole.shape[0] / _SIDE) for step in _STEPS]
    own, total, squares, count = (np.zeros((len(places), depth), np.float32) for depth in (3, 3, 3, 1))
    for step in [(down, across) for down in near for across in near]:
        rows, columns = (places + step).clip(0, side - 1).T
        moved = np.rint(places + away[rows, columns][:, ::-1]).astype(np.int64).clip(0, side - 1)
        seen = pixels[moved[:, 0], moved[:, 1]].astype(np.float32)
        own = seen if step == (0, 0) else own
        seen, vote = seen + shift[rows, columns], (hole[rows, columns] & free[moved[:, 0], moved[:, 1]])[:, None]
        total, squares, count = total + vote * seen, squares + vote * seen**2, count + vote
    total, count = np.where(count > 0, total, own), np.maximum(count, 1)
    agreed = total / count
    spread = np.sqrt((squares / count - agreed**2).clip(0)).max(axis=1, keepdims=True)
    # Where they disagree, nothing is sharp.
    picture = np.zeros((*hole.shape, 4), np.float32)
    picture[hole] = np.concatenate([agreed, np.ones_like(count)], axis=1)
    soft = cv2.GaussianBlur(picture, (0, 0), near[-1])[hole]
    amount = (spread / _SHIFT - 1).clip(0, 1)
    return np.asarray(agreed + amount * (soft[:, :3] / soft[:, 3:] - agreed) - own, dtype=np.float32)


def patterned(crop: Array, freed: Array, background: Array) -> float:
    """How much of a background that becomes free lies in a pattern or beside an edge, where filling is a guess.

    Args:
        crop: of the photo, ``[SIDE, SIDE, 3]``, in levels.
        freed: the share of each place that becomes free, ``[SIDE, SIDE]``.
        background: the share of each place that is known to be background.

    Returns:
        Its area, in squares of the crop's side.
    """
    near = blur(background, _AROUND) + np.float32(1e-3)
    off = (crop - blur(crop * background[:, :, None], _AROUND) / near[:, :, None]) * background[:, :, None]
    variance = blur(np.asarray((off**2).mean(axis=2), np.float32), _AROUND) / near
    pattern = smoothstep(np.asarray(np.sqrt(variance) / np.float32(_PATTERN) - 1, np.float32))
    return float(np.mean(freed * pattern))


def _patch(y: int, x: int) -> tuple[slice, slice]:
    return np.s_[y - _HALF : y + _HALF + 1, x - _HALF : x + _HALF + 1]


def _first(picture: Array, known: Mask, confidence: Array, front: Mask) -> tuple[int, int]:
    """The place of the border that is filled next: where much around it is known, and edges run into it."""
    import cv2

    size = (2 * _HALF + 1,) * 2
    rows, columns = np.flatnonzero(front.any(axis=1)), np.flatnonzero(front.any(axis=0))
    top, left = (max(int(along[0]) - _HALF - 2, 0) for along in (rows, columns))
    part = np.s_[top : rows[-1] + _HALF + 3, left : columns[-1] + _HALF + 3]
    picture, known, confidence, front = picture[part], known[part], confidence[part], front[part]
    grey = picture @ np.full(3, 1 / 3, np.float32)
    within = cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8))
    slope = np.hypot(cv2.Sobel(grey, -1, 1, 0, scale=0.125), cv2.Sobel(grey, -1, 0, 1, scale=0.125)) * within
    priority = cv2.blur(confidence, size) * (2 + cv2.blur(slope.astype(np.float32), size))
    y, x = np.unravel_index(int(np.argmax(np.where(front, priority, -1))), front.shape)
    return int(y) + top, int(x) + left


def _most_similar(picture: Array, known: Mask, whole: Mask, y: int, x: int) -> tuple[int, int] | None:
    """The centre of the patch of background most like what is known about a place."""
    import cv2

    here = _patch(y, x)
    top, left = max(y - _REACH, _HALF), max(x - _REACH, _HALF)
    bottom, right = min(y + _REACH + 1, _SIDE - _HALF), min(x + _REACH + 1, _SIDE - _HALF)
    possible = whole[top:bottom, left:right]
    if not possible.any():
        return None
    window = picture[top - _HALF : bottom + _HALF, left - _HALF : right + _HALF]
    mask = np.repeat(known[here][:, :, None], 3, axis=2).astype(np.float32)
    cost = cv2.matchTemplate(window, picture[here], cv2.TM_SQDIFF, mask=mask) / mask.sum()
    rows, columns = np.mgrid[top:bottom, left:right]
    cost = cost + _FAR * ((rows - y) ** 2 + (columns - x) ** 2) / _REACH**2
    found = np.unravel_index(int(np.argmin(np.where(possible, cost, np.inf))), cost.shape)
    return int(found[0]) + top, int(found[1]) + left
