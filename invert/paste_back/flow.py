"""How an edit moves a person, as optical flow between the pictures before and after it.

The flow is that of Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016. It is trusted where it
finds the same colours again on the person, and smoothly continued elsewhere.
"""

import numpy as np
from PIL import Image

from stylegan_latents.invert.paste_back.fields import SIDE, Array, blur, coordinates, dilated, eroded, smoothstep
from stylegan_latents.invert.photos.person_mask import PersonMask, Pixels

_FLOW_SIDE = 512
# Levels of 255 beyond which the flow has not found the same place.
_OTHER = np.float32(25.0)
# Pixels by which the flow back may miss the start, the slope in levels at which a picture tells its flow, and the
# trust where it tells nothing.
_ASTRAY, _SLOPE, _GUESS = np.float32(3.0), np.float32(4.0), np.float32(0.005)
# Widths by which a flow is continued, as fractions of the crop's side, each with its weight.
_SPREADS = ((0.025, 1.0), (0.06, 0.1), (0.12, 0.01))
# Of the crop's side: the deviation from a smooth flow from which a place counts little, and rounds of fitting.
_STRAY, _ROUNDS = 0.015, 6
# Of the crop's side: the width over which pictures are compared, and that for hair. Levels of 255 up to which a
# difference is grain, up to which pictures show the same, and from which something else.
_FINE, _STRANDS = 0.002, 0.015
_GRAIN = np.float32(8.0)
_SAME, _ELSE = np.float32(12.0), np.float32(45.0)
# Of a movement: the change from pixel to pixel from which it folds or stretches what it moves.
_STRAIN = np.float32(0.3)
# Height in the crop to which long hair reaches, and of the crop's side how far beside it other hair is held by it.
_LONG, _BESIDE = 0.92, 0.12
# Heights in the crop between which neck and shoulders are led back.
_FROM, _FULLY = 0.62, 0.97


def trusted_flow(
    start: Image.Image, end: Image.Image, start_share: Array, end_share: Array
) -> tuple[Array, Array, Array]:
    """The flow from one picture to another, and how far it is to be trusted.

    Args:
        start, end: squares of one size.
        start_share, end_share: the person's share in them, ``[SIDE, SIDE]``.

    Returns:
        ``[SIDE, SIDE, 2]``, from each place of ``start`` to the same in ``end``, x and y in sides of the picture;
        ``[SIDE, SIDE]`` in 0 to 1; and the same where also the flow back leads to the start and the picture is
        not plain.
    """
    import cv2

    first, second = (
        np.asarray(one.convert("RGB").resize((_FLOW_SIDE,) * 2, Image.Resampling.BOX)) for one in (start, end)
    )
    grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (first, second)]
    empty = np.zeros((_FLOW_SIDE, _FLOW_SIDE, 2), np.float32)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = np.asarray(search.calc(grey[0], grey[1], empty.copy()), np.float32)
    back = np.asarray(search.calc(grey[1], grey[0], empty), np.float32)
    grid = np.stack(np.meshgrid(*[np.arange(_FLOW_SIDE, dtype=np.float32)] * 2), axis=2)
    error = np.abs(sampled(second, grid + flow) - first).max(axis=2)
    astray = np.linalg.norm(flow + sampled(back, grid + flow), axis=2)
    # Where a picture is plain its flow is a guess.
    across, down = (cv2.Sobel(grey[0], cv2.CV_32F, *axis, scale=0.125) for axis in ((1, 0), (0, 1)))
    slopes = blur(np.asarray(across**2 + down**2, np.float32), 3 / SIDE)
    sure = (slopes / (slopes + _SLOPE**2) + _GUESS) / (1 + (astray / _ASTRAY) ** 2)
    flow = cv2.resize(flow, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / np.float32(_FLOW_SIDE)
    error, sure = (cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for one in (error, sure))
    trust = 1 / (1 + (error / _OTHER) ** 2)
    grid = np.stack(np.meshgrid(coordinates(), coordinates()), axis=2)
    there = sampled(end_share, (grid + flow) * np.float32(SIDE) - np.float32(0.5))
    # Along the person's edge the flow is often the background's.
    inner = eroded(start_share, 1)
    trust = np.asarray(trust * inner * there, dtype=np.float32)
    return np.asarray(flow), trust, np.asarray(trust * sure, dtype=np.float32)


def continued(flow: Array, trust: Array) -> Array:
    """A flow ``[height, width, 2]`` at the resolution of ``SIDE``, continued from where it is trusted."""

    known = np.concatenate([flow * trust[:, :, None], trust[:, :, None]], axis=2).astype(np.float32)
    total = np.zeros_like(known)
    for sigma, weight in _SPREADS:
        total += np.float32(weight) * blur(known, sigma)
    return np.asarray(total[:, :, :-1] / (total[:, :, -1:] + np.float32(1e-4)))


def smooth_flow(flow: Array, trust: Array) -> Array:
    """The flow ``[SIDE, SIDE, 2]`` of hair as polynomials of the second degree, fitted where it is trusted.

    Strands look alike, so that their flow is often wrong: places far from the fit count little.
    """
    along = coordinates() - np.float32(0.5)
    x, y = np.meshgrid(along, along)
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=2).reshape(-1, 6)
    wanted, weights = flow.reshape(-1, 2), trust.reshape(-1, 1)
    fitted = np.zeros_like(wanted)
    for step in range(_ROUNDS):
        far = np.hypot(*(wanted - fitted).T)[:, None] / np.float32(_STRAY) if step else np.float32(0)
        weighted = terms * (weights / (1 + far**2))
        prior = np.diag([0.1, 1, 1, 5, 5, 5]).astype(np.float32)
        fitted = terms @ np.linalg.solve(weighted.T @ terms + prior, weighted.T @ wanted)
    return np.asarray(fitted.reshape(flow.shape), dtype=np.float32)


def led_back(
    edited: Image.Image, reference: Image.Image, people: tuple[PersonMask, PersonMask]
) -> tuple[Image.Image, Array]:
    """Lead neck and shoulders of an edited crop back to where they were, the more the lower they are.

    Args:
        edited, reference: the pictures after and before the edit.
        people: in ``reference`` and in ``edited``.

    Returns:
        The warped picture, and the person's share in it, ``[SIDE, SIDE]``.
    """
    import cv2

    before, after = (one.person for one in people)
    flow = continued(*trusted_flow(reference, edited, before, after)[:2])
    # The face and hair that hangs or stands free stay as they are.
    free = 1 - lying(people[0])
    heads = [np.maximum(one.of("face"), one.of("hair") * free) for one in people]
    head = blur(np.maximum(*heads), 0.02)
    amount = smoothstep((coordinates()[:, None] - _FROM) / (_FULLY - _FROM)) * (1 - head)
    flow = flow * amount[:, :, None]
    side = edited.width
    grid = np.stack(np.meshgrid(*[np.arange(side, dtype=np.float32)] * 2), axis=2)
    fine = cv2.resize(flow, (side, side), interpolation=cv2.INTER_LINEAR) * np.float32(side)
    warped = sampled(np.asarray(edited.convert("RGB")), grid + fine, cv2.INTER_CUBIC)
    small = np.stack(np.meshgrid(*[np.arange(SIDE, dtype=np.float32)] * 2), axis=2)
    return Image.fromarray(warped.clip(0, 255).astype(np.uint8)), sampled(after, small + flow * np.float32(SIDE))


def lying(before: PersonMask) -> Array:
    """1 above and beside hair so long that it lies on a body, which does not move; ``[SIDE, SIDE]``."""
    import cv2

    lowest = round(_LONG * SIDE)
    hair = before.of("hair")[lowest:].max(axis=0)
    body = before.of("neck", "clothes")[lowest:].max() > 0.5
    columns = cv2.dilate(
        smoothstep(4 * hair - 2)[None] * body, np.ones((1, 2 * round(_BESIDE * SIDE) + 1), np.uint8)
    )
    return np.broadcast_to(blur(np.asarray(columns, np.float32), 0.03), (SIDE, SIDE))


def followed(
    reference: Image.Image, edited: Image.Image, movement: Array, hair: Array
) -> tuple[Image.Image, Array]:
    """The picture before an edit, moved as the edit moves it.

    Args:
        reference, edited: the pictures before and after the edit.
        movement: from each place of ``edited`` to the same in ``reference``, ``[SIDE, SIDE, 2]``, in sides of the
            picture.
        hair: its share in ``edited``, ``[SIDE, SIDE]``. There only colours are compared, and strands are those of
            ``edited``.

    Returns:
        The moved picture, and ``[SIDE, SIDE, 1]``: 1 where it shows the same as ``edited``, 0 where other content.
    """
    import cv2

    side = reference.width
    grid = np.stack(np.meshgrid(*[np.arange(side, dtype=np.float32)] * 2), axis=2)
    source = grid + cv2.resize(movement, (side, side), interpolation=cv2.INTER_LINEAR) * np.float32(side)
    after = np.asarray(edited.convert("RGB"), np.float32)
    error = sampled(np.asarray(reference.convert("RGB")), source, cv2.INTER_CUBIC).clip(0, 255) - after
    strands = cv2.resize(hair, (side, side), interpolation=cv2.INTER_LINEAR)[:, :, None]
    # Skin's grain does not move with the generator's skin; a wrinkle is more than grain.
    smooth = cv2.GaussianBlur(error, (0, 0), _STRANDS * side)
    fine = error - smooth
    error = smooth + (1 - strands) * fine * (1 - 1 / np.maximum(np.abs(fine) / _GRAIN, 1) ** 2)
    strongest = np.asarray(np.abs(cv2.GaussianBlur(error, (0, 0), _FINE * side)).max(axis=2))
    level = cv2.resize(strongest, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    level = blur(dilated(np.asarray(level, np.float32), 1), 0.006)
    within = np.asarray(((source > 0) & (source < side - 1)).all(axis=2), np.float32)
    whole = np.asarray(cv2.resize(within, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)
    # Where skin is folded or stretched, texture would be, too.
    strain = sum(np.abs(np.gradient(movement * np.float32(SIDE), axis=axis)).max(axis=2) for axis in (0, 1))
    whole *= 1 - smoothstep(blur(np.asarray(strain), 0.01) / _STRAIN - 1)
    same = (1 - smoothstep((level - _SAME) / (_ELSE - _SAME))) * whole
    moved = np.rint((after + error).clip(0, 255)).astype(np.uint8)
    return Image.fromarray(moved), np.asarray(same[:, :, None], np.float32)


def sampled(field: Array | Pixels, points: Array, method: int | None = None, border: int | None = None) -> Array:
    """A field ``[height, width]`` or ``[height, width, C]`` at points ``[h, w, 2]``, x and y in its pixels."""
    import cv2

    x, y = (np.ascontiguousarray(points[:, :, axis], dtype=np.float32) for axis in (0, 1))
    method = cv2.INTER_LINEAR if method is None else method
    border = cv2.BORDER_REPLICATE if border is None else border
    return np.asarray(cv2.remap(field, x, y, method, borderMode=border), dtype=np.float32)
