"""Perceptual path length: how smoothly the image changes along a path in z or w (Karras et al. 2019, 4.1)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.cluster.spread import spread
from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.metrics.draws import batch_sizes, draw_z, in_colour

Distance = Callable[[Tensor, Tensor], Tensor]
"""Two batches of images ``[N, 3, H, W]`` in [-1, 1] to their distances ``[N]``."""

_SIDE = 256  # pixels; larger images are averaged down to this


@dataclass(frozen=True)
class PathLength:
    """The perceptual path length of a generator.

    Attributes:
        mean: over the samples between the 1st and the 99th percentile, as in publications.
        distances: of every sample, divided by epsilon squared, float64 ``[samples]``.
    """

    mean: float
    distances: Tensor


@torch.no_grad()
def perceptual_path_length(
    G: Generator,
    distance: Distance,
    *,
    space: Literal["z", "w"] = "w",
    sampling: Literal["end", "full"] = "end",
    samples: int = 50_000,
    epsilon: float = 1e-4,
    crop: Literal["none", "faces"] = "none",
    noise: Noise = "random",
    batch: int = 4,
    seed: int = 0,
) -> PathLength:
    """The expected perceptual distance of two images ``epsilon`` apart on a path, over ``epsilon`` squared.

    Within ``generator.cluster.connection.connected`` the workers of a cluster compute it.

    Args:
        G: in float32; the differences are below the resolution of other precisions.
        distance: LPIPS with the VGG trunk in publications.
        space: ``z``: on great circles between two z; ``w``: on straight lines between their w.
        sampling: ``end``: at the start of the paths; ``full``: anywhere on them.
        samples: 50,000 in publications.
        epsilon: step along the path, whose length is 1.
        crop: ``faces``: compare only the middle of aligned faces, as the StyleGAN paper does.
        noise: of both images of a pair.
        batch: pairs computed at once.
        seed: of everything random.

    Raises:
        ValueError: the generator is not in float32, or a number is out of its range.
    """
    if G.dtype != torch.float32 or not 0 < epsilon < 1:
        raise ValueError("the path length needs a generator in float32 and an epsilon between 0 and 1")
    source = torch.Generator().manual_seed(seed)

    def draws() -> Iterator[_Draw]:
        for i, count in enumerate(batch_sizes(samples, batch)):
            (start, label), (end, _) = draw_z(G, count, source), draw_z(G, count, source)
            at = torch.rand(count, 1, generator=source, dtype=torch.float64) * (sampling == "full")
            yield seed + i, start, end, label, at

    parts = list(spread(partial(_Steps, G, distance, space, epsilon, crop, noise), draws()))
    distances = torch.cat(parts)
    low = torch.quantile(distances, 0.01, interpolation="lower")
    high = torch.quantile(distances, 0.99, interpolation="higher")
    return PathLength(float(distances[(distances >= low) & (distances <= high)].mean()), distances)


_Draw = tuple[int, Tensor, Tensor, Tensor | None, Tensor]
"""The seed, the z of both ends of some paths, their labels, and where on the paths."""


class _Steps:
    """The distances of small steps on paths, float64 ``[N]``."""

    def __init__(
        self, G: Generator, distance: Distance, space: str, epsilon: float, crop: str, noise: Noise
    ) -> None:
        self._G, self._distance, self._space, self._epsilon = G, distance, space, epsilon
        self._crop, self._noise = crop, noise

    @torch.no_grad()
    def __call__(self, draw: _Draw) -> Tensor:
        seed, start, end, label, at = draw
        G = self._G
        places = (at, at + self._epsilon)
        if self._space == "z":
            pairs = [G.map(slerp(start, end, t), label) for t in places]
        else:
            # Doubles stay on the CPU: MPS has none.
            first, last = (G.map(z, label).cpu().double() for z in (start, end))
            pairs = [(first + (last - first) * t.unsqueeze(2)).float().to(G.device) for t in places]
        images = _prepared(G.synthesize(torch.cat(pairs), self._noise, seed=seed), self._crop)
        return self._distance(*images.chunk(2)).cpu().double() / self._epsilon**2


def slerp(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Points on the great circles between the directions of two z, ``[N, D]`` of length 1.

    Args:
        start, end: ``[N, D]``, of any length above 0.
        t: ``[N, 1]``, 0 at ``start`` and 1 at ``end``.
    """
    a, b = (F.normalize(z.double(), dim=1) for z in (start, end))
    cosine = (a * b).sum(dim=1, keepdim=True).clamp(-1, 1)
    across = F.normalize(b - cosine * a, dim=1)
    angle = t * torch.acos(cosine)
    return (a * torch.cos(angle) + across * torch.sin(angle)).float()


def _prepared(images: Tensor, crop: str) -> Tensor:
    """The compared images: in colour, cropped, at most 256 pixels."""
    if crop == "faces":
        eighth = images.shape[-1] // 8
        images = images[..., 3 * eighth : 7 * eighth, 2 * eighth : 6 * eighth]
    factor = images.shape[-1] // _SIDE
    return in_colour(F.avg_pool2d(images, factor) if factor > 1 else images)
