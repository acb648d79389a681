"""The landmarks of a plain face about FFHQ's frame."""

import numpy as np

from stylegan_latents.invert.faces.landmarks import Landmarks


def plain_face(chin: float = 0.86) -> Landmarks:
    """In sides of the crop, with the chin at this height."""
    turn = np.linspace(np.pi, 0, 17)
    jaw = np.stack([0.5 + 0.25 * np.cos(turn), 0.5 + (chin - 0.5) * np.sin(turn)], axis=1)
    brows = np.stack([np.r_[np.linspace(0.3, 0.45, 5), np.linspace(0.55, 0.7, 5)], np.full(10, 0.4)], axis=1)
    nose = np.r_[
        np.stack([np.full(4, 0.5), np.linspace(0.45, 0.58, 4)], axis=1),
        np.stack([np.linspace(0.45, 0.55, 5), np.full(5, 0.61)], axis=1),
    ]
    ring = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    eyes = [np.stack([x + 0.045 * np.cos(ring), 0.46 + 0.02 * np.sin(ring)], axis=1) for x in (0.38, 0.62)]
    ring = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    lips = np.stack([0.5 + 0.1 * np.cos(ring), 0.71 + 0.035 * np.sin(ring)], axis=1)
    inner = np.stack([np.linspace(0.42, 0.58, 8), np.full(8, 0.71)], axis=1)
    return Landmarks.from_ibug(np.concatenate([jaw, brows, nose, *eyes, lips, inner]))
