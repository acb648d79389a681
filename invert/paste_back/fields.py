"""Smooth fields over a crop, at the resolution at which pasting back is computed."""

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[np.float32]

SIDE = 256
"""The side of the crops on which colour correction, change and cuts are computed."""


def small(crop: Image.Image) -> Array:
    """A square picture resized to float32 ``[SIDE, SIDE, 3]``, 0 to 255."""
    return np.asarray(crop.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32)


def coordinates() -> Array:
    """The centres of ``SIDE`` pixels along one axis, from 0 to 1."""
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
    """The cubic smoothstep: 0 up to 0, 1 from 1 on."""
    values = np.clip(values, 0, 1)
    return np.asarray(values * values * (3 - 2 * values), dtype=np.float32)
