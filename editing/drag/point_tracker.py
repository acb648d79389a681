"""Point tracking in feature maps while points are dragged.

Pan et al., "Drag Your GAN", 2023, section 3.3, search near a point for the feature vector most similar to its
first. On an edge, such as an eyelid, all positions along it are similar (the aperture problem of optical flow), so
the point slides along the edge. Here a whole patch is compared, and two priors are added: a point moves little in
one step, and it stays near the line to its target (as in the line search of Ling et al., "FreeDrag", 2024). The
priors' weight is the smallest patch difference found, at most that to the point's surroundings: a patch that is
found unchanged is followed wherever it goes.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.features import FeatureMap

# DragGAN's search radius, 12 pixels of 512.
_RADIUS = 12 / 512
# Weights of both priors, for squared distances in lengths of a pull; measured by `tests.benchmarks.drag`.
_STRIDE, _ASIDE = 0.25, 0.4
_DIRECTIONS = 8
# Tracking back: the window, in those of a step, and the largest distance from the start, 10 pixels of 1024.
# Landmarks that the search held to be at their targets were off by 1 and 4 pixels where it was 4, by 15 at 16.
_BACK, _MISSED = 2, 10 / 1024
# FreeDrag's: a template takes half of what differs by a fifth, and a tenth of what differs by 0.8.
_SHARPNESS, _ADAPTED = math.log(9) / 0.6, 0.2


class PointTracker:
    """Tracks points; positions are x and y in fractions of the image's side.

    Args:
        followed: the feature map in which points are tracked.
        first: the features of the image to start from, ``[1, C, S, S]``.
        positions: start and target of each point, ``[n, 2, 2]``.
        patch: offsets within the patch that is compared, ``[p, 2]``.
        length: of one pull.
    """

    def __init__(
        self, followed: FeatureMap, first: Tensor, positions: Tensor, patch: Tensor, length: float
    ) -> None:
        self.followed, self.patch, self.length = followed, patch, length
        sample = 1 / followed.resolution
        self.window = _square(max(_RADIUS, 3 * sample), min(1 / 512, sample / 2)).to(first)
        positions = positions.to(first)
        self.starts = positions[:, 0]
        self.headings = F.normalize(positions[:, 1] - positions[:, 0], dim=1)
        self.features = first
        self.patches = self._patches(first, self.starts[:, None])[:, 0]
        turns = torch.arange(_DIRECTIONS) * (2 * math.pi / _DIRECTIONS)
        ring = length * torch.stack([turns.cos(), turns.sin()], dim=1).to(first)
        nearby = self._patches(first, self.starts[:, None] + ring)
        self.changes = (nearby - self.patches[:, None]).square().mean(dim=(1, 2, 3))

    @torch.no_grad()
    def track(self, now: Tensor, points: Tensor) -> Tensor:
        """The positions of points ``[n, 2]`` in new features ``[1, C, S, S]``, after one step."""
        # One by one, as the patches at all positions of a window take much memory.
        return torch.stack([self._track(now, point, index) for index, point in enumerate(points)])

    def _track(self, now: Tensor, point: Tensor, index: int) -> Tensor:
        positions = (point + self.window).clamp(0, 1)
        unlike = (self._patches(now, positions) - self.patches[index]).square().mean(dim=(1, 2))
        stride = (positions - point).square().sum(dim=1)
        away, (x, y) = positions - self.starts[index], self.headings[index]
        aside = (away[:, 0] * y - away[:, 1] * x).square()
        unexpected = (_STRIDE * stride + _ASIDE * aside) / self.length**2
        weight = torch.minimum(unlike.min(), self.changes[index])
        return positions[(unlike + weight * unexpected).argmin()]

    @torch.no_grad()
    def lost(self, now: Tensor, points: Tensor) -> Tensor:
        """Whether each point, tracked back from new features to the first, misses its start, bool ``[n]``.

        The forward-backward error of Kalal, Mikolajczyk & Matas, "Forward-Backward Error: Automatic Detection of
        Tracking Failures", 2010: a point that slid to something alike does not come back.
        """
        patches = self._patches(now, points[:, None])[:, 0]
        missed = []
        for start, patch in zip(self.starts, patches, strict=True):
            positions = (start + _BACK * self.window).clamp(0, 1)
            unlike = (self._patches(self.features, positions) - patch).square().mean(dim=(1, 2))
            missed.append((positions[unlike.argmin()] - start).norm())
        return torch.stack(missed) > max(_MISSED, 1.25 / self.followed.resolution)

    @torch.no_grad()
    def adapt(self, now: Tensor, points: Tensor, known: Tensor) -> None:
        """Let the patches that are followed become a little as they are now.

        The adaptive template of Ling et al., "FreeDrag", 2024: a patch takes less of what differs more from it.
        Points ``known`` to be there, bool ``[n]``, take half.
        """
        patches = self._patches(now, points[:, None])[:, 0]
        unlike = (patches - self.patches).square().mean(dim=(1, 2)) / self.changes.clamp_min(1e-12)
        share = torch.where(known, 0.5, torch.sigmoid(-_SHARPNESS * (unlike - _ADAPTED)))
        self.patches = self.patches.lerp(patches, share[:, None, None])

    def _patches(self, features: Tensor, positions: Tensor) -> Tensor:
        """The patches around positions ``[..., 2]``, ``[..., p, C]``."""
        # Bicubic, as bilinear values between the samples are smoother than those at the samples.
        return features_at(self.followed, features, positions[..., None, :] + self.patch, mode="bicubic")


def features_at(followed: FeatureMap, features: Tensor, positions: Tensor, *, mode: str = "bilinear") -> Tensor:
    """Features ``[1, C, S, S]`` interpolated at positions ``[..., 2]``: ``[..., C]``."""
    grid = ((2 * positions - 1) * (followed.resolution / followed.size)).reshape(1, 1, -1, 2)
    found = F.grid_sample(features, grid, mode=mode, padding_mode="border", align_corners=False)
    return found[0, :, 0].T.reshape(*positions.shape[:-1], -1)


def disc(radius: float, spacing: float) -> Tensor:
    """Offsets on a grid within a circle, ``[n, 2]``."""
    offsets = _square(radius, spacing)
    return offsets[offsets.norm(dim=1) <= radius * (1 + 1e-6)]


def _square(radius: float, spacing: float) -> Tensor:
    """Offsets on a grid within a square, ``[n, 2]``, the centre first, so that it wins ties."""
    steps = int(radius / spacing + 1e-6)
    line = spacing * torch.arange(-steps, steps + 1)
    offsets = torch.cartesian_prod(line, line)
    return offsets[offsets.square().sum(dim=1).argsort(stable=True)]
