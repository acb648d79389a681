"""Which part of an edited crop stands in for the photo's, and in which shade.

A turn moves hair, ears, neck and shoulders, too. A blend of two heads in different places is a smear, so where
things moved there is a cut: the face and what can come with it is the edited crop's, the rest is the photo's. The
cut is a minimum cut through the differences of the two (Kwatra et al., "Graphcut Textures", 2003): the seam runs
where they agree, along a plain wall or inside hair, and around what they don't.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from stylegan_latents.invert.paste_back.bend import displacement, pull

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

SIDE = 256
"""Colour correction, change and cuts are worked out on crops of this side."""

# Where FFHQ's crop has the face, turned or not: centre and half axes.
_FACE = (0.5, 0.57, 0.30, 0.345)
_MARGIN = 0.015
# A cut costs the more the farther inside it is: better through a wall than through hair, better hair than cheek.
_INWARDS = 25.0
_SOFTNESS = 0.006
# Levels of 255. Differences beyond the first are other content, hair against wall, not another shade.
_OTHER, _SHADE = 40.0, 20.0
# Levels of smoothed difference at which the residual starts to fade, and at which it is gone.
_UNMOVED, _MOVED = np.float32(6.0), np.float32(24.0)
_PRECISION = 64
_NEVER = 2**30


def bent(edited: Image.Image, reference: Image.Image) -> Image.Image:
    """``edited`` with its lowest part led back to where the same things are in ``reference``.

    Both are squares of the same size; where they are equal nothing moves.
    """
    change = moved_by(edited, reference)[:, :, 0]
    field = displacement(small(edited), small(reference), change, _face().astype(np.float32))
    if not field.any():
        return edited
    planes = [Image.fromarray(plane).resize(edited.size, Image.Resampling.BILINEAR) for plane in field]
    levels = pull(np.asarray(edited, dtype=np.float32), np.stack([np.asarray(plane) for plane in planes]), order=3)
    return Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))


def moved_by(edited: Image.Image, reference: Image.Image) -> Array:
    """How much the edit moves things, ``[side, side, 1]`` in 0 to 1: 0 for up to a few levels' difference."""
    difference = np.abs(np.asarray(edited, dtype=np.float32) - np.asarray(reference, dtype=np.float32))
    strongest = Image.fromarray(difference.max(axis=2).clip(0, 255).astype(np.uint8))
    spread = strongest.resize((SIDE, SIDE), Image.Resampling.BOX)
    spread = spread.filter(ImageFilter.MaxFilter(5))
    level = blur(np.asarray(spread, dtype=np.float32)[:, :, None], 0.012)
    return smoothstep((level - _UNMOVED) / (_MOVED - _UNMOVED))


def cut(crop: Array, edited: Array, reference: Array) -> tuple[Array, Array]:
    """Where the edited crop replaces the photo's, and what to add to it there.

    Args:
        crop, edited, reference: the crop of the photo, after the edit and before it, float32
            ``[SIDE, SIDE, 3]``, 0 to 255.

    Returns:
        ``inside``, ``[SIDE, SIDE, 1]``, from 1 to 0 across the cut, 0 at the crop's edge; and ``shift``,
        ``[SIDE, SIDE, 3]``, with which the shades meet at the cut.
    """
    shift = blur(np.clip(crop - reference, -_OTHER, _OTHER), 0.1)
    error = crop - (edited + shift)
    unlike = Image.fromarray(np.abs(error).max(axis=2).clip(0, 255).astype(np.uint8))
    difference = np.asarray(unlike.filter(ImageFilter.MaxFilter(3)), dtype=np.float32)
    slopes = sum(np.abs(np.gradient(error, axis=axis)).max(axis=2) for axis in (0, 1))
    along = coordinates()
    # A square with rounded corners: there is no face in the corners.
    eighths: Array = (along[None, :] - 0.5) ** 8 + (along[:, None] - 0.5) ** 8
    depth: Array = np.float32(0.5) - np.sqrt(np.sqrt(np.sqrt(eighths)))
    cost = (difference + slopes + 2) * (1 + _INWARDS * depth)
    region = best_seam(cost, _face(), depth < _MARGIN)
    inside = blur(region.astype(np.float32)[:, :, None], _SOFTNESS) * smoothstep(depth / _MARGIN)[:, :, None]
    return inside, shift + _meeting(np.clip(error, -_OTHER, _OTHER), inside)


def _meeting(error: Array, inside: Array) -> Array:
    """What is wrong in shade along the cut, spread from it and fading away."""
    edge = 4 * inside * (1 - inside)
    edge = edge / (1 + (np.abs(error).max(axis=2, keepdims=True) / _SHADE) ** 2)
    # Near the cut the narrow spread outweighs the wide ones; far away all are less than the constant.
    sigmas = (0.01, 0.03, 0.1)
    spread = sum(blur(edge * error, sigma) for sigma in sigmas)
    weight = sum(blur(edge, sigma) for sigma in sigmas)
    return np.asarray(spread / (weight + np.float32(0.02)), dtype=np.float32)


def _face() -> npt.NDArray[np.bool_]:
    across, down, width, height = _FACE
    along = coordinates()
    oval = ((along[None, :] - across) / width) ** 2 + ((along[:, None] - down) / height) ** 2 < 1
    return np.asarray(oval.reshape(SIDE, SIDE))


def best_seam(cost: Array, inside: Mask, outside: Mask) -> Mask:
    """The region around ``inside``, apart from ``outside``, whose border costs least.

    Args:
        cost: ``[height, width]``, 0 or above: what a seam through each pixel costs.
        inside: ``[height, width]``, pixels that have to be in the region.
        outside: ``[height, width]``, pixels that must not be; wins over ``inside``.

    Returns:
        ``[height, width]``; nothing when there is no pixel inside, everything when there is none outside.
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
    starts, ends = number[inside], number[outside]
    rows = np.concatenate([first, second, np.full(len(starts), source), ends])
    columns = np.concatenate([second, first, starts, np.full(len(ends), sink)])
    capacity = np.concatenate([between, between, np.full(len(starts) + len(ends), _NEVER, dtype=np.int32)])
    graph = coo_array((capacity, (rows, columns)), shape=(count + 2, count + 2)).tocsr()
    left = graph - maximum_flow(graph, source, sink).flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    reached = breadth_first_order(left, source, return_predecessors=False)
    region = np.zeros(count + 2, dtype=bool)
    region[reached] = True
    return np.asarray(region[:count].reshape(cost.shape))


def small(crop: Image.Image) -> Array:
    """A square picture as a field, float32 ``[SIDE, SIDE, 3]``, 0 to 255."""
    return np.asarray(crop.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32)


def coordinates() -> Array:
    """The middles of a field's pixels along one axis, from 0 to 1."""
    return (np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(SIDE)


def blur(field: Array, sigma: float) -> Array:
    """Gaussian blur, by FFT with mirrored edges; ``sigma`` is a fraction of the side."""
    side = field.shape[0]
    mirrored = np.concatenate([field, field[::-1]], axis=0)
    mirrored = np.concatenate([mirrored, mirrored[:, ::-1]], axis=1)
    frequency = np.fft.fftfreq(2 * side)
    decay = np.exp(-2 * (np.pi * sigma * side * frequency) ** 2)
    spectrum = np.fft.fft2(mirrored, axes=(0, 1)) * (decay[:, None] * decay[None, :])[:, :, None]
    return np.ascontiguousarray(np.fft.ifft2(spectrum, axes=(0, 1)).real[:side, :side], dtype=np.float32)


def smoothstep(values: Array) -> Array:
    """0 up to 0, 1 from 1 on, and level at both ends."""
    values = np.clip(values, 0, 1)
    return np.asarray(values * values * (3 - 2 * values), dtype=np.float32)
