"""Low-pass filters by the window method, for alias-free resampling.

Karras et al., "Alias-Free Generative Adversarial Networks", 2021, appendix C.1: a Kaiser window times the ideal
filter's impulse response, a sinc along one axis, or a jinc for a radial filter. The window's formulas are those of
Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", 1974.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray

Taps = tuple[float, ...]
Grid = tuple[Taps, ...]


def lowpass(taps: int, cutoff: float, width: float, rate: float) -> Taps:
    """A one-dimensional low-pass filter with the sum 1, rounded to float32, in which networks store it.

    Args:
        taps: number of taps; 1 gives the identity.
        cutoff: frequency at which the response is one half.
        width: of the transition band.
        rate: sampling rate, in the unit of ``cutoff`` and ``width``.

    Raises:
        ValueError: a size is out of range.
    """
    _check(taps, cutoff, width, rate)
    if taps == 1:
        return (1.0,)
    at = np.arange(taps) - (taps - 1) / 2
    response = np.sinc(2 * cutoff / rate * at) * _window(taps, width, rate)
    return _rounded(response / response.sum())


def radial_lowpass(taps: int, cutoff: float, width: float, rate: float) -> Grid:
    """A two-dimensional low-pass filter ``[taps, taps]`` with the sum 1 and a circular cutoff.

    Args and errors are those of ``lowpass``; the number of taps has to be even, as the jinc is undefined at 0.
    """
    _check(taps, cutoff, width, rate)
    if taps % 2:
        raise ValueError(f"a radial filter needs an even number of taps, got {taps}")
    at = (np.arange(taps) - (taps - 1) / 2) / rate
    radius = np.hypot(at[:, None], at[None, :])
    jinc = torch.special.bessel_j1(torch.from_numpy(2 * math.pi * cutoff * radius)).numpy() / radius
    window = _window(taps, width, rate)
    response = jinc * window[:, None] * window[None, :]
    response = response / response.sum()
    return tuple(_rounded(row) for row in response)


def _check(taps: int, cutoff: float, width: float, rate: float) -> None:
    if taps < 1 or not 0 < cutoff < rate / 2 or not 0 < width < 4 * rate:
        raise ValueError(f"no low-pass filter has {taps} taps, cutoff {cutoff} and width {width} at rate {rate}")


def _window(taps: int, width: float, rate: float) -> NDArray[np.float64]:
    """The Kaiser window whose attenuation fits the transition band."""
    attenuation = 2.285 * (taps - 1) * math.pi * width / (rate / 2) + 7.95  # in decibels
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    elif attenuation > 21:
        beta = 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    else:
        beta = 0.0
    return np.kaiser(taps, beta)


def _rounded(values: NDArray[np.float64]) -> Taps:
    return tuple(float(value) for value in values.astype(np.float32))
