"""A plain convolutional encoder: the smallest one, trainable on a CPU."""

import math

from torch import Tensor, nn

from stylegan_latents.encoders.config import EncoderConfig

_GROUPS = 8
_LAST_SIDE = 4


class PlainEncoder(nn.Module):
    """Convolutions of stride 2 to one vector, from it a w, and each row's difference from it, initially 0.

    Group normalisation (Wu & He 2018) makes an image's result independent of its batch.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        channels = config.input_channels
        for i, width in enumerate(config.widths):
            layers += [
                nn.Conv2d(channels, width, 5 if i == 0 else 3, stride=2, padding=2 if i == 0 else 1, bias=False),
                nn.GroupNorm(math.gcd(_GROUPS, width), width),
                nn.LeakyReLU(0.2),
            ]
            channels = width
        self.convolutions = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(_LAST_SIDE), nn.Flatten())
        self.inner = nn.Sequential(nn.Linear(channels * _LAST_SIDE**2, config.w_dim), nn.LeakyReLU(0.2))
        self.w = nn.Linear(config.w_dim, config.w_dim)
        self.deltas = nn.Linear(config.w_dim, config.w_dim * config.num_ws)
        nn.init.zeros_(self.deltas.weight)
        nn.init.zeros_(self.deltas.bias)

    def forward(self, images: Tensor) -> Tensor:
        """``[N, input_channels, H, W]`` to ``[N, num_ws, w_dim]``."""
        features: Tensor = self.inner(self.convolutions(images))
        deltas = self.deltas(features).reshape(-1, self.config.num_ws, self.config.w_dim)
        rows: Tensor = self.w(features).unsqueeze(1) + deltas
        return rows
