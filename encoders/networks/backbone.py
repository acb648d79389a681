"""The backbone of pSp and its descendants, a residual network with three output maps, and the heads on these maps.

Each map is half as large as the one before; a head turns one into a row of a code. IR-SE (Deng et al., "ArcFace",
2019, section 3.1, with the squeeze and excitation of Hu et al. 2018) is the backbone of pSp, e4e and ReStyle for
faces; ResNet's basic blocks (He et al. 2016) are that of ReStyle for other domains.
"""

from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_REDUCTION = 16


class SqueezeExcitation(nn.Module):
    """Weights each channel by global statistics of the image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // _REDUCTION)
        self.squeeze = nn.Conv2d(channels, inner, 1, bias=False)
        self.excite = nn.Conv2d(inner, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.excite(self.squeeze(x.mean(dim=(2, 3), keepdim=True)).relu()).sigmoid()
        return x * gate


class ImprovedBlock(nn.Module):
    """IR-SE's block: normalise, convolve, PReLU, convolve with the stride, normalise, weight the channels."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.shortcut = _projection(in_channels, channels, stride) if in_channels != channels else None
        self.residual = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            nn.Conv2d(in_channels, channels, 3, padding=1, bias=False),
            nn.PReLU(channels),
            nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            SqueezeExcitation(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x[:, :, :: self.stride, :: self.stride] if self.shortcut is None else self.shortcut(x)
        out: Tensor = self.residual(x) + shortcut
        return out


class BasicBlock(nn.Module):
    """The block of ResNet-18 and ResNet-34."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        same = in_channels == channels and stride == 1
        self.shortcut = nn.Identity() if same else _projection(in_channels, channels, stride)
        self.residual = nn.Sequential(
            nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = (self.residual(x) + self.shortcut(x)).relu()
        return out


class Backbone(nn.Module):
    """A stem and four stages of residual blocks: ``widths`` of all five, ``depths`` of the stages."""

    def __init__(
        self,
        kind: Literal["irse", "resnet"],
        input_channels: int,
        widths: tuple[int, ...] = (64, 64, 128, 256, 512),
        depths: tuple[int, ...] = (3, 4, 14, 3),
    ) -> None:
        super().__init__()
        if len(widths) != 5 or len(depths) != 4 or min(depths) < 1:
            raise ValueError(f"a backbone has a stem and four stages, got widths {widths} and depths {depths}")
        if kind == "irse":
            stem = nn.Conv2d(input_channels, widths[0], 3, padding=1, bias=False)
        else:
            stem = nn.Conv2d(input_channels, widths[0], 7, stride=2, padding=3, bias=False)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(widths[0]), nn.PReLU(widths[0]))
        block = ImprovedBlock if kind == "irse" else BasicBlock
        first_strides = (2, 2, 2, 2) if kind == "irse" else (1, 2, 2, 2)
        self.blocks = nn.ModuleList()
        self._stage_ends: list[int] = []
        channels = widths[0]
        for width, depth, stride in zip(widths[1:], depths, first_strides, strict=True):
            for i in range(depth):
                self.blocks.append(block(channels, width, stride if i == 0 else 1))
                channels = width
            self._stage_ends.append(len(self.blocks) - 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Images ``[N, C, H, W]`` to maps of a 4th, an 8th and a 16th of their sides: after stages 2, 3 and 4."""
        x: Tensor = self.stem(images)
        maps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self._stage_ends[1:]:
                maps.append(x)
        return maps[0], maps[1], maps[2]


def _projection(in_channels: int, channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))


class EqualizedLinear(nn.Module):
    """A linear layer whose weights are scaled at run time (equalised learning rate, Karras et al. 2018, 4.1)."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        self.scale = in_features**-0.5

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias)


class Map2Style(nn.Module):
    """Convolutions of stride 2 until one pixel is left, then a linear layer (Richardson et al. 2021, section 3).

    ``side`` is the map's width, a power of two.
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
