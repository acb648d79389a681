"""A perceptual encoder in closed form: ridge regression from maps to the codes that drew them.

A linear function of a pretrained network's maps finds most of a code (as linear probes do, Alain & Bengio 2017),
and its best weights need one pass over samples, no steps and no learning rate. Its rank is then brought to the
encoder's inner length (reduced-rank regression, Izenman 1975), which leaves training a place to go on.
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
_FOR_CHANNELS = 800  # samples that the channels' statistics are taken from


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
    """Give a perceptual encoder its weights, in place.

    Args:
        encoder: of the architecture ``perceptual``.
        G: its generator.
        source: gives samples with their codes, best with mixed rows, so that groups are told apart.
        count: how many samples to learn from; thousands.
        ridge: how strongly weights are held small, in mean squares of what they multiply. It is high: samples
            alone would have it a tenth of that, and photos, which are not quite samples, are found better so.
        degraded: whether each sample is seen a second time with a camera's traces.
        on_sample: called with the number of samples done.

    Raises:
        InputError: the encoder is of another architecture, the count is below 2, or ``ridge`` is not above
            0.
    """
    network = encoder.network
    if not isinstance(network, PerceptualEncoder):
        raise InputError("Only an encoder of the architecture perceptual is found by regression.")
    if count < 2 or not ridge > 0:
        raise InputError(f"A regression needs 2 samples or more and a ridge above 0, not {count} and {ridge}.")
    statistics = WStatistics.of(G, seed=0)
    network.start_from(LPIPS.load("alex"), statistics, encoder.ws_avg)
    network.to(G.device)

    def seen(start: int) -> tuple[Tensor, Tensor]:
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
    first = [seen(start) for start in starts[: -(-_FOR_CHANNELS // _BATCH)]]
    _choose_channels(network.reduce, torch.cat([maps for maps, _ in first]))
    sums = _Sums(network.inner.in_features, 3 * G.w_dim, G.device)
    for maps, codes in first:
        sums.add(network.reduce(maps).flatten(1), codes)
    del first
    for start in starts[-(-_FOR_CHANNELS // _BATCH) :]:
        maps, codes = seen(start)
        sums.add(network.reduce(maps).flatten(1), codes)
    _solve(network, sums, ridge)


def _groups(ws: Tensor, config: "EncoderConfig") -> Tensor:
    """``[N, num_ws, w_dim]`` to each group's mean row, ``[N, 3, w_dim]``; the whole's for an empty group."""
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
    """What a regression needs to know of its samples, whose number does not change its size."""

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
    # The axes along which the answers vary most; a vector of theirs has unit variance, which suits what follows it.
    variances, axes = torch.linalg.eigh(weight.T @ covariance @ weight)
    spread = variances.flip(0)[: network.inner.out_features].clamp_min(1e-10).sqrt()
    axes = axes.flip(1)[:, : network.inner.out_features]
    missing = network.inner.out_features - len(spread)  # an inner vector longer than the answers
    spread, axes = nn.functional.pad(spread, (0, missing), value=1.0), nn.functional.pad(axes, (0, missing))
    inner = (weight @ axes / spread).T
    network.inner.weight.copy_(inner)
    network.inner.bias.copy_(-inner @ x)
    network.codes.weight.copy_(axes * spread)
    network.codes.bias.copy_(y)
