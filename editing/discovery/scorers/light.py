"""Where the light on a face comes from: a first-order model of the shading of a generic head.

The logarithm of luminance is fitted as linear in the surface normal, ``log L = c + g · n``, the first order of
spherical harmonics (Ramamoorthi and Hanrahan 2001) for log luminance. The normals are those of the generic head of
``head_pose``, whose triangles lie where the landmarks are. As a face's own colours are nearly the same on both
sides, the coefficient across the face is that of the light; those along it contain brows and beard as well.
"""

import functools

import numpy as np
import numpy.typing as npt

from stylegan_latents.editing.discovery.scorers.head_pose import HEAD, head_rotation
from stylegan_latents.editing.discovery.scorers.scorer import Array
from stylegan_latents.invert.faces.landmarks import Landmarks

NAMES = ("light", "light-up", "light-front")
"""The names of ``light_scores``."""

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
# Luminance at which the logarithm levels off: black pupils and hair would count most otherwise.
_DARKEST = 0.02
# Triangles seen at a smaller cosine are foreshortened, and may be hidden by the nose.
_STEEPEST = 0.15
# Residuals in log luminance from which on points count less: shadows, glasses, hair, highlights.
_OUTLYING, _ROUNDS = 0.25, 4
# The part that each of iBUG's 68 points bounds: outline and nose lie on skin, brows, eyes and lips enclose none.
_SKIN = 0
_PARTS = np.repeat([_SKIN, 1, 2, _SKIN, 3, 4, 5], [17, 5, 5, 9, 6, 6, 20])
# Corner weights of the points at which a triangle is sampled.
_INSIDE = np.array([(1, 1, 1), (4, 1, 1), (1, 4, 1), (1, 1, 4)]) / np.array([[3.0], [6.0], [6.0], [6.0]])


@functools.cache
def _mesh() -> tuple[npt.NDArray[np.int64], Array, Array]:
    """Triangles of the head's skin as indices of its points, their unit normals and their areas in mm²."""
    from scipy.spatial import Delaunay

    points = HEAD.points
    triangles = Delaunay(points[:, :2]).simplices.astype(np.int64)
    owners = _PARTS[triangles]
    triangles = triangles[(owners[:, 0] == _SKIN) | (owners != owners[:, :1]).any(axis=1)]
    first, second, third = (points[triangles[:, corner]] for corner in range(3))
    across = np.cross(second - first, third - first)
    across *= np.sign(across[:, 2:])
    areas = np.linalg.norm(across, axis=1) / 2
    return triangles, across / (2 * areas[:, None]), areas


def light_scores(pictures: npt.NDArray[np.uint8], landmarks: Landmarks, pose: Array) -> Array:
    """Score the light on faces.

    Args:
        pictures: uint8 ``[N, H, W, 3]``, RGB.
        landmarks: of the N faces, in pixels.
        pose: of the heads, from ``fit_head``.

    Returns:
        ``[N, 3]``, in the order of ``NAMES``: how much brighter, in log luminance, a surface is that faces the
        viewer's right, up, or the viewer, than one at a right angle to that. Where light comes from the viewer's
        right, ``light`` is above 0.
    """
    triangles, normals, areas = _mesh()
    turned = head_rotation(pose)
    facing = np.einsum("nj,kj->nk", turned[:, 2], normals)
    weights = areas * np.where(facing > _STEEPEST, facing, 0.0)
    corners = landmarks.points[:, triangles]
    where = np.einsum("pc,nkcx->nkpx", _INSIDE, corners).reshape(len(pictures), len(normals) * len(_INSIDE), 2)
    design = np.repeat(np.concatenate([np.ones((len(normals), 1)), normals], axis=1), len(_INSIDE), axis=0)
    scores = np.empty((len(pictures), len(NAMES)))
    for index, picture in enumerate(pictures):
        furthest = picture.shape[1] - 1, picture.shape[0] - 1
        x, y = np.clip(np.round(where[index]).astype(int), 0, furthest).T
        linear = (picture[y, x] / 255.0) ** 2.2 @ _LUMINANCE
        gradient = _robust_fit(design, np.log(linear + _DARKEST), np.repeat(weights[index], len(_INSIDE)))[1:]
        right, down, front = turned[index] @ gradient
        scores[index] = right, -down, front
    return scores


def _robust_fit(design: Array, values: Array, weights: Array) -> Array:
    """Weighted least squares whose outliers count less (Huber 1964)."""
    factor = np.ones_like(values)
    for _ in range(_ROUNDS):
        scale = np.sqrt(weights * factor)
        found = np.linalg.lstsq(design * scale[:, None], values * scale, rcond=None)[0]
        factor = _OUTLYING / np.maximum(np.abs(values - design @ found), _OUTLYING)
    return np.asarray(found)
