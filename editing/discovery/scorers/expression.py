"""Smile, open mouth and open eyes, from landmarks that look straight ahead."""

import numpy as np

from stylegan_latents.editing.discovery.scorers.scorer import Array

NAMES = ("smile", "mouth-open", "eyes-open", "brows-up")
_LEFT_EYE, _RIGHT_EYE = range(36, 42), range(42, 48)


def expression_scores(points: Array) -> Array:
    """Score expressions.

    Args:
        points: ``[N, 68, 2]`` in millimetres, x to the viewer's right and y down, from
            ``look_ahead``.

    Returns:
        ``[N, 4]``, in the order of ``NAMES``, each growing with what its name says:

        - smile: how far apart the mouth's corners are, plus how far they lie above the upper lip's lower
          edge, over the eyes' distance. The lower lip has no part in it: a jaw that drops is no smile.
        - mouth-open: the gap between the lips over the eyes' distance.
        - eyes-open: the gap between the lids over the eye's width, the mean of both eyes.
        - brows-up: the brows' height over the eyes, over the eyes' distance.
    """
    eyes = np.linalg.norm(points[:, 45] - points[:, 36], axis=-1)
    corners = (points[:, 48] + points[:, 54]) / 2
    width = np.linalg.norm(points[:, 54] - points[:, 48], axis=-1) / eyes
    lift = (points[:, 62, 1] - corners[:, 1]) / eyes
    gap = sum(points[:, low, 1] - points[:, high, 1] for low, high in ((67, 61), (66, 62), (65, 63)))
    lids = (_openness(points, _LEFT_EYE) + _openness(points, _RIGHT_EYE)) / 2
    brows = (points[:, 36:48, 1].mean(1) - points[:, 17:27, 1].mean(1)) / eyes
    return np.stack([width + lift, gap / 3 / eyes, lids, brows], axis=1)


def _openness(points: Array, eye: range) -> Array:
    """Mean gap between the lids over the width of one eye (the eye aspect ratio: Soukupova and Cech 2016)."""
    outer, upper1, upper2, inner, lower2, lower1 = (points[:, index] for index in eye)
    gap = np.linalg.norm(upper1 - lower1, axis=-1) + np.linalg.norm(upper2 - lower2, axis=-1)
    result: Array = gap / 2 / np.linalg.norm(outer - inner, axis=-1)
    return result
