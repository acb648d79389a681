"""Where dragged points are now: the place that looks as each did at first, of those that it may have come to.

Pan et al., "Drag Your GAN", 2023, section 3.3, look for the feature vector that is most like a point's first. On an
edge, such as a lid's or the hair's, all places along it look alike (the aperture problem of optical flow), and so
the point slides along the edge and never arrives, however far the edge itself has come. Here a whole patch is
compared, and two expectations are weighed against its look: that no point goes far in one step, and that one that
is pulled along a line stays near it, as Ling et al., "FreeDrag", 2024, demand with their line search. They weigh as
much as the patch has become unlike, up to how unlike its surroundings were, as that is how little its look can be
relied on: a patch that is still found as it was is followed wherever it goes.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.features import FeatureMap

# As a fraction of the image's side: DragGAN's radius is 12 pixels of 512.
_RADIUS = 12 / 512
# What a pull's length off the expected weighs, against a patch that became as unlike as its surroundings were.
# Measured by `tests.benchmarks.drag`.
_STRIDE, _ASIDE = 0.25, 0.4
_DIRECTIONS = 8


class PointTracker:
    """Places are fractions of the image's side, x and y.

    Args:
        followed: the feature map that the points are followed in.
        first: the features of the image to start from, ``[1, C, S, S]``.
        places: where each point is and where it is to go, ``[n, 2, 2]``.
        patch: offsets of what is compared, ``[p, 2]``.
        length: of one pull.
    """

    def __init__(self, followed: FeatureMap, first: Tensor, places: Tensor, patch: Tensor, length: float) -> None:
        self.followed, self.patch, self.length = followed, patch, length
        sample = 1 / followed.resolution
        self.window = _square(max(_RADIUS, 3 * sample), min(1 / 512, sample / 2)).to(first)
        places = places.to(first)
        self.starts = places[:, 0]
        self.ways = F.normalize(places[:, 1] - places[:, 0], dim=1)
        self.looks = self._looks(first, self.starts[:, None])[:, 0]
        turns = torch.arange(_DIRECTIONS) * (2 * math.pi / _DIRECTIONS)
        ring = length * torch.stack([turns.cos(), turns.sin()], dim=1).to(first)
        around = self._looks(first, self.starts[:, None] + ring)
        self.units = (around - self.looks[:, None]).square().mean(dim=(1, 2, 3))

    @torch.no_grad()
    def track(self, seen: Tensor, points: Tensor) -> Tensor:
        """Where points ``[n, 2]`` are in new features ``[1, C, S, S]``, after one step."""
        # One by one, as the patches about all places of a window are large.
        return torch.stack([self._track(seen, point, index) for index, point in enumerate(points)])

    def _track(self, seen: Tensor, point: Tensor, index: int) -> Tensor:
        places = (point + self.window).clamp(0, 1)
        unlike = (self._looks(seen, places) - self.looks[index]).square().mean(dim=(1, 2))
        stride = (places - point).square().sum(dim=1)
        away, (x, y) = places - self.starts[index], self.ways[index]
        aside = (away[:, 0] * y - away[:, 1] * x).square()
        unexpected = (_STRIDE * stride + _ASIDE * aside) / self.length**2
        weight = torch.minimum(unlike.min(), self.units[index])
        return places[(unlike + weight * unexpected).argmin()]

    def _looks(self, features: Tensor, places: Tensor) -> Tensor:
        """The patches about places ``[..., 2]``, ``[..., p, C]``."""
        # Bicubic, as bilinear values between the samples are smoother than those at the samples.
        return features_at(self.followed, features, places[..., None, :] + self.patch, mode="bicubic")


def features_at(followed: FeatureMap, features: Tensor, places: Tensor, *, mode: str = "bilinear") -> Tensor:
    """Features ``[1, C, S, S]`` at places ``[..., 2]``, between the samples, too, ``[..., C]``."""
    grid = ((2 * places - 1) * (followed.resolution / followed.size)).reshape(1, 1, -1, 2)
    found = F.grid_sample(features, grid, mode=mode, padding_mode="border", align_corners=False)
    return found[0, :, 0].T.reshape(*places.shape[:-1], -1)


def disc(radius: float, spacing: float) -> Tensor:
    """Offsets on a grid within a circle, ``[n, 2]``."""
    offsets = _square(radius, spacing)
    return offsets[offsets.norm(dim=1) <= radius * (1 + 1e-6)]


def _square(radius: float, spacing: float) -> Tensor:
    """Offsets on a grid within a square, ``[n, 2]``, the middle first, so that of equals it is found."""
    steps = int(radius / spacing + 1e-6)
    line = spacing * torch.arange(-steps, steps + 1)
    offsets = torch.cartesian_prod(line, line)
    return offsets[offsets.square().sum(dim=1).argsort(stable=True)]
