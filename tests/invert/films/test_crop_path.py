import numpy as np
import pytest

from stylegan_latents.invert.films.crop_path import plan_crops, quad_between


def _square(x: float, y: float, side: float = 100.0, angle: float = 0.0) -> np.ndarray:
    across = side / 2 * np.array([np.cos(angle), np.sin(angle)])
    down = np.array([-across[1], across[0]])
    centre = np.array([x, y])
    return np.stack(
        [centre - across - down, centre - across + down, centre + across + down, centre + across - down]
    )


def _jitter(quads: np.ndarray) -> float:
    return float(np.abs(np.diff(quads, n=2, axis=0)).mean())


def test_a_jittering_crop_is_steadied_and_stays_square() -> None:
    noise = np.random.default_rng(0).standard_normal((50, 4)) * [1, 1, 1, 0.01]
    quads = [_square(200 + i + n[0], 200 + n[1], 100 + n[2], n[3]) for i, n in enumerate(noise)]
    path = plan_crops(range(50), quads, 1 / 25, 2.5)
    assert path.scenes == [slice(0, 50)]
    assert all(path.seen)
    assert _jitter(path.quads) < 0.15 * _jitter(np.stack(quads))
    assert np.abs(path.quads - np.stack([_square(200 + i, 200) for i in range(50)])).max() < 2
    edges = path.quads[:, 3] - path.quads[:, 0]
    downs = path.quads[:, 1] - path.quads[:, 0]
    np.testing.assert_allclose(downs, np.stack([-edges[:, 1], edges[:, 0]], axis=1), atol=1e-9)
    unsteadied = plan_crops(range(50), quads, 1 / 25, None)
    np.testing.assert_allclose(unsteadied.quads, np.stack(quads), atol=1e-9)


def test_short_gaps_are_bridged_and_long_ones_left_out() -> None:
    quads: list[np.ndarray | None] = [_square(100 + 2 * i, 100) for i in range(60)]
    for missing in (3, 4, 5, *range(20, 45), 59):
        quads[missing] = None
    path = plan_crops(range(60), quads, 1 / 25, 2.5)
    assert path.frames == [*range(20), *range(45, 59)]
    assert [frame for frame, seen in zip(path.frames, path.seen, strict=True) if not seen] == [3, 4, 5]
    assert path.scenes == [slice(0, 20), slice(20, 34)]
    np.testing.assert_allclose(path.quads[4], _square(108, 100), atol=1e-3)


@pytest.mark.parametrize("other", [_square(300, 100), _square(100, 100, 220)])
def test_a_cut_begins_a_scene(other: np.ndarray) -> None:
    quads = [_square(100, 100)] * 10 + [other] * 10
    path = plan_crops(range(0, 40, 2), quads, 2 / 25, 2.5)
    assert path.scenes == [slice(0, 10), slice(10, 20)]
    assert path.frames[10] == 20
    np.testing.assert_allclose(path.quads[9], quads[9], atol=1e-6)
    np.testing.assert_allclose(path.quads[10], other, atol=1e-6)


def test_what_is_seen_once_is_no_scene() -> None:
    quads: list[np.ndarray | None] = [_square(100, 100)] * 10 + [_square(500, 500)] + [_square(100, 100)] * 10
    path = plan_crops(range(21), quads, 1 / 25, None)
    assert 10 not in path.frames
    assert plan_crops(range(5), [None] * 5, 1 / 25, 2.5).frames == []
    assert plan_crops([0], [_square(1, 1)], 1 / 25, 2.5).frames == [0]


def test_between_two_squares_is_a_square() -> None:
    between = quad_between(_square(0, 0, 100, 0), _square(10, 20, 100, 0.2), 0.5)
    np.testing.assert_allclose(between.mean(axis=0), [5, 10])
    np.testing.assert_allclose(np.linalg.norm(between[3] - between[0]), 100, rtol=0.01)
