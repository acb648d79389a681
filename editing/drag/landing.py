"""The last part of a pull: short moves whose effect landmarks measure.

Motion supervision moves what is at a point, but not along an edge, and a landmark such as the chin's is no fixed
spot of skin. So near its target a point's place is taken for a function of the code: features tell its first
derivatives (Lucas and Kanade 1981), and the landmarks of all pictures so far correct them by Gaussian regression.
"""

from typing import cast

import torch
from torch import Tensor

from stylegan_latents.editing.drag.point_tracker import disc, features_at
from stylegan_latents.generator.features import FeatureMap

# Radii of the windows about a point in which features tell how it moves, tried in turn.
_WINDOWS = 24 / 1024, 80 / 1024
# The largest length of a move, in standard deviations of W; by how much it grows and shrinks; the smallest.
_RADIUS, _GROW, _SHRINK, _LEAST = 1.0, 1.5, 0.5, 0.1
# How many moves in a row may bring the points less than this share of their way nearer.
_PATIENCE, _WORTH = 4, 0.05
# Damping: of the structure tensor, by its trace, and of moves, by the largest derivative.
_FLAT, _DAMPING = 0.02, 0.05
# Standard deviations: of a landmark's place, and of how far a move of length 1 brings it beyond what features tell,
# at least and as a share of that; and the length of a move at which the bend of the way is as large as the first.
_NOISE, _UNSURE, _UNSURE_SHARE, _STRAIGHT = 1.5 / 1024, 8 / 1024, 0.3, 0.4
# How far a move should bring a point at least, so that landmarks can tell.
_TELLING = 3 / 1024


class Landing:
    """Proposes moves of a code from where all moves so far brought the points.

    Attributes:
        slopes: the derivatives of the points by the move that features tell, ``[2n, d]``; None if they are wanted.
        missed: whether a series of moves ended without bringing the points nearer.
        resting: whether nothing more is to be tried before another look.
    """

    def __init__(self) -> None:
        self.slopes: Tensor | None = None
        self.missed = self.resting = False
        self._moves: list[Tensor] = []
        self._places: list[Tensor] = []
        self._radius, self._failed, self._series = _RADIUS, 0, 0

    @property
    def window(self) -> float:
        """The radius of the window in which features are to tell ``slopes``, as a fraction of the side."""
        return _WINDOWS[self._series]

    def observe(self, move: Tensor, places: Tensor) -> None:
        """Take in where landmarks place the points ``[n, 2]`` after a move ``[d]`` from the start."""
        self._moves.append(move)
        self._places.append(places)
        self.resting = False

    def propose(self, move: Tensor, points: Tensor, targets: Tensor) -> Tensor:
        """The shortest further move ``[d]`` that should bring points ``[n, 2]`` to their targets."""
        if self.slopes is None:
            raise ValueError("a landing needs slopes")
        past = torch.stack(self._moves) - move
        came = (torch.stack(self._places) - points).flatten(1)
        bend = past.square().sum(dim=1) / _STRAIGHT**2
        unsure = max(_UNSURE, _UNSURE_SHARE * float(self.slopes.norm(dim=1).max())) ** 2
        spread = unsure * past @ past.T + _NOISE**2 * (1 + torch.diag(1 + bend.square()))
        wrong = torch.linalg.solve(spread, came - past @ self.slopes.T)
        slopes = self.slopes + unsure * wrong.T @ past
        products = slopes @ slopes.T
        damped = products + _DAMPING**2 * products.diagonal().max() * torch.eye(len(products)).to(products)
        further = slopes.T @ torch.linalg.solve(damped, (targets - points).flatten())
        length, away = float(further.norm()), float((targets - points).norm(dim=1).max())
        longest = min(max(self._radius, length * min(1.0, _TELLING / away)), _RADIUS)
        return cast(Tensor, further * min(1.0, longest / max(length, 1e-12)))

    def judge(self, move: Tensor, before: float, after: float) -> None:
        """Learn how far points were from their targets before a proposed move and are after it."""
        length = float(move.norm()) * (_GROW if after < before else _SHRINK)
        self._radius = min(max(length, _LEAST), _RADIUS)
        self._failed = 0 if after < (1 - _WORTH) * before else self._failed + 1
        if self._failed < _PATIENCE:
            return
        self.slopes, self.missed = None, True
        self._radius, self._failed = _RADIUS, 0
        self._series = (self._series + 1) % len(_WINDOWS)
        self.resting = self._series == 0


def movements(followed: FeatureMap, features: Tensor, points: Tensor, window: float) -> Tensor:
    """Where what is at points ``[n, 2]`` has gone, ``[n, 2]``: 0 in value, but differentiable in the features.

    Lucas and Kanade, "An Iterative Image Registration Technique with an Application to Stereo Vision", 1981.
    """
    sample = 1 / followed.resolution
    radius = max(window, 2 * sample)
    spots = points[:, None] + disc(radius, max(sample / 2, radius / 6)).to(points)
    still = features.detach()
    slopes = []
    for axis in torch.eye(2).to(points) * sample:
        ahead, behind = (features_at(followed, still, spots + by) for by in (axis, -axis))
        slopes.append((ahead - behind) / (2 * sample))
    slope = torch.stack(slopes, dim=-1)
    tensor = torch.einsum("npca,npcb->nab", slope, slope)
    tensor = tensor + _FLAT * tensor.diagonal(dim1=1, dim2=2).sum(1)[:, None, None] * torch.eye(2).to(tensor)
    change = features_at(followed, features, spots) - features_at(followed, still, spots)
    return cast(Tensor, -torch.linalg.solve(tensor, torch.einsum("npca,npc->na", slope, change)))
