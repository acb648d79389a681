"""Colours and edges at places of an aligned face, which an edit should preserve.

Places follow the landmarks. Colours are in [0, 1].
"""

import numpy as np
import numpy.typing as npt

from stylegan_latents.editing.discovery.scorers.scorer import Array
from stylegan_latents.invert.faces.landmarks import Landmarks

NAMES = (
    "skin-light", "skin-red", "skin-yellow", "hair-light", "hair-red", "background-light",
    "background-colour", "contrast", "glasses", "beard",
)  # fmt: skip

_LUMA = np.array([0.299, 0.587, 0.114])


def appearance_scores(pixels: npt.NDArray[np.uint8], landmarks: Landmarks) -> Array:
    """Score one picture.

    Args:
        pixels: uint8 ``[H, W, 3]``, a face aligned as FFHQ's.
        landmarks: in pixels.

    Returns:
        ``[10]``, in the order of ``NAMES``: lightness (0 to 1) and redness and yellowness (colour
        differences) of the cheeks; lightness and redness above the brow, where hair is or a high forehead;
        lightness and colourfulness of the picture's upper corners; the standard deviation of lightness; edges
        on the bridge of the nose and under the eyes, where glasses have rims; and how much darker chin and
        upper lip are than the cheeks, where a beard grows.
    """
    image = pixels.astype(np.float64) / 255
    light = image @ _LUMA
    width = light.shape[1]
    left_eye, right_eye, lips = landmarks.left_eye, landmarks.right_eye, landmarks.outer_lips
    eyes = float(np.linalg.norm(right_eye[3] - left_eye[0]))
    corners = landmarks.mouth_corners
    cheeks = [(left_eye[4] + corners[0]) / 2, (right_eye[5] + corners[1]) / 2]
    skin = np.mean([_patch(image, cheek, 0.1 * eyes).mean((0, 1)) for cheek in cheeks], axis=0)
    brow = landmarks.brows.mean(0)
    down = landmarks.chin - brow
    hair = _patch(image, brow - 0.75 * down, 0.25 * eyes).mean((0, 1))
    corner = width // 8
    backdrop = np.concatenate([image[:corner, :corner], image[:corner, -corner:]]).mean((0, 1))
    chin = _patch(image, np.stack([landmarks.chin, lips[9]]).mean(0), 0.12 * eyes).mean((0, 1))
    lip = _patch(image, np.stack([landmarks.nose_base[2], lips[3]]).mean(0), 0.06 * eyes).mean((0, 1))
    return np.array(
        [
            skin @ _LUMA,
            skin[0] - skin @ _LUMA,
            skin @ _LUMA - skin[2],
            hair @ _LUMA,
            hair[0] - hair @ _LUMA,
            backdrop @ _LUMA,
            backdrop.max() - backdrop.min(),
            light.std(),
            _rims(light, landmarks, eyes),
            (skin - (chin + lip) / 2) @ _LUMA,
        ]
    )


def _rims(light: Array, landmarks: Landmarks, eyes: float) -> float:
    """Mean size of vertical changes of lightness on the bridge of the nose and under both eyes."""
    top, next_to_top = landmarks.nose_bridge[:2]
    bridge = _patch(light, top + 0.2 * (next_to_top - top), 0.09 * eyes)
    lids = (landmarks.left_eye[5], landmarks.right_eye[4])  # the lower ones, away from the nose
    below = [_patch(light, lid + np.array([0, 0.2 * eyes]), 0.12 * eyes) for lid in lids]
    edges = [np.abs(np.diff(patch, axis=0)).mean() for patch in (bridge, bridge, *below)]
    return float(np.mean(edges))


def _patch(image: Array, centre: Array, radius: float) -> Array:
    """A square about ``centre`` (x, y), cut at the picture's border, of at least two by two pixels."""
    height, width = image.shape[:2]
    radius = max(radius, 1.0)
    left, top = np.clip(np.round(centre - radius).astype(int), 0, (width - 2, height - 2))
    right, bottom = np.round(centre + radius).astype(int) + 1
    return image[top : max(bottom, top + 2), left : max(right, left + 2)]
