"""The pace of every search: how its learning rate goes."""

import math


def schedule(t: float) -> float:
    """The learning rate's factor at ``t`` of the search, 0 to 1: a short ramp, level, then a cosine to 0."""
    ramp = min(1.0, t / 0.05)
    return ramp if t < 0.5 else ramp * (0.5 + 0.5 * math.cos(math.pi * (t - 0.5) / 0.5))
