"""An encoder on LPIPS's AlexNet trunk, whose feature maps determine most of a code linearly.

AlexNet's maps (Krizhevsky 2014, as in LPIPS, Zhang et al. 2018) need no training: a linear layer on them, found in
closed form (``encoders.training.regression``), is an encoder after minutes on a CPU, for any generator. Gradient
training can refine it.
"""

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.encoders.config import EncoderConfig

if TYPE_CHECKING:
    from stylegan_latents.generator.perceptual import LPIPS
    from stylegan_latents.generator.statistics import WStatistics

SIDE = 8
"""Side that the maps are averaged to: coarser loses eyes and mouth, finer gains nothing."""

# Channels, kernel, stride and padding of each convolution. The first map, of edges and colours, is not used: it
# separates photos from samples.
_TRUNK = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
_POOLED_AFTER = (0, 1)
_SHIFT, _SPREAD = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
CHANNELS = sum(part[0] for part in _TRUNK[1:])


class PerceptualEncoder(nn.Module):
    """AlexNet's later maps, averaged and reduced to fewer channels, then one code for each group of rows.

    ``config.widths`` are the channels kept at each of the 8 x 8 positions, and the length of the inner vector.
    """

    shift: Tensor
    spread: Tensor
    basis: Tensor
    mean: Tensor

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        kept, inner = config.widths
        self.config = config
        self.trunk = nn.ModuleList()
        channels = config.input_channels
        for width, kernel, stride, padding in _TRUNK:
            self.trunk.append(nn.Conv2d(channels, width, kernel, stride, padding))
            channels = width
        self.register_buffer("shift", torch.tensor(_SHIFT).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(_SPREAD).reshape(1, 3, 1, 1), persistent=False)
        # Standardises each channel before the reduction.
        self.reduce = nn.Conv2d(CHANNELS, kept, 1)
        self.inner = nn.Linear(kept * SIDE**2, inner)
        self.residual = nn.Sequential(
            nn.LeakyReLU(0.2), nn.Linear(inner, inner), nn.LeakyReLU(0.2), nn.Linear(inner, inner)
        )
        nn.init.zeros_(cast(nn.Linear, self.residual[-1]).weight)
        nn.init.zeros_(cast(nn.Linear, self.residual[-1]).bias)
        self.codes = nn.Linear(inner, 3 * config.w_dim)
        # From whitened coordinates, in which one learning rate suits all axes, to W.
        self.register_buffer("basis", torch.eye(config.w_dim))
        self.register_buffer("mean", torch.zeros(config.w_dim))

    def start_from(self, trunk: "LPIPS", statistics: "WStatistics", ws_avg: Tensor) -> None:
        """Initialise from LPIPS's ``alex`` trunk and the statistics of W; the output is added to ``ws_avg``."""
        for i, layer in enumerate(self.trunk):
            layer.load_state_dict(
                {"weight": getattr(trunk, f"conv{i}_weight"), "bias": getattr(trunk, f"conv{i}_bias")}
            )
        self.basis.copy_((statistics.axes * statistics.deviations).T)
        self.mean.copy_(statistics.mean - ws_avg.mean(dim=0))

    def maps(self, images: Tensor) -> Tensor:
        """The trunk's maps: ``[N, 3, H, W]`` in [-1, 1] to ``[N, CHANNELS, SIDE, SIDE]``."""
        x = ((images - self.shift) / self.spread).contiguous(memory_format=torch.channels_last)
        found = []
        for i, layer in enumerate(self.trunk):
            x = layer(x).relu()
            if i:
                found.append(F.adaptive_avg_pool2d(x, SIDE))
            if i in _POOLED_AFTER:
                x = F.max_pool2d(x, 3, 2)
        return torch.cat(found, dim=1)

    def whitened(self, maps: Tensor) -> Tensor:
        """Maps to the groups' codes in whitened coordinates, ``[N, 3, w_dim]``: coarse, middle, fine."""
        inner = self.inner(self.reduce(maps).flatten(1))
        codes: Tensor = self.codes(inner + self.residual(inner))
        return codes.reshape(-1, 3, self.config.w_dim)

    def forward(self, images: Tensor) -> Tensor:
        """``[N, 3, H, W]`` to ``[N, num_ws, w_dim]``."""
        codes = self.whitened(self.maps(images)).float() @ self.basis + self.mean
        return codes[:, self._groups()]

    def _groups(self) -> list[int]:
        """The group of each row of ws."""
        config = self.config
        middle, fine = min(config.first_middle_row, config.num_ws), min(config.first_fine_row, config.num_ws)
        return [0] * middle + [1] * (fine - middle) + [2] * (config.num_ws - fine)
