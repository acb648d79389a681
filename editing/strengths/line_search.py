"""Line search for the strength at which the edited picture has a given score."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from stylegan_latents.generator.errors import InputError

FURTHEST = 5.0
"""The largest strength tried, either way."""

_FIRST_STEP, _FINEST = 1.0, 0.02


@dataclass(frozen=True)
class Reached:
    """Where a search ended: the strength, the score there, and the score at strength 0."""

    strength: float
    score: float
    start: float


def strength_for(
    score: Callable[[float], float],
    target: float,
    *,
    name: str = "the score",
    unit: str = "",
    furthest: float = FURTHEST,
) -> Reached:
    """Search along a direction for a score, by steps outwards and then Brent's method.

    Args:
        score: the score at a strength; NaN where the picture cannot be scored. It has to grow with the strength
            overall, not at every step.
        target: the score to reach.
        name, unit: of the score, for messages.
        furthest: largest strength tried, either way.

    Returns:
        A strength within 0.02 of the one that gives ``target``.

    Raises:
        InputError: the target is not finite, the unedited picture cannot be scored, or no strength reaches it.
    """
    from scipy.optimize import brentq

    if not math.isfinite(target):
        raise InputError(f"The target of {name} has to be a finite number, not {target}.")
    scores: dict[float, float] = {}

    def difference(strength: float) -> float:
        if strength not in scores:
            scores[strength] = score(strength)
        return scores[strength] - target

    start = difference(0.0)
    if math.isnan(start):
        raise InputError(f"{name} cannot be measured on this picture; use --strength.")
    if start == 0:
        return Reached(0.0, target, target)
    sign = -math.copysign(1.0, start)
    inside, step = 0.0, _FIRST_STEP
    while True:
        outside = sign * min(abs(inside) + step, furthest)
        there = difference(outside)
        if not math.isnan(there) and there * start <= 0:
            break
        if math.isnan(there) or abs(outside) >= furthest:
            least, most = (bound(value for value in scores.values() if value == value) for bound in (min, max))
            raise InputError(
                f"{name} is {f'{scores[0.0]:.3g} {unit}'.rstrip()} here and ranges from {least:.3g} to {most:.3g} "
                f"up to strength {outside:+.3g}, without reaching {target:g}; give a target in that range."
            )
        inside = outside
    found = float(brentq(difference, inside, outside, xtol=_FINEST, rtol=1e-9, disp=False))
    # The nearest of those measured: a score that jumps has no exact solution.
    best = min(
        (strength for strength, value in scores.items() if not math.isnan(value)),
        key=lambda strength: (abs(scores[strength] - target), abs(strength - found)),
    )
    return Reached(best, scores[best], scores[0.0])
