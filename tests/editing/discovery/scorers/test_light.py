"""The light on a synthetic face: the generic head, shaded from a known direction."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.spatial import Delaunay

from stylegan_latents.editing.discovery.scorers.head_pose import HEAD, fit_head, head_rotation
from stylegan_latents.editing.discovery.scorers.light import NAMES, light_scores
from stylegan_latents.invert.faces.landmarks import Landmarks

SIDE = 256


def photograph(gradient, *, yaw=0.0, pitch=0.0, exposure=0.2):
    """The head with a log luminance of ``gradient`` (right, up, front) times the normal, and its landmarks."""
    pose = np.array([[np.radians(yaw), np.radians(pitch), 0.0, 1.2, 128.0, 80.0]])
    turned = head_rotation(pose)[0]
    points = 1.2 * HEAD.points @ turned[:2].T + (128, 80)
    image = Image.new("L", (SIDE, SIDE))
    triangles = Delaunay(HEAD.points[:, :2]).simplices
    for triangle in sorted(triangles.tolist(), key=lambda one: (HEAD.points[one] @ turned[2]).mean()):
        first, second, third = HEAD.points[triangle]
        normal = np.cross(second - first, third - first)
        right, down, front = turned @ (normal * np.sign(normal[2]) / np.linalg.norm(normal))
        linear = exposure * np.exp(np.dot(gradient, (right, -down, front)))
        corners = [tuple(point) for point in points[triangle]]
        ImageDraw.Draw(image).polygon(corners, fill=round(255 * float(np.clip(linear, 0, 1)) ** (1 / 2.2)))
    return np.repeat(np.asarray(image)[None, ..., None], 3, axis=3), Landmarks.from_ibug(points[None])


def scores_of(pictures, landmarks):
    return light_scores(pictures, landmarks, fit_head(landmarks)[0])[0]


@pytest.mark.parametrize(
    "gradient", [(0, 0, 0), (0.5, 0, 0), (-0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5), (0.3, -0.2, 0.4)]
)
def test_a_known_light_is_recovered(gradient):
    np.testing.assert_allclose(scores_of(*photograph(gradient)), gradient, atol=0.1)


@pytest.mark.parametrize("angles", [{"yaw": 20}, {"yaw": -20}, {"pitch": 12}])
def test_the_light_is_the_pictures_also_where_the_head_is_turned(angles):
    np.testing.assert_allclose(scores_of(*photograph((0.4, 0, 0), **angles)), (0.4, 0, 0), atol=0.15)


def test_a_mirrored_picture_is_lit_from_the_other_side():
    pictures, landmarks = photograph((0.4, 0.2, 0.3))
    lit, mirrored = scores_of(pictures, landmarks), scores_of(pictures[:, :, ::-1], landmarks)
    np.testing.assert_allclose(mirrored, lit * (-1, 1, 1), atol=0.05)


def test_exposure_hardly_counts():
    bright, dark = (scores_of(*photograph((0.4, 0, 0.2), exposure=value)) for value in (0.4, 0.2))
    np.testing.assert_allclose(dark, bright, atol=0.05)


def test_a_chin_below_a_wide_picture_is_scored_by_its_lowest_row():
    pictures, landmarks = photograph((0.4, 0, 0))
    lowest = int(landmarks.points[..., 1].max()) - 4
    whole, cut = scores_of(pictures, landmarks), scores_of(pictures[:, :lowest], landmarks)
    np.testing.assert_allclose(cut, whole, atol=0.05)


def test_no_faces_have_no_scores():
    none = Landmarks.from_ibug(np.empty((0, 68, 2)))
    assert light_scores(np.empty((0, SIDE, SIDE, 3), np.uint8), none, np.empty((0, 6))).shape == (0, len(NAMES))
