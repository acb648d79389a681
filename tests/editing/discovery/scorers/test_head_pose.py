import numpy as np
import pytest

from stylegan_latents.editing.discovery.scorers.head_pose import (
    EXPRESSIONS,
    HEAD,
    _rotation,
    expression_scores,
    fit_head,
    undo_pose,
)
from stylegan_latents.invert.faces.landmarks import Landmarks

UPPER_LIDS, LOWER_LIDS = [37, 38, 43, 44], [40, 41, 46, 47]


def photograph(yaw, pitch, roll, scale=2.0, x=120.0, y=130.0, head=HEAD.points):
    rotation = _rotation(*(np.radians([angle]) for angle in (yaw, pitch, roll)))[0]
    return (scale * head @ rotation.T + (x, y))[None]


@pytest.mark.parametrize("angles", [(0, 0, 0), (25, 0, 0), (-30, 10, 5), (15, -20, -12), (5, 18, 30)])
def test_a_known_pose_is_recovered(angles):
    pose, error = fit_head(Landmarks.from_ibug(photograph(*angles)))
    np.testing.assert_allclose(np.degrees(pose[0, :3]), angles, atol=1e-4)
    np.testing.assert_allclose(pose[0, 3:], (2.0, 120, 130), atol=1e-4)
    assert error[0] < 1e-4


def test_no_more_steps_than_change_anything(monkeypatch):
    landmarks = np.concatenate([photograph(*angles) for angles in ((0, 0, 0), (28, -12, 9), (-15, 20, 30))])
    landmarks += np.random.default_rng(2).normal(0, 3.0, landmarks.shape)
    landmarks = Landmarks.from_ibug(landmarks)
    steps = []
    solve = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda *system: steps.append(0) or solve(*system))
    pose, error = fit_head(landmarks)
    taken = len(steps)
    monkeypatch.setattr("stylegan_latents.editing.discovery.scorers.head_pose._SETTLED", 0.0)
    every_step, its_error = fit_head(landmarks)
    assert taken < len(steps) - taken
    np.testing.assert_allclose(pose, every_step, rtol=0, atol=1e-7)
    np.testing.assert_allclose(error, its_error, rtol=0, atol=1e-7)


def test_signs():
    nose, between_eyes = 30, [39, 42]
    right = photograph(20, 0, 0)[0]
    assert right[nose, 0] > right[between_eyes, 0].mean(), "positive yaw turns to the viewer's right"
    assert photograph(0, 20, 0)[0, nose, 1] < photograph(0, 0, 0)[0, nose, 1], "positive pitch looks up"
    tilted = photograph(0, 0, 20)[0]
    assert tilted[45, 1] > tilted[36, 1], "positive roll is clockwise"


def test_looking_ahead_undoes_the_pose():
    landmarks = Landmarks.from_ibug(photograph(22, -9, 7))
    pose, _ = fit_head(landmarks)
    np.testing.assert_allclose(undo_pose(landmarks, pose)[0].points, HEAD.points[:, :2], atol=1e-3)


def test_a_mirrored_face_turns_the_other_way():
    random = np.random.default_rng(0)
    landmarks = photograph(18, 6, -4) + random.normal(0, 0.7, (1, 68, 2))
    order = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
    order += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55]
    order += [64, 63, 62, 61, 60, 67, 66, 65]
    mirrored = landmarks[:, order] * (-1, 1) + (255, 0)
    one, two = (fit_head(Landmarks.from_ibug(points))[0][0] for points in (landmarks, mirrored))
    np.testing.assert_allclose(two[:3], one[:3] * (-1, 1, -1), atol=1e-6)


def test_expressions_do_not_turn_the_head():
    laughing = HEAD.points.copy()
    laughing[4:13, 1] += 15
    laughing[[48, 54, 60, 64], 1] -= 6
    laughing[[55, 56, 57, 58, 59, 65, 66, 67], 1] += 15
    seen = (Landmarks.from_ibug(photograph(12, 5, 0, head=head)) for head in (HEAD.points, laughing))
    still, moving = (fit_head(landmarks)[0] for landmarks in seen)
    np.testing.assert_allclose(still, moving, atol=1e-9)


def test_what_is_no_face_does_not_fit():
    landmarks = np.random.default_rng(1).uniform(0, 256, (5, 68, 2))
    assert (fit_head(Landmarks.from_ibug(landmarks))[1] > 12).all()


def scores(change=None):
    points = HEAD.points[:, :2].copy()
    if change is not None:
        change(points)
    return dict(zip(EXPRESSIONS, expression_scores(Landmarks.from_ibug(points[None]))[0], strict=True))


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
    for other in EXPRESSIONS:
        if other != name and (change, other) != (close_eyes, "brows-up"):
            assert moved[other] == pytest.approx(rest[other], abs=0.01), other


def test_scores_do_not_depend_on_the_size_of_the_face():
    flat = HEAD.mapped(lambda points: points[None, :, :2])
    large = flat.mapped(lambda points: 3 * points)
    np.testing.assert_allclose(expression_scores(flat), expression_scores(large))
