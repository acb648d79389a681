"""Warping the lower edge of an edited crop back to where it was before the edit.

A turned head moves neck and shoulders, which stay in the photo, so that a cut through them shows a step. Here the
lowest part of the edited crop is warped onto the crop before the edit; the displacement fades out towards the face.

The displacement is an optical flow, computed coarse to fine (Horn and Schunck, "Determining optical flow", 1981;
Brox et al., "High accuracy optical flow estimation based on a theory for warping", 2004).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

# Fractions of the crop's side: begin of the warped part, of the fully warped part, and the largest
# displacement.
_FROM, _FULLY, _FARTHEST = 0.90, 0.96, 0.12
_SIDES = (16, 32, 64)
_ROUNDS = 3
_STIFFNESS = 100.0
_STILL, _REST = 1e5, 0.02
# Levels of 255 beyond which a difference is other content rather than movement.
_OTHER = 30.0


def displacement(edited: Array, reference: Array, change: Array, still: Array) -> Array:
    """The displacement from each pixel of the warped crop to its source.

    Args:
        edited: float32 ``[side, side, C]``, levels from 0 to 255; ``side`` is a multiple of 64.
        reference: the crop before the edit, of the same size.
        change: ``[side, side]``, 1 where the edit moved things, 0 where it did not.
        still: ``[side, side]``, 1 where nothing may move.

    Returns:
        ``[2, side, side]``, x and y, as fractions of the side.
    """
    side = edited.shape[0]
    height = (np.arange(side, dtype=np.float32) + 0.5) / side
    weight = np.clip((height - _FROM) / (_FULLY - _FROM), 0, 1)[:, None] * change
    return smooth_displacement(edited, reference, weight, still)


def smooth_displacement(
    picture: Array,
    goal: Array,
    weight: Array,
    still: Array,
    stiffness: float = _STIFFNESS,
    farthest: float = _FARTHEST,
) -> Array:
    """The smooth displacement that warps a picture onto another; the result is that of ``displacement``.

    Args:
        picture, goal: float32 ``[side, side, C]``, levels from 0 to 255; ``side`` is a multiple of 64.
        weight: ``[side, side]``, how much each place tells, from 0 to 1.
        still: ``[side, side]``, 1 where nothing may move.
        stiffness: what a difference between neighbours costs.
        farthest: the largest displacement, as a fraction of the side.
    """
    from scipy.ndimage import gaussian_filter, zoom
    from scipy.sparse import block_array, diags_array
    from scipy.sparse.linalg import spsolve

    side = picture.shape[0]
    field = np.zeros((2, _SIDES[0], _SIDES[0]), dtype=np.float32)
    for small in _SIDES:
        moving, fixed = (gaussian_filter(_reduced(one, small), (0.7, 0.7, 0)) for one in (picture, goal))
        trust, held = (_reduced(plane[:, :, None], small)[:, :, 0] for plane in (weight, still))
        field = np.stack([zoom(plane, small / plane.shape[0], order=1) for plane in field])
        bending = stiffness * _laplacian(small)
        anchor = (_STILL * held + _REST).ravel()
        for _ in range(_ROUNDS):
            warped = warp(moving, field)
            down, across = np.gradient(warped, axis=(0, 1))
            error = fixed - warped
            weights = (trust / (1 + (np.abs(error).max(axis=2) / _OTHER) ** 2))[:, :, None] / error.shape[2]
            xx, xy, yy = (
                (weights * first * second).sum(axis=2).ravel()
                for first, second in ((across, across), (across, down), (down, down))
            )
            x, y = (field * small).reshape(2, -1)
            matrix = block_array(
                [
                    [diags_array(xx + anchor) + bending, diags_array(xy)],
                    [diags_array(xy), diags_array(yy + anchor) + bending],
                ]
            ).tocsc()
            known = [
                (weights * slope * error).sum(axis=2).ravel() - anchor * so_far - bending @ so_far
                for slope, so_far in ((across, x), (down, y))
            ]
            step = np.clip(spsolve(matrix, np.concatenate(known)).reshape(2, small, small), -1.5, 1.5)
            field = np.clip(field + (step / small).astype(np.float32), -farthest, farthest)
    return np.stack([zoom(plane, side / plane.shape[0], order=1) for plane in field])


def warp(picture: Array, field: Array, order: int = 1) -> Array:
    """Warp a picture ``[height, width, C]`` by a displacement ``[2, height, width]`` in fractions of the sides."""
    from scipy.ndimage import map_coordinates

    height, width, channels = picture.shape
    points = np.mgrid[:height, :width].astype(np.float32)
    points[0] += field[1] * height
    points[1] += field[0] * width
    planes = [map_coordinates(picture[:, :, c], points, order=order, mode="nearest") for c in range(channels)]
    return np.stack(planes, axis=2)


def _reduced(picture: Array, side: int) -> Array:
    """Area average down to ``[side, side, C]``."""
    factor = picture.shape[0] // side
    return np.asarray(picture.reshape(side, factor, side, factor, -1).mean(axis=(1, 3)))


def _laplacian(side: int) -> Any:
    """The sum of squared differences between neighbours of ``[side, side]``, as a matrix."""
    from scipy.sparse import diags_array, eye_array, kron

    ones = np.ones(side - 1)
    difference = diags_array([-ones, ones], offsets=[0, 1], shape=(side - 1, side))
    along, same = difference.T @ difference, eye_array(side)
    return kron(along, same) + kron(same, along)
