"""Whittaker smoothing of time series (1923; Eilers, "A perfect smoother", 2003).

Minimises the squared distance from the values plus a penalty on squared second differences, over the whole series,
so that the result does not lag. Missing values are interpolated.
"""

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_FREE = 1e-6  # a penalty that only matters where values are missing
_ROUNDS = 4
_OUTLIER = 3.0  # in robust standard deviations
_COLUMNS = 1024


def stiffness(cutoff: float) -> float:
    """The penalty that halves the amplitude at a frequency of ``cutoff`` cycles per value (0 to 0.5)."""
    return (2 * math.sin(math.pi * cutoff)) ** -4


def smooth(values: Array, known: npt.NDArray[np.bool_], cutoff: float | None, *, robust: bool = False) -> Array:
    """Smooth columns of numbers over time.

    Args:
        values: ``[N, D]``, evenly spaced in time.
        known: ``[N]``, which rows are given, the first and the last among them; the others are interpolated.
        cutoff: frequency in cycles per row above which changes are noise; None changes no given row.
        robust: give outliers less weight.

    Returns:
        ``[N, D]``.

    Raises:
        ValueError: the first or the last row is missing, or the cutoff is not above 0 and at most 0.5.
    """
    if not (known[0] and known[-1]):
        raise ValueError("smoothing needs the first and the last value")
    if cutoff is not None and not 0 < cutoff <= 0.5:
        raise ValueError(f"a cutoff is above 0 and at most 0.5, not {cutoff}")
    if len(values) < 3 or (cutoff is None and known.all()):
        return values.copy()
    penalty = _FREE if cutoff is None else stiffness(cutoff)
    given = np.where(known[:, None], values, 0.0)
    weights = known.astype(np.float64)
    result = _solve(given, weights, penalty)
    for _ in range(_ROUNDS if robust and cutoff is not None else 0):
        away = np.sqrt(((given - result) ** 2).sum(axis=1))
        usual = 1.4826 * float(np.median(away[known]))
        if usual == 0:
            break
        weights = known * np.minimum(1.0, _OUTLIER * usual / np.maximum(away, 1e-12))
        result = _solve(given, weights, penalty)
    if cutoff is None:
        result[known] = values[known]
    return result


def _solve(values: Array, weights: Array, penalty: float) -> Array:
    """Minimise weighted squared distances from the values plus ``penalty`` times squared second differences."""
    from scipy.linalg import solveh_banded

    count = len(values)
    bands = np.zeros((3, count))
    bands[2] = weights
    for at, factor in enumerate((1, 4, 1)):
        bands[2, at : count - 2 + at] += factor * penalty
    bands[1, 1:-1] -= 2 * penalty
    bands[1, 2:] -= 2 * penalty
    bands[0, 2:] += penalty
    parts = [
        solveh_banded(bands, weights[:, None] * values[:, start : start + _COLUMNS])
        for start in range(0, values.shape[1], _COLUMNS)
    ]
    return np.concatenate(parts, axis=1)
