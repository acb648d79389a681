"""Frechet distance between images, in the features of a network.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", 2017. With
``InceptionFeatures`` it is the FID.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Self

import torch
from torch import Tensor

from stylegan_latents.generator.cluster.spread import spread
from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.metrics.draws import batch_sizes, draw_z

Features = Callable[[Tensor], Tensor]
"""Images ``[N, 3, H, W]`` in [-1, 1] to features ``[N, D]``."""


@dataclass(frozen=True)
class FeatureStatistics:
    """A normal distribution fitted to features.

    Attributes:
        mean: float64 ``[D]``.
        covariance: float64 ``[D, D]``, unbiased.
        count: number of images. With fewer than D the covariance is singular and distances are too large; published
            FIDs use 50,000.
    """

    mean: Tensor
    covariance: Tensor
    count: int

    @classmethod
    def of(cls, batches: Iterable[Tensor]) -> Self:
        """Fit to at least two features ``[N, D]``, a batch at a time."""
        count = 0
        origin = total = products = torch.zeros(())
        for batch in batches:
            values = batch.detach().to("cpu", torch.float64)
            if values.ndim != 2 or not bool(torch.isfinite(values).all()):
                raise ValueError(f"features need the shape [N, D] and finite values, got {tuple(values.shape)}")
            if not count:
                # Sums of squares about a value near the mean keep their precision.
                origin = values.mean(dim=0)
                total, products = torch.zeros_like(origin), origin.new_zeros(len(origin), len(origin))
            values = values - origin
            total, products = total + values.sum(dim=0), products + values.T @ values
            count += len(values)
        if count < 2:
            raise ValueError(f"a distribution needs the features of at least two images, got {count}")
        mean = total / count
        return cls(origin + mean, (products - count * torch.outer(mean, mean)) / (count - 1), count)


def frechet_distance(ours: FeatureStatistics, theirs: FeatureStatistics) -> float:
    """The squared 2-Wasserstein distance of two normal distributions, in float64.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``; the root's trace is the sum of the roots of the eigenvalues of
    the symmetric matrix ``C1^(1/2) C2 C1^(1/2)``, which has the eigenvalues of ``C1 C2``.
    """
    if ours.mean.shape != theirs.mean.shape:
        raise ValueError(f"features of lengths {len(ours.mean)} and {len(theirs.mean)} cannot be compared")
    values, axes = torch.linalg.eigh(ours.covariance)
    root = (axes * values.clamp_min(0).sqrt()) @ axes.T
    middle = root @ theirs.covariance @ root
    overlap = torch.linalg.eigvalsh((middle + middle.T) / 2).clamp_min(0).sqrt().sum()
    spread = ours.covariance.trace() + theirs.covariance.trace() - 2 * overlap
    return max(0.0, float((ours.mean - theirs.mean).square().sum() + spread))


def sample_features(
    G: Generator,
    features: Features,
    samples: int = 50_000,
    *,
    truncation: float = 1.0,
    noise: Noise = "const",
    batch: int = 8,
    seed: int = 0,
) -> Iterator[Tensor]:
    """Features of random samples, ``[batch, D]`` at a time, for ``FeatureStatistics.of``.

    Within ``generator.cluster.connection.connected`` the workers of a cluster draw them.
    """
    source = torch.Generator().manual_seed(seed)
    draws = ((seed + i, *draw_z(G, size, source)) for i, size in enumerate(batch_sizes(samples, batch)))
    yield from spread(partial(_Featured, G, features, truncation, noise), draws)


class _Featured:
    """From z to the features of its pictures."""

    def __init__(self, G: Generator, features: Features, truncation: float, noise: Noise) -> None:
        self._G, self._features, self._truncation, self._noise = G, features, truncation, noise

    @torch.no_grad()
    def __call__(self, draw: tuple[int, Tensor, Tensor | None]) -> Tensor:
        seed, z, label = draw
        return self._features(self._G.synthesize(self._G.map(z, label, self._truncation), self._noise, seed=seed))
