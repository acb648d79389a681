"""The Frechet distance against closed forms and against SciPy's matrix root."""

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from stylegan_latents.generator.metrics.frechet import FeatureStatistics, frechet_distance, sample_features
from tests.odd_models import odd_generator


def _features(seed: int, count: int = 60, length: int = 5) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    mixed = torch.randn(length, length, generator=source, dtype=torch.float64)
    return torch.randn(count, length, generator=source, dtype=torch.float64) @ mixed + 3 * seed


def _diagonal(mean: list[float], deviations: list[float]) -> FeatureStatistics:
    return FeatureStatistics(torch.tensor(mean).double(), torch.tensor(deviations).double().square().diag(), 9)


def test_statistics_are_numpys_in_any_batches() -> None:
    features = _features(1) + 1e6  # a mean far from zero
    ours = FeatureStatistics.of(iter(features.split([7, 1, 52])))
    assert ours.count == 60
    np.testing.assert_allclose(ours.mean, features.numpy().mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(ours.covariance, np.cov(features.numpy(), rowvar=False), rtol=1e-8)


def test_closed_form_of_independent_features() -> None:
    ours, theirs = _diagonal([0, 1], [1, 2]), _diagonal([3, 1], [4, 2.5])
    assert frechet_distance(ours, theirs) == pytest.approx(3**2 + (4 - 1) ** 2 + (2.5 - 2) ** 2, rel=1e-12)
    assert frechet_distance(ours, ours) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("count", [60, 3])  # the second is singular
def test_scipys_matrix_root(count: int) -> None:
    a, b = (FeatureStatistics.of([_features(seed, count)]) for seed in (1, 2))
    tiny = 1e-10 * np.eye(5)
    root = scipy.linalg.sqrtm((a.covariance.numpy() + tiny) @ (b.covariance.numpy() + tiny))
    wanted = (
        float((a.mean - b.mean).square().sum() + (a.covariance + b.covariance).trace()) - 2 * np.trace(root).real
    )
    assert frechet_distance(a, b) == pytest.approx(wanted, rel=1e-4 if count == 3 else 1e-8)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6)


def test_wrong_features() -> None:
    with pytest.raises(ValueError, match="at least two images"):
        FeatureStatistics.of([torch.zeros(1, 3)])
    with pytest.raises(ValueError, match="finite values"):
        FeatureStatistics.of([torch.full((2, 3), float("nan"))])
    with pytest.raises(ValueError, match="lengths 5 and 2"):
        frechet_distance(FeatureStatistics.of([_features(1)]), _diagonal([0, 0], [1, 1]))


def test_samples_of_a_generator_are_the_same_in_any_batch() -> None:
    G = odd_generator()
    means = [
        torch.cat(list(sample_features(G, lambda images: images.mean(dim=(2, 3)), 5, batch=batch, seed=3)))
        for batch in (2, 5)
    ]
    assert means[0].shape == (5, 3)
    assert torch.allclose(means[0], means[1], atol=1e-5)
    ours = FeatureStatistics.of([means[0]])
    narrow = FeatureStatistics.of(
        sample_features(G, lambda images: images.mean(dim=(2, 3)), 5, truncation=0.0, seed=3)
    )
    assert float(narrow.covariance.abs().max()) < 1e-9 < float(ours.covariance.abs().max())
