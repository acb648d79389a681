import numpy as np
import pytest

from stylegan_latents.editing.discovery.scorers.expression import NAMES, expression_scores
from stylegan_latents.editing.discovery.scorers.head_pose import HEAD
from stylegan_latents.invert.faces.landmarks import Landmarks

UPPER_LIDS, LOWER_LIDS = [37, 38, 43, 44], [40, 41, 46, 47]


def scores(change=None):
    points = HEAD.points[:, :2].copy()
    if change is not None:
        change(points)
    return dict(zip(NAMES, expression_scores(Landmarks.from_ibug(points[None]))[0], strict=True))


def smile(points):
    points[[48, 60], 0] -= 5
    points[[54, 64], 0] += 5
    points[[48, 54, 60, 64], 1] -= 4


def drop_jaw(points):
    points[[55, 56, 57, 58, 59, 65, 66, 67], 1] += 12


def close_eyes(points):
    points[UPPER_LIDS, 1] = points[LOWER_LIDS, 1]


def raise_brows(points):
    points[17:27, 1] -= 6


@pytest.mark.parametrize(
    ("change", "name", "sign"),
    [
        (smile, "smile", 1),
        (drop_jaw, "mouth-open", 1),
        (close_eyes, "eyes-open", -1),
        (raise_brows, "brows-up", 1),
    ],
)
def test_each_score_follows_its_own_movement(change, name, sign):
    rest, moved = scores(), scores(change)
    assert sign * (moved[name] - rest[name]) > 0.05
    for other in NAMES:
        if other != name and (change, other) != (close_eyes, "brows-up"):
            assert moved[other] == pytest.approx(rest[other], abs=0.01), other


def test_scores_do_not_depend_on_the_size_of_the_face():
    flat = HEAD.mapped(lambda points: points[None, :, :2])
    large = flat.mapped(lambda points: 3 * points)
    np.testing.assert_allclose(expression_scores(flat), expression_scores(large))
