"""Volume rendering of three feature planes (tri-planes), in two passes.

Chan et al., "Efficient Geometry-aware 3D Generative Adversarial Networks", 2022, section 4; sampling and quadrature
after Mildenhall et al., "NeRF", 2020, section 5, with densities and colours averaged over each interval. Samples
lie in the middle of their strata, so that a picture is a function of code and camera.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from stylegan_latents.generator.reading.headers import STRICT

Decoder = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Features ``[..., C]`` to densities ``[...]``, before the softplus, and colours ``[..., K]``."""

_MOST_SIDE, _MOST_SAMPLES, _LARGEST = 1024, 512, 1e4
PART = 1 << 15
"""Samples that are taken at once: their intermediate results stay in the processor's cache."""

_FEWEST_SAMPLES = 4  # the first and last interval are left out of the second pass
_LEAST_WEIGHT = 1e-5


@dataclass(frozen=True)
class Rendering:
    """How planes are rendered.

    Attributes:
        side: rays along a side of the picture.
        near, far: depths between which samples are taken.
        samples, fine_samples: along each ray in the first pass, and in the second, 0 for none.
        box: side of the cube that the planes span.
        white: whether the background is white instead of black.
        axes: of each plane, which of x, y and z run along its width and its height.

    Raises:
        ValueError: a number is out of its range.
    """

    side: int
    near: float
    far: float
    samples: int
    fine_samples: int
    box: float
    white: bool = False
    axes: tuple[tuple[int, int], tuple[int, int], tuple[int, int]] = ((0, 1), (0, 2), (2, 0))

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        counts = self.side, self.samples, self.fine_samples
        if not 1 <= self.side <= _MOST_SIDE or min(counts) < 0 or max(counts[1:]) > _MOST_SAMPLES:
            raise ValueError(f"no rays are rendered with {counts} as side and samples")
        if self.samples < _FEWEST_SAMPLES or not 0 < self.near < self.far < _LARGEST:
            raise ValueError(f"no {self.samples} samples lie between {self.near} and {self.far}")
        if not 0 < self.box < _LARGEST or any(axis not in (0, 1, 2) for pair in self.axes for axis in pair):
            raise ValueError(f"no planes span a box of {self.box} along {self.axes}")


def ray_directions(camera: Tensor, line: Tensor) -> tuple[Tensor, Tensor]:
    """Rays through a square grid of places in the picture, row by row.

    Args:
        camera: ``[N, 25]``, see ``camera_matrices``.
        line: where they cross it along a side, in sides of the picture, ``[S]``.

    Returns:
        The cameras' places ``[N, 3]``, and directions ``[N, S * S, 3]`` 1 long along the viewing direction.
    """
    pose, lens = camera[:, :16].reshape(-1, 4, 4), camera[:, 16:].reshape(-1, 3, 3)
    y, x = (one.flatten() for one in torch.meshgrid(line, line, indexing="ij"))
    y = (y - lens[:, 1, 2:]) / lens[:, 1, 1:2]
    x = (x - lens[:, 0, 2:] - lens[:, 0, 1:2] * y) / lens[:, 0, :1]
    inside = torch.stack([x, y, torch.ones_like(x)], dim=2)
    return pose[:, :3, 3], inside @ pose[:, :3, :3].transpose(1, 2)


def rays(camera: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """The rays through the middles of a square picture's pixels, row by row.

    Args:
        camera: ``[N, 25]``, see ``camera_matrices``.
        side: pixels along a side.

    Returns:
        The cameras' places ``[N, 3]``, and unit directions ``[N, side * side, 3]``.
    """
    places, directions = ray_directions(camera, (torch.arange(side, device=camera.device) + 0.5) / side)
    return places, F.normalize(directions, dim=2)


def sample_planes_reference(planes: Tensor, points: Tensor, rendering: Rendering) -> Tensor:
    """The mean of the planes' features where points project to; zero beyond a plane.

    Args:
        planes: ``[N, 3, C, S, S]``.
        points: ``[N, P, 3]``.
        rendering: has the box and the planes' axes.

    Returns:
        ``[N, P, C]``.
    """
    places = points * (2 / rendering.box)
    grid = torch.stack([places[..., list(pair)] for pair in rendering.axes], dim=1)
    n, count, channels, height, width = planes.shape
    taken = F.grid_sample(
        planes.reshape(n * count, channels, height, width),
        grid.reshape(n * count, 1, -1, 2),
        mode="bilinear",
        padding_mode="zeros",
        align_corners=False,
    )
    return taken.reshape(n, count, channels, -1).mean(dim=1).transpose(1, 2)


class PlaneTable:
    """``sample_planes_reference``, fast on a CPU: each point's twelve pixels are weighted rows of one table."""

    def __init__(self, planes: Tensor, rendering: Rendering) -> None:
        self.rendering = rendering
        self.side = planes.shape[-1] + 2  # with a border of zeros
        self._tables = F.pad(planes.permute(0, 1, 3, 4, 2), (0, 0, 1, 1, 1, 1)).flatten(1, 3)

    def __call__(self, points: Tensor) -> Tensor:
        scale = (self.side - 2) / self.rendering.box
        # Pixel i of a plane lies at i + 0.5, and is row i + 1 of the bordered one.
        places = (points * scale + (0.5 * (self.side - 2) + 0.5)).clamp_(0, self.side - 1)
        first = places.floor().clamp_(max=self.side - 2)
        after = places - first
        before, corner = 1 - after, first.int()
        rows, weights = [], []
        for plane, (across, down) in enumerate(self.rendering.axes):
            row = (plane * self.side + corner[..., down]) * self.side + corner[..., across]
            upper, lower = before[..., down] * (1 / 3), after[..., down] * (1 / 3)
            left, right = before[..., across], after[..., across]
            rows += [row, row + 1, row + self.side, row + self.side + 1]
            weights += [upper * left, upper * right, lower * left, lower * right]
        index, factor = torch.stack(rows, dim=-1), torch.stack(weights, dim=-1)
        parts = zip(index, self._tables, factor, strict=True)
        return torch.stack([F.embedding_bag(i, t, mode="sum", per_sample_weights=f) for i, t, f in parts])


def render(
    planes: Tensor, decoder: Decoder, camera: Tensor, rendering: Rendering, *, reference: bool = False
) -> tuple[Tensor, Tensor]:
    """Draw the planes from a camera.

    Args:
        planes: float32 ``[N, 3, C, S, S]``.
        decoder: see ``Decoder``.
        camera: ``[N, 25]``, see ``camera_matrices``.
        rendering: sizes and depths.
        reference: render all rays at once, with ``sample_planes_reference``.

    Returns:
        Colours ``[N, K, side, side]``, black at -1 and white at 1, and depths along the rays
        ``[N, 1, side, side]``, from ``near`` on; where nothing is, the largest.
    """
    places, directions = rays(camera, rendering.side)
    learning = torch.is_grad_enabled() and (planes.requires_grad or camera.requires_grad)
    table = None if reference or learning or planes.device.type != "cpu" else PlaneTable(planes, rendering)

    def march(planes: Tensor, places: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        def look(depths: Tensor) -> tuple[Tensor, Tensor]:
            points = places[:, None, None] + depths.unsqueeze(-1) * directions.unsqueeze(2)
            points = points.flatten(1, 2)
            found = sample_planes_reference(planes, points, rendering) if table is None else table(points)
            density, colour = decoder(found)
            return density.reshape(depths.shape), colour.reshape(*depths.shape, -1)

        return _march(look, directions, rendering)

    # On other devices, and where gradients are kept, parts are larger: there, only memory counts.
    size = PART * (1 if table is not None else 16) // (len(planes) * rendering.samples)
    parts = [directions] if reference else torch.split(directions, max(size, 1), dim=1)
    drawn = []
    for part in parts:
        # What a part keeps for its gradient is a hundred times the planes: it is computed again.
        again = learning and len(parts) > 1
        drawn.append(
            checkpoint(march, planes, places, part, use_reentrant=False) if again else march(planes, places, part)
        )
    colours, depths = (torch.cat(one, dim=1) for one in zip(*drawn, strict=True))
    shape = (len(planes), -1, rendering.side, rendering.side)
    return colours.transpose(1, 2).reshape(shape), depths.reshape(shape)


def _march(
    look: Callable[[Tensor], tuple[Tensor, Tensor]], directions: Tensor, rendering: Rendering
) -> tuple[Tensor, Tensor]:
    """Colours ``[N, R, K]`` and depths ``[N, R]`` of rays with the directions ``[N, R, 3]``."""
    n, count, _ = directions.shape
    step = (rendering.far - rendering.near) / (rendering.samples - 1)
    line = rendering.near + (torch.arange(rendering.samples, device=directions.device) + 0.5) * step
    nearest, farthest = line[0], line[-1]
    depths = line.expand(n, count, -1)
    density, colour = look(depths)
    seen = [colour]
    if rendering.fine_samples:
        with torch.no_grad():
            fine = _fine_depths(depths, _weights(depths, density), rendering.fine_samples)
        fine_density, colour = look(fine)
        seen.append(colour)
        depths, order = torch.cat([depths, fine], dim=2).sort(dim=2)
        density = torch.cat([density, fine_density], dim=2).gather(2, order)
    else:
        order = torch.arange(rendering.samples, device=directions.device).expand(n, count, -1)
    weights = _weights(depths, density)
    total = weights.sum(dim=2)
    # An interval's colour is the mean of its ends': each sample counts by half of both intervals that it ends.
    shares = 0.5 * (F.pad(weights, (1, 0)) + F.pad(weights, (0, 1)))
    shares = torch.zeros_like(shares).scatter(2, order, shares)
    parts = zip(torch.split(shares, [one.shape[2] for one in seen], dim=2), seen, strict=True)
    picture = sum(((share.unsqueeze(2) @ one).squeeze(2) for share, one in parts), torch.zeros(()).to(directions))
    if rendering.white:
        picture = picture + (1 - total).unsqueeze(2)
    middles = 0.5 * (depths[..., 1:] + depths[..., :-1])
    depth = (weights * middles).sum(dim=2) / total.clamp_min(torch.finfo(total.dtype).tiny)
    depth = torch.where(total > 0, depth.clamp(nearest, farthest), farthest)
    return 2 * picture - 1, depth


def _weights(depths: Tensor, density: Tensor) -> Tensor:
    """How much of the light comes from each interval between samples: ``[..., S]`` to ``[..., S - 1]``."""
    mean = 0.5 * (density[..., 1:] + density[..., :-1])
    # Not by expm1: depths are compared with those of the official code, whose faintest weights are rounded so.
    opaque = 1 - torch.exp(-F.softplus(mean - 1) * (depths[..., 1:] - depths[..., :-1]))
    through = (1 - opaque + 1e-10).cumprod(dim=-1)
    return opaque * F.pad(through[..., :-1], (1, 0), value=1.0)


def _fine_depths(depths: Tensor, weights: Tensor, count: int) -> Tensor:
    """``count`` depths a ray where the first pass's smoothed weights are large, as for the published networks."""
    above = torch.maximum(F.pad(weights, (1, 0)), F.pad(weights, (0, 1)))
    smooth = 0.5 * (above[..., 1:] + above[..., :-1]) + 0.01
    # Between the middles of the intervals; the first and the last stay out.
    edges = 0.5 * (depths[..., 1:] + depths[..., :-1])[..., :-1]
    wanted = (torch.arange(count, device=depths.device) + 0.5) / count
    return inverse_cumulative(edges, smooth[..., 1:-1] + _LEAST_WEIGHT, wanted, right=True)


def inverse_cumulative(edges: Tensor, chances: Tensor, wanted: Tensor, *, right: bool = False) -> Tensor:
    """The places where a distribution that is constant between edges reaches the ``wanted`` shares.

    Args:
        edges: ``[..., B + 1]``, ascending.
        chances: of the bins between them, above 0, at any scale, ``[..., B]``.
        wanted: 0 to 1, ``[S]``.
        right: whether a share that an edge reaches exactly belongs to the bin after it.

    Returns:
        ``[..., S]``.
    """
    cumulative = F.pad((chances / chances.sum(dim=-1, keepdim=True)).cumsum(dim=-1), (1, 0))
    wanted = wanted.expand(*edges.shape[:-1], -1).contiguous()
    after = torch.searchsorted(cumulative, wanted, right=right).clamp_(1, cumulative.shape[-1] - 1)
    low, high = cumulative.gather(-1, after - 1), cumulative.gather(-1, after)
    start, end = edges.gather(-1, after - 1), edges.gather(-1, after)
    width = high - low
    return start + (wanted - low) / torch.where(width < _LEAST_WEIGHT, 1.0, width) * (end - start)
