"""The search of dragging: motion supervision and point tracking on one feature map, corrected by landmarks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.editing.drag.face_points import FacePoints
from stylegan_latents.editing.drag.handles import with_ways
from stylegan_latents.editing.drag.landing import Landing, movements
from stylegan_latents.editing.drag.mask_loss import MaskLoss
from stylegan_latents.editing.drag.point_tracker import PointTracker, disc, features_at
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.features import FeatureMap, features
from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.statistics import WStatistics

# Fractions of the image's side: the patch's radius, as in DragGAN, the length of a pull, and the tolerances, of
# points that features and landmarks follow; landmarks are known to about a pixel of 1024, so that a result a little
# farther off has arrived, too.
_MOTION_RADIUS, _STEP, _NEAR, _NEAR_BY_LANDMARKS = 3 / 512, 1 / 512, 2 / 512, 1.5 / 1024
_ARRIVED = 3 / 1024
# The distance within which steps become smaller, as points went back and forth about their targets; the distance
# behind the best state from which the search goes back to it; and the error from which the next look is sooner.
_LANDING, _ASTRAY, _OFF = 10 / 1024, 12 / 1024, 8 / 1024
# The distances from which landmarks measure single moves: if pulls go astray or hardly nearer, and in any case.
_LAND_WITHIN, _LAND_IN_ANY_CASE = 20 / 1024, 10 / 1024
# Step size of each row's own move, as a fraction of that of the move that all rows share: rows that part from each
# other leave W, and a long pull without a mask then blurs a face.
_OWN = 0.25
# Steps between looks.
_LOOK_EVERY = 10
PATIENCE = 40
"""Steps without progress after which a search has stalled; an eyelid moves a third of a pixel a step."""


@dataclass(frozen=True, eq=False)
class Reached:
    """The state of a search after so many steps: the code ``[1, num_ws, w_dim]``, the points ``[n, 2]``, and the
    largest distance of one from its target, ``away``, both in fractions of the side; ``lost`` says of each point
    whether it is not known where it is, bool ``[n]``, and is None if that was not looked at.
    """

    ws: Tensor
    points: Tensor
    away: float
    after: int
    lost: Tensor | None = None


class Search:
    """The search; positions are x and y in fractions of the image's side, ``[..., 2]``.

    Args:
        G, rows, learning_rate, mask_weight, seed: see ``Drag``.
        followed: the feature map in which points are tracked.
        ws: the code to start from, ``[1, num_ws, w_dim]``.
        positions: start and target of each point, ``[n, 2, 2]``.
        mask: what may change, ``[h, w]``; None for all.
        noise: see ``Generator.synthesize``.
        face: says where points of a face are; None to follow features alone.

    Attributes:
        best: the state with the points nearest to their targets, the last of equals; None before the first step.
            With a face, of the states that were looked at.
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
        face: FacePoints | None = None,
    ) -> None:
        self.G, self.followed, self.rows = G, followed, list(rows)
        self.noise, self.learning_rate = noise, learning_rate
        self.start = ws.detach().to(G.device, torch.float32)
        statistics = WStatistics.of(G, seed=seed)
        self.axes = statistics.axes * statistics.deviations
        # The first row is the move that all rows share.
        self.moves = torch.zeros(1, 1 + len(rows), G.w_dim, device=G.device, requires_grad=True)
        self.sizes = torch.tensor([1.0] + [_OWN] * len(rows), device=G.device)[:, None]
        self.adam = torch.optim.Adam([self.moves])
        positions = positions.to(G.device)
        self.points, self.targets = positions[:, 0], positions[:, 1]
        sample = 1 / followed.resolution
        self.length = max(_STEP, sample / 2)
        self.face = face
        known = torch.zeros(len(positions), dtype=torch.bool) if face is None else face.known
        self.known = known.to(G.device)
        self.near = torch.where(self.known, _NEAR_BY_LANDMARKS, max(_NEAR, sample / 2))
        self.patch = disc(max(_MOTION_RADIUS, sample), sample / 2).to(G.device)
        self.features = self._features(self.code())
        self.first = self.features.detach()
        self.tracker = PointTracker(followed, self.first, positions, self.patch, self.length)
        self.mask = (
            None if mask is None else MaskLoss(followed, self.first, with_ways(mask, positions), mask_weight)
        )
        self.done = 0
        self.nearest, self.nearest_after = self.away, 0
        self.best: Reached | None = None
        # The last look: its step, the points that it found, and the next one's step. ``gain`` is how far points go
        # for each length that the tracker sees them go, and ``lost`` those whose place is unknown since.
        self.looked, self.seen, self.next_look = 0, self.points, _LOOK_EVERY
        self.gain = torch.ones(len(positions), 1, device=G.device)
        self.lost = torch.zeros_like(self.known)
        self.kept = (self.moves.detach().clone(), self.now())
        self.landing = Landing()
        self.landing.observe(self._by_size(), self.points)
        # Whether the last pull went about where it should.
        self.pull_helped = True

    def code(self) -> Tensor:
        """The code now, ``[1, num_ws, w_dim]``."""
        ws = self.start.clone()
        ws[:, self.rows] += (self.moves[:, :1] + self.moves[:, 1:]) @ self.axes.T
        return ws

    def _features(self, ws: Tensor) -> Tensor:
        return features(self.G, ws, self.followed, self.noise).float()

    def step(self) -> None:
        """Bring every point nearer to its target: near to it by landmarks, else by motion supervision."""
        if self._can_land:
            self._land()
        else:
            self._pull()

    def _pull(self) -> None:
        """Pull every point a step towards its target, track the points, and check them every few steps."""
        away = self.targets - self.points
        distance = away.norm(dim=1, keepdim=True)
        pulled = distance[:, 0] > self.near / 2
        here = self.points[pulled, None] + self.patch
        toward = (away * (self.length / distance.clamp_min(self.length)))[pulled, None]
        pull = (
            features_at(self.followed, self.features, here + toward)
            - features_at(self.followed, self.features, here).detach()
        ).abs()
        loss = pull.mean(dim=(1, 2)).sum()
        if self.mask is None:
            (gradient,) = torch.autograd.grad(loss, self.moves)
        else:
            gradient = self.mask.gradient(loss, self.features, self.moves, self.done)
        if not bool(torch.isfinite(gradient).all()):
            raise InputError("The search diverged; use a lower learning rate.")
        self._move(gradient)
        self.features = self._features(self.code())
        tracked = self.tracker.track(self.features, self.points)
        self.points = self.points + self.gain * (tracked - self.points)
        self.done += 1
        if self.done >= self.next_look or self._all_near:
            self._look()
        elif self.face is not None:
            return
        self._note_progress()
        behind = self.best is not None and self.away > self.best.away
        if not behind and not bool(self.lost.any()):
            self.best = self.now()
            if self.looked == self.done:
                self.kept = (self.moves.detach().clone(), self.best)
        elif self.looked == self.done and (bool(self.lost.any()) or self.away > self.kept[1].away + _ASTRAY):
            self._retreat()

    @property
    def _can_land(self) -> bool:
        if self.landing.resting or self.looked != self.done or not bool(self.known.all()) or bool(self.lost.any()):
            return False
        return self.away <= (_LAND_IN_ANY_CASE if self.pull_helped else _LAND_WITHIN)

    def _land(self) -> None:
        """Try one short move, and keep it if the landmarks are nearer then."""
        here, self.pull_helped = self._by_size(), False
        if self.landing.slopes is None:
            self.landing.slopes = self._slopes(self.landing.window)
        step = self.landing.propose(here, self.points, self.targets)
        before = self.moves.detach().clone()
        self.moves.data += step.reshape_as(before) * self.sizes
        with torch.no_grad():
            drawn = self._features(self.code())
        places, lost = self._places(self.code().detach(), drawn, self.points)
        self.done += 1
        self.looked = self.done
        away = math.inf
        if not bool(lost.any()):
            self.landing.observe(here + step, places)
            away = float((self.targets - places).norm(dim=1).max())
        self.landing.judge(step, self.away, away)
        if away < self.away:
            self.points = self.seen = places
            self.tracker.adapt(drawn, places, self.known)
            self.best = self.now()
            self.kept = (self.moves.detach().clone(), self.best)
            self._note_progress()
        else:
            self.moves.data.copy_(before)
        if self.landing.resting:
            self._restart()

    def _by_size(self) -> Tensor:
        """The moves so far, each row's in its own size, ``[(1 + rows) * w_dim]``."""
        return (self.moves.detach() / self.sizes).flatten()

    def _slopes(self, window: float) -> Tensor:
        """The derivatives of the points by such moves, ``[2n, (1 + rows) * w_dim]``, that a mask allows."""
        self.features = self._features(self.code())
        gone = movements(self.followed, self.features, self.points, window).flatten()
        wanted = list(gone) if self.mask is None else [*gone, self.mask.change(self.features)]
        slopes = torch.stack([
            (torch.autograd.grad(one, self.moves, retain_graph=True)[0] * self.sizes).flatten() for one in wanted
        ])  # fmt: skip
        if self.mask is None:
            return slopes
        forbidden = F.normalize(slopes[-1], dim=0)
        return slopes[:-1] - torch.outer(slopes[:-1] @ forbidden, forbidden)

    def _move(self, gradient: Tensor) -> None:
        """One step of Adam, each row by its own size."""
        size = self.learning_rate * min(1.0, max(self.away / _LANDING, 0.2))
        self.adam.param_groups[0]["lr"] = size
        before = self.moves.detach().clone()
        self.moves.grad = gradient
        self.adam.step()
        self.moves.data.copy_(before + (self.moves.detach() - before) * self.sizes)

    def _look(self) -> None:
        """Correct the points by what ``_places`` says, and plan the next look."""
        places, self.lost = self._places(self.code().detach(), self.features, self.points)
        way = self.points - self.seen
        came = ((places - self.seen) * way).sum(dim=1, keepdim=True) / way.square().sum(1, True).clamp_min(1e-12)
        gain = (self.gain + (self.gain * came.clamp(0, 2)).clamp(0.1, 1)) / 2
        self.gain = torch.where(self.known[:, None], gain, self.gain)
        before, error = self.seen, float((places - self.points).norm(dim=1).max())
        self.points = places
        if not bool(self.lost.any()):
            self.landing.observe(self._by_size(), places)
        self.tracker.adapt(self.features, places, self.known & ~self.lost)
        steps, left = self.done - self.looked, float((self.targets - before).norm(dim=1).max())
        self.pull_helped = error < self.away / 2 and self.away < 0.9 * left
        speed = (left - self.away) / steps
        soon = 0.7 * self.away / speed if speed > 0 else _LOOK_EVERY
        wait = max(3, min(_LOOK_EVERY // 2 if error > _OFF else _LOOK_EVERY, round(soon)))
        self.looked, self.seen, self.next_look = self.done, places, self.done + wait

    def _places(self, ws: Tensor, now: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Where the points of a code really are, as far as landmarks tell, and which ones are lost."""
        lost = self.tracker.lost(now, points)
        if self.face is None:
            return points, lost
        found = self.face.find(ws)
        if found is None:
            return points, lost | self.known
        return torch.where(self.known[:, None], found.to(points), points), lost & ~self.known

    def _retreat(self) -> None:
        """Go back to the last good state and on in smaller steps (Ling et al., "FreeDrag", 2024)."""
        moves, state = self.kept
        self.moves.data.copy_(moves)
        self._restart()
        self.points = self.seen = state.points
        self.lost = torch.zeros_like(self.lost)

    def _restart(self) -> None:
        """Pull on from here in smaller steps."""
        self.learning_rate /= 2
        self.adam = torch.optim.Adam([self.moves])
        self.features = self._features(self.code())
        self.next_look = self.done + _LOOK_EVERY

    def _note_progress(self) -> None:
        if self.away < self.nearest - float(self.near.max()) / 4:
            self.nearest, self.nearest_after = self.away, self.done

    def now(self) -> Reached:
        """The current state."""
        lost = self.lost if self.looked == self.done else None
        return Reached(self.code().detach(), self.points.clone(), self.away, self.done, lost)

    @torch.no_grad()
    def verified(self, state: Reached) -> Reached:
        """The state with its points where landmarks show them, and what is lost."""
        if state.lost is not None:
            return state
        points, lost = self._places(state.ws, self._features(state.ws), state.points)
        away = float((self.targets - points).norm(dim=1).max())
        return replace(state, points=points, lost=lost, away=away)

    @property
    def away(self) -> float:
        """The largest distance of a point from its target, as a fraction of the side."""
        return float((self.targets - self.points).norm(dim=1).max())

    @property
    def _all_near(self) -> bool:
        return bool(((self.targets - self.points).norm(dim=1) <= self.near).all())

    @property
    def reached(self) -> bool:
        """Whether every point is known to be at its target."""
        if self.looked != self.done or bool(self.lost.any()):
            return False
        return self._all_near or (self.landing.missed and self.arrived(self.now()))

    def arrived(self, state: Reached) -> bool:
        """Whether every point of a verified state is at its target; the search itself goes on a little nearer."""
        distances = (self.targets - state.points).norm(dim=1)
        near = bool((distances <= torch.where(self.known, _ARRIVED, self.near)).all())
        return near and state.lost is not None and not bool(state.lost.any())

    @property
    def stalled(self) -> bool:
        """Whether the farthest point came no nearer for ``PATIENCE`` steps."""
        return not self.reached and self.done - self.nearest_after >= PATIENCE
