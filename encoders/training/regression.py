"""Fit a perceptual encoder in closed form: ridge regression from feature maps to the codes of their images.

A linear function of a pretrained network's maps explains most of a code (linear probes, Alain & Bengio 2017), and
its best weights need one pass over samples. Its rank is then reduced to the encoder's inner length (reduced-rank
regression, Izenman 1975); gradient training can continue from there.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.encoders.networks.perceptual import PerceptualEncoder
from stylegan_latents.encoders.training.data import Source, degrade
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import LPIPS
from stylegan_latents.generator.statistics import WStatistics

if TYPE_CHECKING:
    from stylegan_latents.encoders.config import EncoderConfig

_BATCH = 8
_FOR_CHANNELS = 800  # samples for the statistics of the channels


@torch.no_grad()
def fit_regression(
    encoder: Encoder,
    G: Generator,
    source: Source,
    count: int,
    *,
    ridge: float = 0.5,
    degraded: bool = True,
    on_sample: Callable[[int], None] | None = None,
) -> None:
    """Fit a perceptual encoder's weights, in place.

    Args:
        encoder: of the architecture ``perceptual``.
        G: its generator.
        source: of samples with their codes, best with mixed rows, so that the groups are independent.
        count: number of samples; thousands.
        ridge: strength of the regularization, in mean squares of the features. A tenth would be best for samples;
            photos are reconstructed better with more.
        degraded: whether each sample is also used with augmentation.
        on_sample: called with the number of samples done.

    Raises:
        InputError: the encoder has another architecture, ``count`` is below 2, or ``ridge`` is not above 0.
    """
    network = encoder.network
    if not isinstance(network, PerceptualEncoder):
        raise InputError("Only an encoder of the architecture perceptual is fitted by regression.")
    if count < 2 or not ridge > 0:
        raise InputError(f"A regression needs 2 samples or more and a ridge above 0, not {count} and {ridge}.")
    statistics = WStatistics.of(G, seed=0)
    network.start_from(LPIPS.load("alex"), statistics, encoder.ws_avg)
    network.to(G.device)

    def maps_and_codes(start: int) -> tuple[Tensor, Tensor]:
        """Maps ``[n, CHANNELS, SIDE, SIDE]`` and whitened codes of the groups ``[n, 3 * w_dim]``."""
        examples = source(range(start, min(start + _BATCH, count)))
        codes = _groups(statistics.whiten(examples.ws), encoder.config).flatten(1)
        maps = network.maps(encoder.fit(examples.images))
        if degraded:
            again = network.maps(encoder.fit(degrade(examples.images, start)))
            maps, codes = torch.cat([maps, again]), codes.repeat(2, 1)
        if on_sample is not None:
            on_sample(min(start + _BATCH, count))
        return maps, codes

    starts = list(range(0, count, _BATCH))
    first = [maps_and_codes(start) for start in starts[: -(-_FOR_CHANNELS // _BATCH)]]
    _choose_channels(network.reduce, torch.cat([maps for maps, _ in first]))
    sums = _Sums(network.inner.in_features, 3 * G.w_dim, G.device)
    for maps, codes in first:
        sums.add(network.reduce(maps).flatten(1), codes)
    del first
    for start in starts[-(-_FOR_CHANNELS // _BATCH) :]:
        maps, codes = maps_and_codes(start)
        sums.add(network.reduce(maps).flatten(1), codes)
    _solve(network, sums, ridge)


def _groups(ws: Tensor, config: "EncoderConfig") -> Tensor:
    """``[N, num_ws, w_dim]`` to each group's mean row, ``[N, 3, w_dim]``, or all rows' for an empty group."""
    ends = [0, config.first_middle_row, config.first_fine_row, config.num_ws]
    parts = [ws[:, a:b] if ws[:, a:b].shape[1] else ws for a, b in pairwise(ends)]
    return torch.stack([part.mean(dim=1) for part in parts], dim=1)


def _choose_channels(reduce: nn.Conv2d, maps: Tensor) -> None:
    """The principal components of the standardised channels, as a layer's weights."""
    mean, deviation = maps.mean(dim=(0, 2, 3)), maps.std(dim=(0, 2, 3)).clamp_min(1e-6)
    flat = ((maps - mean[:, None, None]) / deviation[:, None, None]).transpose(0, 1).flatten(1)
    _, axes = torch.linalg.eigh(flat @ flat.T / flat.shape[1])
    weight = axes.flip(1)[:, : reduce.out_channels].T / deviation
    reduce.weight.copy_(weight[:, :, None, None])
    assert reduce.bias is not None
    reduce.bias.copy_(-weight @ mean)


class _Sums:
    """The sums that a regression needs; their size does not depend on the number of samples."""

    def __init__(self, features: int, targets: int, device: torch.device) -> None:
        self.xx = torch.zeros(features, features, device=device)
        self.xy = torch.zeros(features, targets, device=device)
        self.x, self.y = torch.zeros(features, device=device), torch.zeros(targets, device=device)
        self.count = 0

    def add(self, x: Tensor, y: Tensor) -> None:
        self.xx.addmm_(x.T, x)
        self.xy.addmm_(x.T, y)
        self.x += x.sum(dim=0)
        self.y += y.sum(dim=0)
        self.count += len(x)


def _solve(network: PerceptualEncoder, sums: _Sums, ridge: float) -> None:
    x, y = sums.x / sums.count, sums.y / sums.count
    covariance = sums.xx / sums.count - torch.outer(x, x)
    damped = covariance.clone()
    damped.diagonal().add_(ridge * float(covariance.diagonal().mean()))
    weight = torch.cholesky_solve(sums.xy / sums.count - torch.outer(x, y), torch.linalg.cholesky(damped))
    # The axes of largest variance of the predictions, scaled to unit variance for the layers that follow.
    variances, axes = torch.linalg.eigh(weight.T @ covariance @ weight)
    spread = variances.flip(0)[: network.inner.out_features].clamp_min(1e-10).sqrt()
    axes = axes.flip(1)[:, : network.inner.out_features]
    missing = network.inner.out_features - len(spread)  # if the inner vector is longer than the predictions
    spread, axes = nn.functional.pad(spread, (0, missing), value=1.0), nn.functional.pad(axes, (0, missing))
    inner = (weight @ axes / spread).T
    network.inner.weight.copy_(inner)
    network.inner.bias.copy_(-inner @ x)
    network.codes.weight.copy_(axes * spread)
    network.codes.bias.copy_(y)
