"""The part of the photo that the edited crop replaces, and its colour correction.

A turn moves hair, ears, neck and shoulders, too. As a blend of two heads in different places is a smear, there is a
cut where things moved: inside it the result is the edited crop, outside the photo. It is a minimum cut through the
differences of the two (Kwatra et al., "Graphcut Textures", 2003), so that the seam runs where they agree, along a
plain wall or inside hair.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from stylegan_latents.invert.paste_back.bend import displacement, warp
from stylegan_latents.invert.paste_back.fields import SIDE, Array, blur, coordinates, dilated, small, smoothstep
from stylegan_latents.invert.photos.person_mask import Mask, PersonMask

# The ellipse of the face in FFHQ's crop, turned or not: centre and half axes.
_FACE = (0.5, 0.57, 0.30, 0.345)
CHIN = 0.7
"""The height in FFHQ's crop above which skin beside the face is the head's."""
_MARGIN = 0.015
# A cut costs more farther inside: a wall is better than hair, and hair than a cheek.
_INWARDS = 25.0
_SOFTNESS = 0.006
# Levels of 255. Differences beyond the first are other content, such as hair against wall, rather than shade.
_OTHER, _SHADE = 40.0, 20.0
# Levels of smoothed difference at which the residual starts to fade, and at which it is gone.
_UNMOVED, _MOVED = np.float32(6.0), np.float32(24.0)
# What a place on the wrong side of the cut costs, against a seam through it.
_AREA, _NEAR = 1.2, 0.2
# Levels up to which the edited crop's background may stand for the photo's.
_ALIKE = 4.0
# Pixels of the crop's rim that cut hair off, and the width up to which added hair is a narrow rim.
_RIM, _NARROW = 4, 5
_PRECISION = 64
_NEVER = 2**30


def warp_lower_edge(
    edited: Image.Image, reference: Image.Image, share: Array | None = None
) -> tuple[Image.Image, Array | None]:
    """``edited`` with its lowest part warped onto ``reference``, a square of the same size.

    Args:
        share: the person's in ``edited``, ``[SIDE, SIDE]``; it is warped, too.
    """
    change = change_between(edited, reference)[:, :, 0]
    field = displacement(small(edited), small(reference), change, face_oval().astype(np.float32))
    if not field.any():
        return edited, share
    planes = [Image.fromarray(plane).resize(edited.size, Image.Resampling.BILINEAR) for plane in field]
    levels = warp(np.asarray(edited, dtype=np.float32), np.stack([np.asarray(plane) for plane in planes]), order=3)
    warped = Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))
    return warped, None if share is None else warp(share[:, :, None], field)[:, :, 0]


def change_between(edited: Image.Image, reference: Image.Image) -> Array:
    """How much the edit changes each place, ``[SIDE, SIDE, 1]`` in [0, 1]; 0 for a difference of a few levels."""
    difference = np.abs(np.asarray(edited, dtype=np.float32) - np.asarray(reference, dtype=np.float32))
    strongest = Image.fromarray(difference.max(axis=2).clip(0, 255).astype(np.uint8))
    spread = strongest.resize((SIDE, SIDE), Image.Resampling.BOX)
    spread = spread.filter(ImageFilter.MaxFilter(5))
    level = blur(np.asarray(spread, dtype=np.float32)[:, :, None], 0.012)
    return smoothstep((level - _UNMOVED) / (_MOVED - _UNMOVED))


class Cut(NamedTuple):
    """What ``cut`` finds.

    Attributes:
        inside: ``[SIDE, SIDE, 1]``, from 1 to 0 across the cut, 0 at the crop's edge.
        shift: ``[SIDE, SIDE, 3]``, to add to the edited crop, so that colours agree at the cut.
        visible: the length of the cut through the person where colours differ clearly, in sides of the crop.
    """

    inside: Array
    shift: Array
    visible: float


def cut(
    crop: Array,
    edited: Array,
    reference: Array,
    moved: Array | None = None,
    person: Array | None = None,
    after: PersonMask | None = None,
    same: Array | None = None,
    drawn: Array | None = None,
    rests: Array | None = None,
) -> Cut:
    """Where the edited crop replaces the photo, and its colour correction.

    Args:
        crop, edited, reference: of the photo, after the edit and before it, float32 ``[SIDE, SIDE, 3]``, 0 to 255.
        moved: what the edited crop is cut into: the crop of the photo with its person moved; ``crop`` by default.
        person: the person's share of each place after the edit, ``[SIDE, SIDE]``.
        after: the person after the edit: hair and face are better taken from the edited crop, the rest from the
            photo.
        same: where ``reference``, moved as the edit moves it, shows the same as ``edited``, ``[SIDE, SIDE, 1]``:
            there the photo's own texture is kept.
        drawn: the person's share in ``moved``, ``[SIDE, SIDE]``.
        rests: ``[SIDE, SIDE]``, 1 where long hair stays, which covers what the edit shows beside the face.
    """
    goal = crop if moved is None else moved
    off = goal - reference
    # What shows other content there tells nothing about colours.
    alike = 1 / (1 + (np.abs(off).max(axis=2, keepdims=True) / _SHADE) ** 2) ** 2
    shift = blur(alike * off, 0.1) / blur(alike, 0.1)
    error = goal - (edited + shift)
    if same is not None:
        error += same * (reference - goal + shift)
    unlike = Image.fromarray(np.abs(error).max(axis=2).clip(0, 255).astype(np.uint8))
    difference = np.asarray(unlike.filter(ImageFilter.MaxFilter(3)), dtype=np.float32)
    slopes = sum(np.abs(np.gradient(error, axis=axis)).max(axis=2) for axis in (0, 1))
    along = coordinates()
    # A square with rounded corners: there is no face in the corners.
    eighths: Array = (along[None, :] - 0.5) ** 8 + (along[:, None] - 0.5) ** 8
    depth: Array = np.float32(0.5) - np.sqrt(np.sqrt(np.sqrt(eighths)))
    cost = (difference + slopes + 2) * (1 + _INWARDS * depth)
    within, away, bias = face_oval(), depth < _MARGIN, None
    if after is not None:
        # What looks like a face beneath the chin is neck.
        face = after.of("face") * (within | (along[:, None] < CHIN) & (rests is None or rests < 0.5))
        # Strands are the photo's where it has them.
        strands = np.ones_like(face) if same is None or drawn is None else np.maximum(same[:, :, 0], 1 - drawn)
        wish = 2 * (after.of("hair") * strands + face) - 1
        # At the crop's edge, what the edit adds to the person cannot go on.
        wish = np.where(wish > 0, wish * smoothstep(depth / _NEAR), wish)
        bias = _AREA * np.asarray(unlike, dtype=np.float32) * wish
    region = best_seam(cost, within, away, bias)
    inside = blur(region.astype(np.float32)[:, :, None], _SOFTNESS) * smoothstep(depth / _MARGIN)[:, :, None]
    if person is None:
        return Cut(inside, shift + _meeting(np.clip(error, -_OTHER, _OTHER), inside), 0.0)
    level = blur(np.abs(error).max(axis=2, keepdims=True), _SOFTNESS)
    visible = visible_length(error, inside, person)
    inside = inside * np.maximum(person[:, :, None], 1 - smoothstep((level - _ALIKE) / _ALIKE))
    if drawn is not None:  # a person's colours are not a wall's
        error *= (1 - smoothstep(2 * np.abs(person - drawn)))[:, :, None]
    return Cut(inside, shift + _meeting(np.clip(error, -_OTHER, _OTHER), inside), visible)


def visible_length(error: Array, inside: Array, person: Array) -> float:
    """``Cut.visible`` of a cut.

    Args:
        error: the differences of the two sides, ``[SIDE, SIDE, 3]``, in levels.
        inside: as in ``Cut``.
        person: the person's share, ``[SIDE, SIDE]``.
    """
    level = blur(np.abs(error).max(axis=2, keepdims=True), _SOFTNESS)
    seam = inside * (1 - inside) * person[:, :, None] * smoothstep(level / _OTHER - 1)
    # Across the cut, the product of its two sides sums to 0.56 standard deviations of the blur.
    return float(seam.sum()) / (0.56 * _SOFTNESS * SIDE) / SIDE


def within_crop(then: Array, drawn: Array, face: Array) -> Array:
    """The person's share after the edit, without hair that the edit adds and the crop's edge cuts off.

    Args:
        then: the person's share after the edit, ``[SIDE, SIDE]``.
        drawn: their share in the photo with the person moved.
        face: its share after the edit.
    """
    import cv2
    from scipy.ndimage import label

    added = np.clip(then - drawn, 0, 1) * (1 - face)
    # A narrow rim of hair is whole where the crop's edge cuts off a lock beside it.
    wide = cv2.morphologyEx((added > 0.5).astype(np.uint8), cv2.MORPH_OPEN, np.ones((_NARROW,) * 2, np.uint8))
    groups, _ = label(wide)
    edge = np.concatenate([groups[:_RIM].ravel(), groups[:, :_RIM].ravel(), groups[:, -_RIM:].ravel()])
    cut_off = blur(dilated(np.isin(groups, np.setdiff1d(edge, [0])), _NARROW), 0.004)
    return np.asarray(then - added * cut_off, dtype=np.float32)


def _meeting(error: Array, inside: Array) -> Array:
    """The colour difference along the cut, spread from it and fading away."""
    edge = 4 * inside * (1 - inside)
    edge = edge / (1 + (np.abs(error).max(axis=2, keepdims=True) / _SHADE) ** 2)
    # Near the cut the narrow blur outweighs the wide ones; far away all are below the constant.
    sigmas = (0.01, 0.03, 0.1)
    spread = sum(blur(edge * error, sigma) for sigma in sigmas)
    weight = sum(blur(edge, sigma) for sigma in sigmas)
    return np.asarray(spread / (weight + np.float32(0.02)), dtype=np.float32)


def face_oval() -> npt.NDArray[np.bool_]:
    """Where in FFHQ's crop the face is, ``[SIDE, SIDE]``."""
    across, down, width, height = _FACE
    along = coordinates()
    oval = ((along[None, :] - across) / width) ** 2 + ((along[:, None] - down) / height) ** 2 < 1
    return np.asarray(oval.reshape(SIDE, SIDE))


def best_seam(cost: Array, inside: Mask, outside: Mask, bias: Array | None = None) -> Mask:
    """The region with the cheapest border that contains ``inside`` and not ``outside``, by minimum cut.

    Args:
        cost: ``[height, width]``, 0 or above: the cost of a seam through each pixel.
        inside: ``[height, width]``, pixels of the region.
        outside: ``[height, width]``, pixels outside the region; wins over ``inside``.
        bias: ``[height, width]``, what it costs to leave a pixel out of the region; negative, to take it in.

    Returns:
        ``[height, width]``; empty if no pixel is inside, full if none is outside.
    """
    inside = inside & ~outside
    if not inside.any() or not outside.any():
        return np.full(cost.shape, inside.any())
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    count = cost.size
    number = np.arange(count).reshape(cost.shape)
    source, sink = count, count + 1
    first = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    second = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    each = np.clip(cost.ravel() * _PRECISION, 1, 1e6)
    between = (each[first] + each[second]).astype(np.int32)
    wanted = np.zeros(cost.shape) if bias is None else np.clip(bias * _PRECISION, -1e6, 1e6)
    ends_of = np.where(outside, -_NEVER, np.where(inside, _NEVER, wanted)).astype(np.int32)
    starts, ends = number[ends_of > 0], number[ends_of < 0]
    rows = np.concatenate([first, second, np.full(len(starts), source), ends])
    columns = np.concatenate([second, first, starts, np.full(len(ends), sink)])
    capacity = np.concatenate([between, between, ends_of[ends_of > 0], -ends_of[ends_of < 0]])
    graph = coo_array((capacity, (rows, columns)), shape=(count + 2, count + 2)).tocsr()
    left = graph - maximum_flow(graph, source, sink).flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    reached = breadth_first_order(left, source, return_predecessors=False)
    region = np.zeros(count + 2, dtype=bool)
    region[reached] = True
    return np.asarray(region[:count].reshape(cost.shape))


def in_one_piece(region: Mask) -> Mask:
    """A region with its largest piece alone, and without holes."""
    from scipy.ndimage import label

    for chosen in (True, False):
        groups, count = label(region == chosen)
        if count > 1:
            region = np.where(groups == 1 + int(np.argmax(np.bincount(groups.ravel())[1:])), chosen, not chosen)
    return region
