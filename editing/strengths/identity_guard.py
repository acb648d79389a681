"""The largest part of an edit that leaves a face the same person's."""

from collections.abc import Callable
from dataclasses import dataclass

_SCAN, _HALVINGS = 8, 4


@dataclass(frozen=True)
class Step:
    """How far an edit may go.

    Attributes:
        part: from 0, nothing, to 1, the whole edit.
        distance: the identity distance there.
    """

    part: float
    distance: float


def largest_step(distance: Callable[[float], float], bound: float) -> Step:
    """Search for the largest part of an edit whose identity distance stays under a bound.

    The whole edit is tried first, then less of it in eighths, and the eighth that crosses the bound is halved.

    Args:
        distance: a part in [0, 1] to the distance between the faces before and after it; NaN where no face is
            seen, which counts as beyond any bound.
        bound: largest distance allowed; below 0.6 dlib's network takes two faces for one person's.
    """
    kept, beyond = Step(0.0, 0.0), 1.0
    for eighths in range(_SCAN, 0, -1):
        part = eighths / _SCAN
        there = distance(part)
        if there <= bound:
            kept = Step(part, there)
            break
        beyond = part
    if kept.part == 1.0:
        return kept
    for _ in range(_HALVINGS):
        part = (kept.part + beyond) / 2
        there = distance(part)
        if there <= bound:
            kept = Step(part, there)
        else:
            beyond = part
    return kept
