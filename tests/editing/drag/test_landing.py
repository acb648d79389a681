import torch
from torch import Tensor

from stylegan_latents.editing.drag.landing import Landing, movements
from tests.editing.drag.bumps import HOME, planted

TARGETS = torch.tensor([[0.5, 0.48]])


def landed(truth: Tensor, told: Tensor, moves: int) -> float:
    """How far a point is from its target after so many moves, of which ``truth @ move`` is the effect."""
    landing, here, points = Landing(), torch.zeros(truth.shape[1]), torch.tensor([[0.49, 0.5]])
    start = points
    landing.observe(here, points)
    for _ in range(moves):
        if landing.resting:
            break
        landing.slopes = told if landing.slopes is None else landing.slopes
        step = landing.propose(here, points, TARGETS)
        places = start + truth @ (here + step)
        landing.observe(here + step, places)
        away = [float((TARGETS - one).norm()) for one in (points, places)]
        landing.judge(step, *away)
        if away[1] < away[0]:
            here, points = here + step, places
    return float((TARGETS - points).norm())


def test_features_tell_how_points_move_with_the_code() -> None:
    G = planted()
    followed = G.synthesis.feature_maps()[0]
    w = torch.zeros(1, 4, requires_grad=True)
    features = followed.module(G.synthesis.places(w))  # type: ignore[operator]
    gone = movements(followed, features, HOME, 0.08).flatten()
    assert float(gone.detach().abs().max()) == 0
    slopes = torch.stack([torch.autograd.grad(one, w, retain_graph=True)[0][0] for one in gone])
    wanted = 0.1 * torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert (slopes - wanted).abs().max() < 0.03


def test_what_features_tell_wrong_is_learnt_from_the_moves() -> None:
    truth = 0.02 * torch.tensor([[1.0, 0.5, 0.0], [-0.4, 1.0, 0.2]])
    exact = landed(truth, truth, 3)
    assert exact < 0.0015
    told = truth @ torch.tensor([[0.6, -0.6, 0], [0.7, 0.5, 0], [0, 0, 1.0]])
    assert landed(truth, told, 1) > 0.01
    assert landed(truth, told, 10) < 0.003


def test_it_rests_when_no_move_brings_the_points_nearer_until_the_next_look() -> None:
    landing, still = Landing(), torch.tensor([[0.49, 0.5]])
    landing.observe(torch.zeros(3), still)
    windows = set()
    while not landing.resting:
        windows.add(landing.window)
        landing.slopes = torch.eye(2, 3)
        landing.judge(landing.propose(torch.zeros(3), still, TARGETS), 0.02, 0.02)
    assert landing.missed
    assert len(windows) == 2
    landing.observe(torch.ones(3), still)
    assert not landing.resting


def test_a_move_is_never_longer_than_one_standard_deviation() -> None:
    landing = Landing()
    landing.observe(torch.zeros(3), torch.zeros(1, 2))
    landing.slopes = 1e-4 * torch.eye(2, 3)
    assert landing.propose(torch.zeros(3), torch.zeros(1, 2), TARGETS).norm() < 1.001
