import pytest
import torch
from torch import Tensor, nn

from stylegan_latents.editing.drag import point_tracker
from stylegan_latents.editing.drag.point_tracker import PointTracker, disc
from stylegan_latents.generator.features import FeatureMap

MAP = 64
SAMPLE = 1 / MAP
FOLLOWED = FeatureMap(MAP, MAP, nn.Identity())
LINE = (torch.arange(MAP) + 0.5) * SAMPLE
Y, X = torch.meshgrid(LINE, LINE, indexing="ij")
START = torch.tensor([0.5, 0.5])
UP = torch.tensor([0.0, -0.2])


def bump(x: float, y: float) -> Tensor:
    return torch.exp(-((X - x).square() + (Y - y).square()) / (2 * 0.03**2))


def features(*channels: Tensor | float) -> Tensor:
    return torch.stack([torch.as_tensor(one) * torch.ones(MAP, MAP) for one in channels])[None]


def tracker(first: Tensor) -> PointTracker:
    places = torch.stack([START, START + UP])[None]
    return PointTracker(FOLLOWED, first, places, disc(SAMPLE, SAMPLE / 2), SAMPLE / 2)


def samples_off(point: Tensor, x: float, y: float) -> list[float]:
    return ((point[0] - torch.tensor([x, y])) / SAMPLE).abs().tolist()


def expect_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_tracker, "_STRIDE", 0.0)
    monkeypatch.setattr(point_tracker, "_ASIDE", 0.0)


def along_an_edge() -> Tensor:
    """The last of eight steps in each of which a level edge rises by half a sample, and its look changes."""

    def seen(step: int) -> Tensor:
        edge = torch.tanh((Y - 0.5 + step * SAMPLE / 2) / 0.03)
        return features(edge, 0.3 * X + 0.01 * step, 0.02 * step)

    follow, point = tracker(seen(0)), START[None]
    for step in range(1, 9):
        point = follow.track(seen(step), point)
    return point


def test_on_an_edge_a_point_goes_with_it_and_not_along_it(monkeypatch: pytest.MonkeyPatch) -> None:
    aside, along = samples_off(along_an_edge(), 0.5, 0.5 - 4 * SAMPLE)
    assert aside < 1
    assert along < 1
    expect_nothing(monkeypatch)
    assert samples_off(along_an_edge(), 0.5, 0.5 - 4 * SAMPLE)[0] > 4


def test_what_keeps_its_look_is_followed_off_the_line() -> None:
    follow, point = tracker(features(bump(0.5, 0.5))), START[None]
    for step in range(1, 13):
        x, y = 0.5 + step * SAMPLE / 2, 0.5 - step * SAMPLE / 4
        point = follow.track(features(bump(x, y)), point)
        assert max(samples_off(point, x, y)) < 1


def test_a_point_does_not_jump_to_what_looks_a_little_more_like_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first = features(bump(0.5, 0.5), 0.0)
    far = 0.5 - 6 * SAMPLE
    later = features(0.8 * bump(0.5, 0.5) + 0.9 * bump(0.5, far), 0.1)
    wide = START[None] + torch.tensor([0.0, -3.5 * SAMPLE])
    assert max(samples_off(tracker(first).track(later, START[None]), 0.5, 0.5)) < 1
    # From between both, the one that is more alike is found.
    expect_nothing(monkeypatch)
    assert max(samples_off(tracker(first).track(later, wide), 0.5, far)) < 1


def test_points_are_followed_each_by_its_own_look() -> None:
    places = torch.tensor([[[0.3, 0.5], [0.3, 0.4]], [[0.7, 0.5], [0.7, 0.5]]])
    first = features(bump(0.3, 0.5), bump(0.7, 0.5))
    follow = PointTracker(FOLLOWED, first, places, disc(SAMPLE, SAMPLE / 2), SAMPLE / 2)
    found = follow.track(features(bump(0.3, 0.48), bump(0.72, 0.5)), places[:, 0])
    assert (found - torch.tensor([[0.3, 0.48], [0.72, 0.5]])).abs().max() < SAMPLE / 2


def test_a_point_that_slid_to_something_alike_is_lost_and_one_that_moved_is_not() -> None:
    first = features(bump(0.5, 0.5), 0.3 * X, 0.3 * Y)
    follow = tracker(first)
    moved = features(bump(0.5, 0.4), 0.3 * X, 0.3 * (Y + 0.1))
    assert not follow.lost(moved, torch.tensor([[0.5, 0.4]])).any()
    assert follow.lost(moved, torch.tensor([[0.5, 0.5]])).all()


def test_a_patch_takes_what_differs_the_less_the_more_it_differs_unless_it_is_known() -> None:
    first = features(bump(0.5, 0.5))
    taken = {}
    for name, height, known in (("alike", 0.99, False), ("unlike", 0.2, False), ("known", 0.2, True)):
        follow = tracker(first)
        before = follow.patches.clone()
        now = features(height * bump(0.5, 0.5))
        follow.adapt(now, START[None], torch.tensor([known]))
        taken[name] = float((follow.patches - before).norm() / ((1 - height) * before.norm()))
    assert taken["unlike"] < 0.1 < taken["known"] < taken["alike"]
