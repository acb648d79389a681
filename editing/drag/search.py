"""The search of dragging: motion supervision and point tracking on one feature map."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.editing.drag.point_tracker import PointTracker, disc, features_at
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.features import FeatureMap, features
from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.statistics import WStatistics

# Fractions of the image's side: the patch's radius, as in DragGAN, the length of a pull, and the tolerance.
_MOTION_RADIUS, _STEP, _NEAR = 3 / 512, 1 / 512, 2 / 512
# Largest norm of the mask loss's gradient, as a fraction of that of motion supervision.
_MOST_HOLDING = 0.7
PATIENCE = 40
"""Steps without progress after which a search has stalled; an eyelid moves a third of a pixel a step."""


@dataclass(frozen=True, eq=False)
class Reached:
    """The state of a search after so many steps: the code ``[1, num_ws, w_dim]``, the points ``[n, 2]``, and the
    largest distance of one from its target, ``away``, both in fractions of the side.
    """

    ws: Tensor
    points: Tensor
    away: float
    after: int


class Search:
    """The search; positions are x and y in fractions of the image's side, ``[..., 2]``.

    Args:
        G, rows, learning_rate, mask_weight, seed: see ``Drag``.
        followed: the feature map in which points are tracked.
        ws: the code to start from, ``[1, num_ws, w_dim]``.
        positions: start and target of each point, ``[n, 2, 2]``.
        mask: what may change, ``[h, w]``; None for all.
        noise: see ``Generator.synthesize``.

    Attributes:
        best: the state with the points nearest to their targets, the last of equals; None before the first step.
    """

    def __init__(
        self,
        G: Generator,
        followed: FeatureMap,
        ws: Tensor,
        positions: Tensor,
        *,
        rows: Sequence[int],
        learning_rate: float,
        mask: Tensor | None,
        mask_weight: float,
        noise: Noise,
        seed: int,
    ) -> None:
        self.G, self.followed, self.rows = G, followed, list(rows)
        self.noise, self.mask_weight = noise, mask_weight
        self.start = ws.detach().to(G.device, torch.float32)
        statistics = WStatistics.of(G, seed=seed)
        self.axes = statistics.axes * statistics.deviations
        self.moves = torch.zeros(1, len(rows), G.w_dim, device=G.device, requires_grad=True)
        self.adam = torch.optim.Adam([self.moves], lr=learning_rate)
        positions = positions.to(G.device)
        self.points, self.targets = positions[:, 0], positions[:, 1]
        sample = 1 / followed.resolution
        self.length = max(_STEP, sample / 2)
        self.near = max(_NEAR, sample / 2)
        self.patch = disc(max(_MOTION_RADIUS, sample), sample / 2).to(G.device)
        self.features = self._features()
        self.first = self.features.detach()
        self.tracker = PointTracker(followed, self.first, positions, self.patch, self.length)
        self.outside = None if mask is None else 1 - self._on_map(mask)
        self.done = 0
        self.nearest, self.nearest_after = self.away, 0
        self.best: Reached | None = None

    def code(self) -> Tensor:
        """The code now, ``[1, num_ws, w_dim]``."""
        ws = self.start.clone()
        ws[:, self.rows] += self.moves @ self.axes.T
        return ws

    def _features(self) -> Tensor:
        return features(self.G, self.code(), self.followed, self.noise).float()

    def _on_map(self, mask: Tensor) -> Tensor:
        """A mask over the image, resampled to the feature map and extended at its edge, ``[1, 1, S, S]``."""
        one = self.followed
        mask = mask[None, None].to(self.start)
        fitted = F.interpolate(mask, size=one.resolution, mode="bilinear", antialias=True, align_corners=False)
        margin = (one.size - one.resolution) // 2
        rest = one.size - one.resolution - margin
        return F.pad(fitted, (margin, rest, margin, rest), mode="replicate")

    def step(self) -> None:
        """Pull every point a step towards its target, then track the points."""
        away = self.targets - self.points
        distance = away.norm(dim=1, keepdim=True)
        pulled = distance[:, 0] > self.near / 2
        here = self.points[pulled, None] + self.patch
        toward = (self.length * away / distance.clamp_min(1e-12))[pulled, None]
        pull = (
            features_at(self.followed, self.features, here + toward)
            - features_at(self.followed, self.features, here).detach()
        ).abs()
        gradient = self._gradient(pull.mean(dim=(1, 2)).sum())
        if not bool(torch.isfinite(gradient).all()):
            raise InputError("The search diverged; use a lower learning rate.")
        self.moves.grad = gradient
        self.adam.step()
        self.features = self._features()
        self.points = self.tracker.track(self.features, self.points)
        self.done += 1
        if self.away < self.nearest - self.near / 4:
            self.nearest, self.nearest_after = self.away, self.done
        if self.best is None or self.away <= self.best.away:
            self.best = self.now()

    def now(self) -> Reached:
        """The current state."""
        return Reached(self.code().detach(), self.points.clone(), self.away, self.done)

    def _gradient(self, pull: Tensor) -> Tensor:
        """The gradient of motion supervision and of the mask loss, ``[1, rows, w_dim]``."""
        if self.outside is None:
            (pulling,) = torch.autograd.grad(pull, self.moves)
            return pulling
        change = self.mask_weight * ((self.features - self.first) * self.outside).abs().mean()
        (pulling,) = torch.autograd.grad(pull, self.moves, retain_graph=True)
        (holding,) = torch.autograd.grad(change, self.moves)
        # An L1 loss has as large a gradient for small changes as for large ones, and Adam normalizes step lengths:
        # without a bound the mask loss would keep the points where they are.
        share = _MOST_HOLDING * pulling.norm() / holding.norm().clamp_min(1e-20)
        both: Tensor = pulling + holding * share.clamp_max(1)
        return both

    @property
    def away(self) -> float:
        """The largest distance of a point from its target, as a fraction of the side."""
        return float((self.targets - self.points).norm(dim=1).max())

    @property
    def reached(self) -> bool:
        return self.away <= self.near

    @property
    def stalled(self) -> bool:
        """Whether the farthest point came no nearer for ``PATIENCE`` steps."""
        return not self.reached and self.done - self.nearest_after >= PATIENCE
