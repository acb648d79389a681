"""The crop of each frame of a film: smoothed over time, interpolated over short gaps, separate for each scene."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stylegan_latents.invert.films.smooth import smooth
from stylegan_latents.invert.photos.crop import Array

GAP_SECONDS = 0.7
"""The longest gap without a face that is interpolated."""

# A new scene: the crop moves by more than this fraction of its side between two frames, or scales by more.
_JUMP, _ZOOM = 0.35, 1.35
_LEAST = 2  # fewer frames with a face are a false detection


@dataclass(frozen=True, eq=False)
class CropPath:
    """The crops of the frames with a face.

    Attributes:
        frames: numbers of the frames, ascending.
        quads: float64 ``[N, 4, 2]``, as in ``Alignment``.
        seen: whether the face was found in each; if not, its crop is interpolated.
        scenes: a slice of the above for each scene.
    """

    frames: list[int]
    quads: Array
    seen: list[bool]
    scenes: list[slice]


def plan_crops(
    frames: Sequence[int], quads: Sequence[Array | None], seconds: float, cutoff: float | None
) -> CropPath:
    """Smooth the crops that were found frame by frame.

    Args:
        frames: numbers of the frames, evenly spaced.
        quads: the crop of each, ``[4, 2]``; None where no face was found.
        seconds: from one frame to the next.
        cutoff: frequency in Hz above which movement of the crop is noise; None does not smooth.

    Returns:
        The path; empty if no face was found.
    """
    found = [index for index, quad in enumerate(quads) if quad is not None]
    path = CropPath([], np.zeros((0, 4, 2)), [], [])
    parts = []
    for scene in _scenes(found, quads, max(1, round(GAP_SECONDS / seconds))):
        if len(scene) < min(_LEAST, len(frames)):
            continue
        indices = range(scene[0], scene[-1] + 1)
        known = np.array([quads[index] is not None for index in indices])
        given = np.array([_numbers(quad) for quad in (quads[index] for index in indices)])
        per_step = None if cutoff is None or cutoff * seconds >= 0.5 else cutoff * seconds
        numbers = smooth(given, known, per_step, robust=True)
        path.scenes.append(slice(len(path.frames), len(path.frames) + len(indices)))
        path.frames.extend(frames[index] for index in indices)
        path.seen.extend(known.tolist())
        parts.append(np.stack([_quad(row) for row in numbers]))
    return CropPath(path.frames, np.concatenate(parts) if parts else path.quads, path.seen, path.scenes)


def _scenes(found: Sequence[int], quads: Sequence[Array | None], longest: int) -> list[list[int]]:
    """The frames with a face, split at long gaps and jumps."""
    scenes: list[list[int]] = []
    for index in found:
        quad = quads[index]
        before = quads[scenes[-1][-1]] if scenes else None
        if before is None or quad is None or index - scenes[-1][-1] - 1 > longest or _is_jump(before, quad):
            scenes.append([])
        scenes[-1].append(index)
    return scenes


def _is_jump(before: Array, after: Array) -> bool:
    sides = [float(np.hypot(*(quad[3] - quad[0]))) for quad in (before, after)]
    moved = float(np.hypot(*(after.mean(axis=0) - before.mean(axis=0))))
    return moved > _JUMP * min(sides) or max(sides) > _ZOOM * min(sides)


def _numbers(quad: Array | None) -> Array:
    """A square as its centre and half its top edge: means of these four numbers are squares, too."""
    if quad is None:
        return np.zeros(4)
    return np.concatenate([quad.mean(axis=0), (quad[3] - quad[0]) / 2])


def _quad(numbers: Array) -> Array:
    centre, across = numbers[:2], numbers[2:]
    down = np.array([-across[1], across[0]])
    return np.stack(
        [centre - across - down, centre - across + down, centre + across + down, centre + across - down]
    )


def quad_between(first: Array, second: Array, fraction: float) -> Array:
    """The square a fraction of the way from one square to another."""
    return _quad((1 - fraction) * _numbers(first) + fraction * _numbers(second))
