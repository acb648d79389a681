"""Smile, open mouth and open eyes, from landmarks that look straight ahead."""

import numpy as np

from stylegan_latents.editing.discovery.scorers.scorer import Array
from stylegan_latents.invert.faces.landmarks import Landmarks

NAMES = ("smile", "mouth-open", "eyes-open", "brows-up")


def expression_scores(landmarks: Landmarks) -> Array:
    """Score expressions.

    Args:
        landmarks: of N faces, in millimetres, x to the viewer's right and y down, from ``look_ahead``.

    Returns:
        ``[N, 4]``, in the order of ``NAMES``, each growing with what its name says:

        - smile: how far apart the mouth's corners are, plus how far they lie above the upper lip's lower
          edge, over the eyes' distance. The lower lip has no part in it: a jaw that drops is no smile.
        - mouth-open: the gap between the lips over the eyes' distance.
        - eyes-open: the gap between the lids over the eye's width, the mean of both eyes.
        - brows-up: the brows' height over the eyes, over the eyes' distance.
    """
    left_eye, right_eye, lips = landmarks.left_eye, landmarks.right_eye, landmarks.inner_lips
    left, right = landmarks.mouth_corners[:, 0], landmarks.mouth_corners[:, 1]
    eyes = np.linalg.norm(right_eye[:, 3] - left_eye[:, 0], axis=-1)
    width = np.linalg.norm(right - left, axis=-1) / eyes
    lift = (lips[:, 2, 1] - ((left + right) / 2)[:, 1]) / eyes
    gap = sum(lips[:, low, 1] - lips[:, high, 1] for low, high in ((7, 1), (6, 2), (5, 3)))
    lids = (_openness(left_eye) + _openness(right_eye)) / 2
    both = np.concatenate([left_eye, right_eye], axis=1)
    brows = (both[..., 1].mean(1) - landmarks.brows[..., 1].mean(1)) / eyes
    return np.stack([width + lift, gap / 3 / eyes, lids, brows], axis=1)


def _openness(eye: Array) -> Array:
    """Mean gap between the lids over the width of one eye (the eye aspect ratio: Soukupova and Cech 2016)."""
    outer, upper1, upper2, inner, lower2, lower1 = (eye[:, index] for index in range(6))
    gap = np.linalg.norm(upper1 - lower1, axis=-1) + np.linalg.norm(upper2 - lower2, axis=-1)
    result: Array = gap / 2 / np.linalg.norm(outer - inner, axis=-1)
    return result
