"""Head pose from landmarks, and expressions from landmarks in a frontal pose.

A generic head is fitted to the landmarks by least squares under a scaled orthographic camera (POSIT, DeMenthon and
Davis 1995), a good approximation for portraits taken from more than a metre. Only points on bone are used (eye
corners, nose, the outline beside the ears), so that expressions do not change the pose.

Axes: x to the viewer's right, y down, z towards the viewer.
"""

import numpy as np

from stylegan_latents.editing.discovery.scorers.scorer import Array
from stylegan_latents.invert.faces.landmarks import Landmarks

# Rough positions on an adult head in millimetres, after anthropometric means of the breadth of face and eyes and
# the height of nose, mouth and face. The origin lies between the eyes.
HEAD = Landmarks(
    outline=np.array([
        (-72, -5, -82), (-71, 15, -77), (-69, 35, -70), (-66, 54, -60), (-60, 73, -45), (-50, 90, -28),
        (-36, 103, -12), (-18, 110, 2), (0, 112, 8), (18, 110, 2), (36, 103, -12), (50, 90, -28),
        (60, 73, -45), (66, 54, -60), (69, 35, -70), (71, 15, -77), (72, -5, -82),
    ], dtype=np.float64),
    left_brow=np.array([(-58, -14, -12), (-50, -21, -2), (-40, -23, 5), (-29, -21, 9), (-17, -18, 12)], np.float64),
    right_brow=np.array([(17, -18, 12), (29, -21, 9), (40, -23, 5), (50, -21, -2), (58, -14, -12)], np.float64),
    nose_bridge=np.array([(0, -2, 14), (0, 8, 20), (0, 18, 27), (0, 29, 34)], np.float64),
    nose_base=np.array([(-14, 38, 14), (-7, 40, 19), (0, 42, 21), (7, 40, 19), (14, 38, 14)], np.float64),
    left_eye=np.array([
        (-45, 0, -8), (-36, -5, 2), (-25, -5, 3), (-16, 1, 0), (-25, 4, 3), (-36, 4, 2),
    ], dtype=np.float64),
    right_eye=np.array([
        (16, 1, 0), (25, -5, 3), (36, -5, 2), (45, 0, -8), (36, 4, 2), (25, 4, 3),
    ], dtype=np.float64),
    outer_lips=np.array([
        (-25, 68, 8), (-15, 63, 16), (-6, 60, 21), (0, 61, 23), (6, 60, 21), (15, 63, 16),
        (25, 68, 8), (16, 73, 15), (7, 75, 19), (0, 76, 20), (-7, 75, 19), (-16, 73, 15),
    ], dtype=np.float64),
    inner_lips=np.array([
        (-21, 68, 10), (-8, 66, 19), (0, 67, 20), (8, 66, 19), (21, 68, 10), (8, 69, 18), (0, 69, 19), (-8, 69, 18),
    ], dtype=np.float64),
    mouth_corners=np.array([(-25, 68, 8), (25, 68, 8)], np.float64),
)  # fmt: skip
"""A generic head's landmarks in three dimensions, ``[k, 3]`` each."""

EXPRESSIONS = ("smile", "mouth-open", "eyes-open", "brows-up")
"""The names of ``expression_scores``."""

_EARS = [0, 1, 2, 3, 13, 14, 15, 16]  # points of the outline beside the ears
# Points on the outline slide along the head as it turns, so they count less than fixed ones.
_WEIGHT = np.where(np.arange(21) < len(_EARS), 0.3, 1.0)
_STEPS = 12
# The largest last step: radians, logarithm of the scale, pixels. The next would be a tenth of it at most.
_SETTLED = 1e-8


def fit_head(landmarks: Landmarks) -> tuple[Array, Array]:
    """Fit the generic head to landmarks.

    Args:
        landmarks: of N faces, in pixels.

    Returns:
        ``[N, 6]``: yaw, pitch and roll in radians, the scale in pixels per millimetre, and x and y in pixels
        of the point between the eyes. Positive yaw turns the face towards the viewer's right, positive pitch
        up, positive roll clockwise. And ``[N]``: the root mean square distance in millimetres that remains.
    """
    points = _on_bone(landmarks)
    spread = np.linalg.norm(points[:, -1] - points[:, -4], axis=-1)
    middle = points[:, -4:].mean(1)
    zero = np.zeros(len(points))
    # Start with a frontal head, scaled by the distance between the outer eye corners.
    values = np.stack([zero, zero, zero, np.log(spread / 90.0), middle[:, 0], middle[:, 1]], axis=1)
    for _ in range(_STEPS):
        residual = _residual(values, points)
        jacobian = np.empty((*residual.shape, values.shape[1]))
        for index, epsilon in enumerate((1e-5, 1e-5, 1e-5, 1e-5, 1e-3, 1e-3)):
            moved = values.copy()
            moved[:, index] += epsilon
            jacobian[..., index] = (_residual(moved, points) - residual) / epsilon
        transposed = jacobian.transpose(0, 2, 1)
        normal = transposed @ jacobian
        normal += 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(values.shape[1])
        step = np.linalg.solve(normal, transposed @ residual[..., None])[..., 0]
        # Early steps overshoot: at most half a radian, or a factor of exp(0.5), each.
        step[:, :4] = np.clip(step[:, :4], -0.5, 0.5)
        values = values - step
        if (np.abs(step) < _SETTLED).all():
            break
    remaining = _residual(values, points).reshape(len(points), -1, 2)
    error = np.sqrt((remaining**2).sum(-1).mean(-1)) / np.exp(values[:, 3])
    values[:, 3] = np.exp(values[:, 3])
    return values, error


def undo_pose(landmarks: Landmarks, pose: Array) -> Landmarks:
    """Rotate the landmarks of N faces to a frontal pose, in millimetres.

    The depth is the generic head's: exact for a head of that shape, approximate for others.
    """
    rotation = _rotation(pose[:, 0], pose[:, 1], pose[:, 2])
    flat = (landmarks.points - pose[:, None, 4:6]) / pose[:, None, 3:4]
    flat = flat - rotation[:, None, :, 2] * HEAD.points[None, :, 2:3]
    inverse = np.linalg.inv(rotation[:, :, :2])
    return Landmarks.from_ibug(np.einsum("nij,nkj->nki", inverse, flat))


def head_rotation(pose: Array) -> Array:
    """The rotations ``[N, 3, 3]`` from the head's axes to the picture's, of poses from ``fit_head``."""
    rows = _rotation(pose[:, 0], pose[:, 1], pose[:, 2])
    return np.concatenate([rows, np.cross(rows[:, :1], rows[:, 1:])], axis=1)


def _on_bone(landmarks: Landmarks) -> Array:
    """The points to fit, ``[..., 21, 2]``; the last four are the corners of the left and of the right eye."""
    corners = [landmarks.left_eye[..., [0, 3], :], landmarks.right_eye[..., [0, 3], :]]
    return np.concatenate([landmarks.outline[..., _EARS, :], landmarks.nose, *corners], axis=-2)


def expression_scores(landmarks: Landmarks) -> Array:
    """Score expressions.

    Args:
        landmarks: of N faces, in millimetres, x to the viewer's right and y down, from ``undo_pose``.

    Returns:
        ``[N, 4]``, in the order of ``EXPRESSIONS``; each increases with what it is named after:

        - smile: the distance between the mouth's corners, plus their height above the upper lip's lower edge,
          over the eyes' distance. The lower lip is not used, as an open mouth is no smile.
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


def _rotation(yaw: Array, pitch: Array, roll: Array) -> Array:
    """The first two rows of roll · pitch · yaw, ``[N, 2, 3]``."""
    (sy, cy), (sp, cp), (sr, cr) = ((np.sin(a), np.cos(a)) for a in (yaw, pitch, roll))
    across = np.stack([cy, np.zeros_like(cy), sy], axis=-1)
    down = np.stack([sp * sy, cp, -sp * cy], axis=-1)
    return np.stack([cr[:, None] * across - sr[:, None] * down, sr[:, None] * across + cr[:, None] * down], axis=1)


def _residual(values: Array, points: Array) -> Array:
    """Model minus landmarks in pixels, weighted, ``[N, 2 · points]``."""
    rotation = _rotation(values[:, 0], values[:, 1], values[:, 2])
    model = np.exp(values[:, 3])[:, None, None] * np.einsum("nij,kj->nki", rotation, _on_bone(HEAD))
    model = model + values[:, None, 4:6]
    result: Array = ((model - points) * np.sqrt(_WEIGHT)[None, :, None]).reshape(len(points), -1)
    return result
