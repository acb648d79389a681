"""Frames in HDR (HLG and PQ, ITU-R BT.2100), tone-mapped to sRGB.

FFmpeg's own conversion takes some five seconds to begin with each film, and cuts off whatever is brighter than
white.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

HDR = {16: "PQ", 18: "HLG"}
"""FFmpeg's numbers of transfer functions in HDR."""

_Bytes = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]
_WHITE = 203.0  # cd/m2 of what is white in SDR (ITU-R BT.2408)
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2  # of the display that HLG is graded on
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)
_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
_KNEE = 0.75  # of white: darker colours are exact, brighter ones share what is left up to white
_STEPS = 1 << 14


def to_sdr(signal: npt.NDArray[np.uint16], transfer: str) -> _Bytes:
    """Map a frame to SDR.

    Colours up to three quarters of SDR's white (203 cd/m2) come out as they are displayed; brighter ones are
    compressed by their largest channel, which keeps their hue.

    Args:
        signal: RGB in BT.2020 primaries, as it is coded, ``[H, W, 3]``, 0 to 65535.
        transfer: ``HLG`` or ``PQ``.

    Returns:
        sRGB, ``[H, W, 3]``.
    """
    light = _light(transfer)[signal.reshape(-1, 3)]
    if transfer == "HLG":
        scene = light @ _LUMINANCE
        light *= (_HLG_PEAK / _WHITE * np.maximum(scene, np.float32(1e-9)) ** (_HLG_GAMMA - 1))[:, None]
    light = np.maximum(light @ _TO_BT709.T, 0)
    peak = light.max(axis=1)
    bright = np.flatnonzero(peak > _KNEE)
    mapped = _KNEE + (1 - _KNEE) * (1 - np.exp((_KNEE - peak[bright]) / (1 - _KNEE)))
    light[bright] *= (mapped / peak[bright])[:, None]
    coded: _Bytes = _srgb()[(np.minimum(light, 1) * (_STEPS - 1) + np.float32(0.5)).astype(np.uint16)]
    coded.shape = signal.shape
    return coded


@cache
def _light(transfer: str) -> _Floats:
    """Linear light of each coded value: of the scene, 0 to 1, for HLG; displayed, 1 for SDR's white, for PQ."""
    coded = np.arange(1 << 16) / 65535
    if transfer == "HLG":
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    else:
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        root = coded ** (1 / m2)
        light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * (10_000 / _WHITE)
    return light.astype(np.float32)


@cache
def _srgb() -> _Bytes:
    light = np.arange(_STEPS) / (_STEPS - 1)
    coded: _Floats = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * coded).astype(np.uint8)
