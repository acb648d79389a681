"""The search behind dragging: motion supervision on one feature map, in which the points are tracked."""

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

# As fractions of the image's side: DragGAN's radius is 3 pixels of 512.
_MOTION_RADIUS, _STEP, _NEAR = 3 / 512, 1 / 512, 2 / 512
# The gradient of what is outside of the mask over that of the pull, in length.
_MOST_HOLDING = 0.7
PATIENCE = 40
"""Steps without a gain after which a search has stalled; a lid gains a third of a pixel a step, with pauses."""


@dataclass(frozen=True, eq=False)
class Reached:
    """Where a search was after a step.

    Attributes:
        ws: the code, ``[1, num_ws, w_dim]``.
        points: the handles, ``[n, 2]``, fractions of the side.
        away: of the farthest from its target, as a fraction of the side.
        after: how many steps had been made.
    """

    ws: Tensor
    points: Tensor
    away: float
    after: int


class Search:
    """Places are fractions of the image's side, x and y, ``[..., 2]``.

    Args:
        G: the generator.
        followed: the feature map that the points are followed in.
        ws: the code to start from, ``[1, num_ws, w_dim]``.
        places: where each point is and where it is to go, ``[n, 2, 2]``.
        rows: rows of ws that move.
        learning_rate: of Adam, in standard deviations of W.
        mask: what may change, ``[h, w]``; None for all.
        mask_weight: of the change elsewhere, whose gradient is shortened where it outweighs that of the pull.
        noise: as for ``Generator.synthesize``.
        seed: of the samples that W's statistics come from.

    Attributes:
        best: where its points were nearest to their targets, the last of equals; None before the first step.
    """

    def __init__(
        self,
        G: Generator,
        followed: FeatureMap,
        ws: Tensor,
        places: Tensor,
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
        places = places.to(G.device)
        self.points, self.targets = places[:, 0], places[:, 1]
        sample = 1 / followed.resolution
        self.length = max(_STEP, sample / 2)
        self.near = max(_NEAR, sample / 2)
        self.patch = disc(max(_MOTION_RADIUS, sample), sample / 2).to(G.device)
        self.seen = self._features()
        self.first = self.seen.detach()
        self.tracker = PointTracker(followed, self.first, places, self.patch, self.length)
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
        """A mask over the image at the samples of the feature map, ``[1, 1, S, S]``; its edge goes on outside."""
        one = self.followed
        mask = mask[None, None].to(self.start)
        fitted = F.interpolate(mask, size=one.resolution, mode="bilinear", antialias=True, align_corners=False)
        margin = (one.size - one.resolution) // 2
        rest = one.size - one.resolution - margin
        return F.pad(fitted, (margin, rest, margin, rest), mode="replicate")

    def step(self) -> None:
        """Pull every point a step towards its target, then find the points."""
        away = self.targets - self.points
        distance = away.norm(dim=1, keepdim=True)
        pulled = distance[:, 0] > self.near / 2
        here = self.points[pulled, None] + self.patch
        toward = (self.length * away / distance.clamp_min(1e-12))[pulled, None]
        pull = (
            features_at(self.followed, self.seen, here + toward)
            - features_at(self.followed, self.seen, here).detach()
        ).abs()
        gradient = self._gradient(pull.mean(dim=(1, 2)).sum())
        if not bool(torch.isfinite(gradient).all()):
            raise InputError("The search diverged; use a lower learning rate.")
        self.moves.grad = gradient
        self.adam.step()
        self.seen = self._features()
        self.points = self.tracker.track(self.seen, self.points)
        self.done += 1
        if self.away < self.nearest - self.near / 4:
            self.nearest, self.nearest_after = self.away, self.done
        if self.best is None or self.away <= self.best.away:
            self.best = self.now()

    def now(self) -> "Reached":
        """Where it is."""
        return Reached(self.code().detach(), self.points.clone(), self.away, self.done)

    def _gradient(self, pull: Tensor) -> Tensor:
        """Of the pull on the points and of the change outside of the mask, ``[1, rows, w_dim]``."""
        if self.outside is None:
            (pulling,) = torch.autograd.grad(pull, self.moves)
            return pulling
        change = self.mask_weight * ((self.seen - self.first) * self.outside).abs().mean()
        (pulling,) = torch.autograd.grad(pull, self.moves, retain_graph=True)
        (holding,) = torch.autograd.grad(change, self.moves)
        # A mean of absolute values has as long a gradient of a small change as of a large one. As Adam's steps have
        # one length, whatever the gradient's, a longer one than the pull's would keep the points where they are.
        share = _MOST_HOLDING * pulling.norm() / holding.norm().clamp_min(1e-20)
        both: Tensor = pulling + holding * share.clamp_max(1)
        return both

    @property
    def away(self) -> float:
        """Of the farthest handle from its target, as a fraction of the side."""
        return float((self.targets - self.points).norm(dim=1).max())

    @property
    def reached(self) -> bool:
        return self.away <= self.near

    @property
    def stalled(self) -> bool:
        """Whether the farthest handle came no nearer for ``PATIENCE`` steps."""
        return not self.reached and self.done - self.nearest_after >= PATIENCE
