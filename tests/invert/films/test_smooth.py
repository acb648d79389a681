import numpy as np
import pytest

from stylegan_latents.invert.films.smooth import smooth

TIMES = np.arange(60) / 25


def _column(values: np.ndarray) -> np.ndarray:
    return values[:, None]


def test_noise_goes_and_slow_movement_stays() -> None:
    slow = np.sin(2 * np.pi * 0.5 * TIMES)
    noisy = slow + 0.2 * np.random.default_rng(0).standard_normal(60)
    smoothed = smooth(_column(noisy), np.ones(60, bool), 2.5 / 25)[:, 0]
    assert np.abs(smoothed - slow).mean() < 0.65 * np.abs(noisy - slow).mean()
    assert np.abs(np.diff(smoothed, n=2)).mean() < 0.1 * np.abs(np.diff(noisy, n=2)).mean()
    # Not late: a filter that only looks back would be.
    assert np.abs(smooth(_column(slow), np.ones(60, bool), 2.5 / 25)[:, 0] - slow)[5:-5].max() < 0.02


@pytest.mark.parametrize("cutoff", [0.05, 0.2])
def test_the_cutoff_is_halved(cutoff: float) -> None:
    wave = np.cos(2 * np.pi * cutoff * np.arange(400))
    smoothed = smooth(_column(wave), np.ones(400, bool), cutoff)[:, 0]
    middle = slice(100, 300)
    assert (smoothed[middle] * wave[middle]).sum() / (wave[middle] ** 2).sum() == pytest.approx(0.5, abs=0.02)


def test_straight_movement_stays_to_the_ends() -> None:
    line = np.linspace(3, 9, 20)
    np.testing.assert_allclose(smooth(_column(line), np.ones(20, bool), 0.1)[:, 0], line, atol=1e-8)


@pytest.mark.parametrize("cutoff", [None, 0.1])
def test_gaps_are_filled(cutoff: float | None) -> None:
    line = np.linspace(3, 9, 20)
    known = np.ones(20, bool)
    known[5:9] = False
    given = np.where(known, line, 1e6)
    filled = smooth(_column(given), known, cutoff)[:, 0]
    np.testing.assert_allclose(filled, line, atol=1e-3)
    if cutoff is None:
        assert (filled[known] == line[known]).all()


def test_an_outlier_hardly_counts() -> None:
    values = np.linspace(0, 1, 40) + 1e-3 * np.random.default_rng(1).standard_normal(40)
    values[20] += 5
    robust = smooth(_column(values), np.ones(40, bool), 0.1, robust=True)[20, 0]
    plain = smooth(_column(values), np.ones(40, bool), 0.1)[20, 0]
    assert abs(robust - 20 / 39) < 0.02 < abs(plain - 20 / 39)


def test_what_cannot_be_smoothed() -> None:
    values = _column(np.array([1.0, 2.0]))
    assert (smooth(values, np.ones(2, bool), 0.1) == values).all()
    with pytest.raises(ValueError, match="first and the last"):
        smooth(values, np.array([False, True]), 0.1)
    with pytest.raises(ValueError, match="cutoff"):
        smooth(values, np.ones(2, bool), 0.6)
