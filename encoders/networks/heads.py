"""From a feature map to a row of a code."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class EqualizedLinear(nn.Module):
    """A linear layer with weights of unit size, scaled when it runs (Karras et al. 2018, section 4.1)."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        self.scale = in_features**-0.5

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias)


class Map2Style(nn.Module):
    """Convolutions of stride 2 until one pixel is left, then a linear layer (Richardson et al. 2021, section 3).

    Args:
        channels: of the map.
        w_dim: of the code.
        side: the map's width, a power of two; one convolution for each halving.
    """

    def __init__(self, channels: int, w_dim: int, side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(side.bit_length() - 1):
            layers += [nn.Conv2d(w_dim if i else channels, w_dim, 3, stride=2, padding=1), nn.LeakyReLU(0.01)]
        self.convolutions = nn.Sequential(*layers)
        self.linear = EqualizedLinear(w_dim, w_dim)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, channels, side or fewer, side]`` to ``[N, w_dim]``."""
        return cast(Tensor, self.linear(self.convolutions(x).flatten(1)))
