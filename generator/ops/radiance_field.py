"""Volume rendering of radiance fields: a foreground in two passes, and a background on an inverted sphere.

Mildenhall et al., "NeRF", 2020, sections 4 and 5; the background after Zhang et al., "NeRF++", 2020, section 4.
Samples lie at fixed places, as in Gu et al., "StyleNeRF", 2022, so that a picture is a function of code and camera.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.ops.volume_rendering import inverse_cumulative, ray_directions
from stylegan_latents.generator.reading.headers import STRICT

Field = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Points ``[N, P, D]`` to densities ``[N, P]``, before the ReLU, and features ``[N, P, K]``."""

VIEW_AXES = [2, 0, 1]
"""The axes of fields, towards the viewer, to the right and up, among those of cameras."""

_MOST_SIDE, _MOST_SAMPLES, _LARGEST = 1024, 512, 1e4
_FEWEST_SAMPLES = 3  # the second pass leaves out the first and the last
_LEAST_WEIGHT = 1e-5
_ALMOST_ONE = 1 - 1e-6  # rays that pass by the unit sphere are bent onto it


@dataclass(frozen=True)
class Marching:
    """How rays are sampled.

    Attributes:
        side: rays along a side of the picture.
        near, far: depths along the viewing direction, seen from the model's own distance, between which the
            foreground is sampled.
        samples: along each ray, in each of two passes.
        background_samples: along each ray, beyond the unit sphere.
        background_start: inverse of the distance from the origin at which the background begins.
        grid: pixels along a side of the picture whose corners lie on the picture's border, every ``grid / side``-th
            of which has a ray; 0 for rays through the middles of ``side`` pixels.

    Raises:
        ValueError: a number is out of its range.
    """

    side: int
    near: float
    far: float
    samples: int
    background_samples: int
    background_start: float
    grid: int = 0

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        counts = self.samples, self.background_samples
        if not 1 <= self.side <= _MOST_SIDE or not 1 <= min(counts) <= max(counts) <= _MOST_SAMPLES:
            raise ValueError(f"no rays are marched with {self.side} as side and {counts} samples")
        if self.samples < _FEWEST_SAMPLES:
            raise ValueError(f"no second pass follows one of {self.samples} samples")
        if not 0 < self.near < self.far < _LARGEST or not 0 < self.background_start <= 1:
            raise ValueError(f"no samples lie from {self.near} to {self.far} and {self.background_start}")
        if self.grid and (not self.side < self.grid <= _LARGEST or self.grid % self.side):
            raise ValueError(f"no {self.side} rays lie on a grid of {self.grid} pixels")

    def line(self, device: torch.device) -> Tensor:
        """Where rays cross the picture along a side, in sides of it, ``[side]``."""
        steps = torch.arange(self.side, device=device)
        if not self.grid:
            return (steps + 0.5) / self.side
        return steps * (self.grid // self.side) / (self.grid - 1)


def encode_positions(points: Tensor, frequencies: int) -> Tensor:
    """``[..., D]`` to ``[..., 2 * frequencies * D]``: sines, then cosines, of pi times each power of two."""
    scaled = points.unsqueeze(-2) * (math.pi * 2.0 ** torch.arange(frequencies, device=points.device))[:, None]
    return torch.cat([scaled.sin(), scaled.cos()], dim=-1).flatten(-2)


def march(
    foreground: Field, background: Field, camera: Tensor, marching: Marching, distance: float
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor], Tensor]:
    """What rays see of two fields.

    Args:
        foreground: takes places, ``[N, P, 3]``: towards the viewer, to the right and up.
        background: takes a place on the unit sphere and the inverse of its distance, ``[N, P, 4]``.
        camera: ``[N, 25]``, see ``camera_matrices``.
        marching: sizes and depths.
        distance: the model's own; nearer and farther cameras sample the same part of space.

    Returns:
        The foreground's weighted sum of features ``[N, R, K]``, with the total of the weights ``[N, R]``; the same
        of the background, times what the foreground lets through; and the foreground's mean depth along each ray,
        the largest where nothing is, ``[N, R]``.
    """
    place, rays = ray_directions(camera, marching.line(camera.device))
    away = place.norm(dim=1) - distance
    place, rays = place[:, None, VIEW_AXES], rays[..., VIEW_AXES]
    length = rays.norm(dim=2, keepdim=True)

    def look(share: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        depth = marching.near + (marching.far - marching.near) * share + away[:, None, None]
        points = place.unsqueeze(2) + depth.unsqueeze(-1) * rays.unsqueeze(2)
        density, features = foreground(points.flatten(1, 2))
        return depth, density.reshape(depth.shape), features.reshape(*depth.shape, -1)

    share = torch.linspace(0, 1, marching.samples, device=camera.device).expand(*rays.shape[:2], -1)
    depth, density, features = look(share)
    with torch.no_grad():
        first = _weights(density, depth * length)[0]
        middles = 0.5 * (share[..., 1:] + share[..., :-1])
        wanted = torch.linspace(0, 1, marching.samples, device=camera.device)
        fine = inverse_cumulative(middles, first[..., 1:-1] + _LEAST_WEIGHT, wanted)
    found = look(fine)
    depth, order = torch.cat([depth, found[0]], dim=2).sort(dim=2)
    density = torch.cat([density, found[1]], dim=2).gather(2, order)
    weights, through = _weights(density, depth * length)
    shares = torch.zeros_like(weights).scatter(2, order, weights)
    seen = (shares.unsqueeze(2) @ torch.cat([features, found[2]], dim=2)).squeeze(2)
    total = weights.sum(dim=2)
    mean = (weights * depth).sum(dim=2) / total.clamp_min(torch.finfo(total.dtype).tiny)
    mean = torch.where(total > 0, mean.clamp(depth[..., 0], depth[..., -1]), depth[..., -1]) * length[..., 0]

    inverse = marching.background_start * torch.linspace(1, 0, marching.background_samples, device=camera.device)
    points = _on_inverted_sphere(place, rays / length, inverse)
    density, features = background(points.flatten(1, 2))
    density = density.reshape(*rays.shape[:2], -1)
    weights, _ = _weights(density, (-inverse).expand_as(density), opaque=True)
    behind = (weights.unsqueeze(2) @ features.reshape(*density.shape, -1)).squeeze(2)
    return (seen, total), (through.unsqueeze(2) * behind, through * weights.sum(dim=2)), mean


def _weights(density: Tensor, depth: Tensor, *, opaque: bool = False) -> tuple[Tensor, Tensor]:
    """How much of the light comes from each sample ``[..., S]``, and how much passes all of them ``[...]``.

    A sample counts up to the next one; the last one for nothing, or if ``opaque`` for all that is left.
    """
    faded = 1 - torch.exp(-F.relu(density[..., :-1]) * (depth[..., 1:] - depth[..., :-1]))
    alpha = F.pad(faded, (0, 1), value=1.0 if opaque else 0.0)
    through = F.pad((1 - faded + 1e-10).cumprod(dim=-1), (1, 0), value=1.0)
    return alpha * through, through[..., -1]


def _on_inverted_sphere(place: Tensor, rays: Tensor, inverse: Tensor) -> Tensor:
    """Points along rays outside of the unit sphere: their direction from the origin, and the inverse distance.

    Args:
        place: of the camera, ``[N, 1, 3]``.
        rays: unit directions, ``[N, R, 3]``.
        inverse: of the distances, ``[S]``, 0 to 1.

    Returns:
        ``[N, R, S, 4]``.
    """
    along = -(place * rays).sum(dim=2, keepdim=True)
    middle = place + along * rays  # the ray's nearest point to the origin
    nearest = middle.norm(dim=2, keepdim=True).clamp_max(_ALMOST_ONE)
    # Where the ray leaves the sphere; farther points are turned from there, about the axis of ray and origin.
    leaves = place + (along + (1 - nearest.square()).sqrt()) * rays
    axis = F.normalize(torch.linalg.cross(place.expand_as(leaves), leaves), dim=2)
    angle = (nearest.asin() - (nearest * inverse).asin()).unsqueeze(-1)
    turned = leaves.unsqueeze(2) * angle.cos() + torch.linalg.cross(axis, leaves).unsqueeze(2) * angle.sin()
    turned = F.normalize(turned, dim=3)
    return torch.cat([turned, inverse[:, None].expand(*turned.shape[:3], 1)], dim=3)
