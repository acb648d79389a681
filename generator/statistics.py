"""How a generator's W is distributed, and coordinates in which it is a standard normal."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from generator.generator import Generator


@dataclass(frozen=True)
class WStatistics:
    """Mean and covariance of W, and the whitening between them.

    In whitened coordinates every axis has the same spread, so one step size suits all of them, and the length of a
    code says how usual it is: its root mean square is 1 for a typical sample (Mahalanobis distance over the square
    root of the dimension).

    Attributes:
        mean: ``[w_dim]``.
        axes: ``[w_dim, w_dim]``, the covariance's eigenvectors as columns, largest first.
        deviations: ``[w_dim]``, the standard deviation along each axis, above 0.
    """

    mean: Tensor
    axes: Tensor
    deviations: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, G: Generator, samples: int = 20_000, seed: int = 0) -> Self:
        """Estimate from samples of W, without truncation; a second or two for 20,000."""
        z = torch.randn(samples, G.z_dim, generator=torch.Generator().manual_seed(seed))
        label = None
        if G.label_dim:
            classes = torch.randint(G.label_dim, (samples,), generator=torch.Generator().manual_seed(seed + 1))
            label = torch.nn.functional.one_hot(classes, G.label_dim).float()
        parts = []
        for start in range(0, samples, 2000):
            rows = slice(start, start + 2000)
            parts.append(G.map(z[rows], None if label is None else label[rows])[:, 0].cpu())
        w = torch.cat(parts).double()
        mean = w.mean(dim=0)
        variances, axes = torch.linalg.eigh((w - mean).T @ (w - mean) / (samples - 1))
        variances = variances.flip(0)
        # Directions in which W does not vary would whiten to infinity.
        deviations = variances.clamp_min(float(variances[0]) * 1e-8).sqrt()
        device = G.device
        return cls(mean.float().to(device), axes.flip(1).float().to(device), deviations.float().to(device))

    def whiten(self, ws: Tensor) -> Tensor:
        """``[..., w_dim]`` to coordinates of mean 0 and standard deviation 1."""
        return (ws - self.mean) @ self.axes / self.deviations

    def unwhiten(self, coordinates: Tensor) -> Tensor:
        """The inverse of :meth:`whiten`."""
        return self.mean + (coordinates * self.deviations) @ self.axes.T

    def distance(self, ws: Tensor) -> Tensor:
        """How unusual codes are: the root mean square of the whitened ws ``[N, num_ws, w_dim]``, ``[N]``."""
        return self.whiten(ws).square().mean(dim=(1, 2)).sqrt()
