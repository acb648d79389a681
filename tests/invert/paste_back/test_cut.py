"""The seam takes the cheapest way round, and keeps to what it must and must not hold."""

import numpy as np

from stylegan_latents.invert.paste_back.cut import best_seam, within_crop

SIDE = 40
Y, X = np.mgrid[0:SIDE, 0:SIDE]
RADIUS = np.hypot(X - 20, Y - 20)


def test_the_seam_runs_through_a_cheap_ring() -> None:
    cost = np.where(np.abs(RADIUS - 12) < 1.5, 0.1, 10.0).astype(np.float32)
    region = best_seam(cost, RADIUS < 4, RADIUS > 18)
    assert region[RADIUS < 10].all()
    assert not region[RADIUS > 14].any()


def test_the_seam_avoids_a_bar_that_crosses_it() -> None:
    """Half of the bar lies near the face: the cut goes round its far end, not through it."""
    cost = np.full((SIDE, SIDE), 0.1, dtype=np.float32)
    bar = (np.abs(Y - 20) < 2) & (X > 20) & (X < 34)
    cost[bar] = 100.0
    region = best_seam(cost, RADIUS < 6, (X < 2) | (X > 37) | (Y < 2) | (Y > 37))
    assert region[bar].all()
    assert region.mean() < 0.4


def test_it_is_no_dearer_than_any_square() -> None:
    cost = np.random.default_rng(0).random((SIDE, SIDE)).astype(np.float32) + 0.1
    inside, outside = RADIUS < 3, RADIUS > 17

    def price(region: np.ndarray) -> float:
        across = (region[:, 1:] != region[:, :-1]) * (cost[:, 1:] + cost[:, :-1])
        down = (region[1:] != region[:-1]) * (cost[1:] + cost[:-1])
        return float(across.sum() + down.sum())

    best = best_seam(cost, inside, outside)
    assert best[inside].all()
    assert not best[outside].any()
    for half in range(4, 12):
        square = np.maximum(np.abs(X - 20), np.abs(Y - 20)) <= half
        assert price(best) <= price(square) * 1.01


def test_without_an_end_there_is_no_seam() -> None:
    cost = np.ones((SIDE, SIDE), dtype=np.float32)
    nothing = np.zeros((SIDE, SIDE), dtype=bool)
    assert not best_seam(cost, nothing, RADIUS > 18).any()
    assert best_seam(cost, RADIUS < 3, nothing).all()
    assert not best_seam(cost, RADIUS < 3, RADIUS < 3).any()


def test_hair_that_the_crops_edge_would_cut_off_is_not_added() -> None:
    then, drawn, face = (np.zeros((SIDE, SIDE), np.float32) for _ in range(3))
    drawn[10:30, 14:26] = 1
    then[8:32, :30] = 1  # a lock up to the left edge, and a narrow rim elsewhere
    face[14:20, 26:30] = 1
    found = within_crop(then, drawn, face)
    assert found[12:28, :6].max() < 0.01
    assert found[10:30, 14:26].min() == 1
    assert found[12:28, 28].min() > 0.9
    apart = then.copy()
    apart[:, :8] = 0
    assert np.array_equal(within_crop(apart, drawn, face), apart)
