"""MobileStyleGAN's sizes and layers: StyleGAN2's mapping, separable convolutions and inverse wavelets.

Belousov, "MobileStyleGAN: A Lightweight Convolutional Neural Network for High-Fidelity Image Synthesis", 2021.
Published networks are frozen for inference: demodulation is folded into the weights and every layer's noise is a
constant map. Both are kept here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.networks.mapping import LARGEST_SIZE, LEAK, MOST_LAYERS, unit
from stylegan_latents.generator.networks.synthesis import NoiseMaps
from stylegan_latents.generator.ops.separable import (
    mix_channels,
    modulated_separable,
    modulated_separable_reference,
)
from stylegan_latents.generator.ops.wavelet import inverse_haar, inverse_haar_reference
from stylegan_latents.generator.reading.headers import STRICT

_MOST_BLOCKS = 9  # 2048 pixels


@dataclass(frozen=True)
class MobileConfig:
    """The sizes of a MobileStyleGAN.

    Attributes:
        z_dim: length of z.
        w_dim: length of one w.
        mapping_depth: fully connected layers between z and w.
        channels: output channels at 4x4, then of each up-block, coarsest first. Block ``i`` works at
            ``8 * 2**i`` pixels; one more wavelet follows the last one's to-RGB.
        image_channels: 3 for colour.
    """

    z_dim: int
    w_dim: int
    mapping_depth: int
    channels: tuple[int, ...]
    image_channels: int = 3

    label_dim: ClassVar[int] = 0
    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        sizes = (self.z_dim, self.w_dim, self.mapping_depth, self.image_channels, *self.channels)
        if not 1 <= len(self.channels) <= _MOST_BLOCKS or min(sizes) < 1 or max(sizes) > LARGEST_SIZE:
            raise ValueError(f"a MobileStyleGAN has 1 to {_MOST_BLOCKS} blocks and sizes of 1 to {LARGEST_SIZE}")
        if self.mapping_depth > MOST_LAYERS:
            raise ValueError(f"no MobileStyleGAN has more than {MOST_LAYERS} mapping layers")

    @property
    def resolution(self) -> int:
        return 4 << len(self.channels)


def _normal(*shape: int, fan_in: int = 1) -> nn.Parameter:
    return nn.Parameter(torch.empty(shape).normal_(std=fan_in**-0.5))


class Mapping(nn.Module):
    """z ``[N, z_dim]`` to w ``[N, w_dim]``: normalise, then fully connected layers."""

    def __init__(self, config: MobileConfig) -> None:
        super().__init__()
        widths = [config.z_dim] + [config.w_dim] * config.mapping_depth
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, z: Tensor) -> Tensor:
        x = unit(z)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), LEAK) * 2**0.5
        return x


class InputConv(nn.Module):
    """The learned 4x4 constant and one full 3x3 convolution."""

    def __init__(self, w_dim: int, channels: int) -> None:
        super().__init__()
        self.constant = _normal(1, channels, 4, 4)
        self.style = nn.Linear(w_dim, channels)
        self.weight = _normal(channels, channels, 3, 3, fan_in=9 * channels)
        self.noise = nn.Parameter(torch.zeros(1, 1, 4, 4))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, style: Tensor, noise: Tensor | None) -> Tensor:
        constant = self.constant.to(self.weight.dtype)
        x = F.conv2d(constant * style[:, :, None, None].to(constant.dtype), self.weight, padding=1)
        x = x + self.bias[:, None, None].to(x.dtype)
        if noise is not None:
            x = x + noise.to(x.dtype)
        return F.leaky_relu(x, LEAK)


class SeparableConv(nn.Module):
    """Modulation, depthwise 3x3, pointwise, noise, bias, leaky ReLU."""

    def __init__(self, w_dim: int, in_channels: int, out_channels: int, resolution: int) -> None:
        super().__init__()
        self.style = nn.Linear(w_dim, in_channels)
        self.depthwise = _normal(in_channels, 1, 3, 3, fan_in=9)
        self.pointwise = _normal(out_channels, in_channels, fan_in=in_channels)
        self.noise = nn.Parameter(torch.zeros(1, 1, resolution, resolution))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.noise_is_visible = True

    def set_precision(self, dtype: torch.dtype) -> None:
        """Cast both convolutions."""
        self.depthwise.data = self.depthwise.data.to(dtype)
        self.pointwise.data = self.pointwise.data.to(dtype)
        # Noise below an eighth of the rounding error of values as large as the bias is not worth a pass.
        rounding = torch.finfo(dtype).eps * float(self.bias.detach().square().mean().sqrt())
        self.noise_is_visible = float(self.noise.detach().std()) > rounding / 8

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None, *, reference: bool) -> Tensor:
        if reference:
            return modulated_separable_reference(x, style, self.depthwise, self.pointwise, self.bias, noise, LEAK)
        return self.average(x, style, self.effective_noise(noise), 1)

    def effective_noise(self, noise: Tensor | None) -> Tensor | None:
        """The map, or None for the stored one where it is below the precision's resolution."""
        return None if noise is self.noise and not self.noise_is_visible else noise

    def average(
        self, x: Tensor, style: Tensor, noise: Tensor | None, factor: int, *, low_band: bool = False
    ) -> Tensor:
        """Approximately the area average of the layer's output over blocks of ``factor`` pixels a side.

        It is exact for an input that is constant within each block, except that the leaky ReLU is applied to the
        average; with the factor 1 it is the layer.

        Args:
            x: the area average of the layer's input.
            style, noise: as in ``forward``.
            factor: pixels of the layer along a side of each pixel of ``x``.
            low_band: compute only the first quarter of the output channels, the next wavelet's low band.
        """

        count = len(self.pointwise) // 4 if low_band else len(self.pointwise)
        depthwise: Tensor = self.depthwise
        if factor > 1:
            edge, middle = 1 / factor, 1 - 1 / factor
            average = depthwise.new_tensor([[edge, 0, 0], [middle, 1, middle], [0, 0, edge]])
            depthwise = average @ depthwise @ average.T
        return modulated_separable(x, style, depthwise, self.pointwise[:count], self.bias[:count], noise, LEAK)


class UpBlock(nn.Module):
    """Modulated inverse wavelet (a quarter of the channels, twice the side), then two separable convolutions."""

    def __init__(self, w_dim: int, in_channels: int, out_channels: int, resolution: int) -> None:
        super().__init__()
        self.up_style = nn.Linear(w_dim, in_channels)
        self.conv1 = SeparableConv(w_dim, in_channels // 4, out_channels, resolution)
        self.conv2 = SeparableConv(w_dim, out_channels, out_channels, resolution)

    def forward(self, x: Tensor, styles: Sequence[Tensor], noise: NoiseMaps, *, reference: bool = False) -> Tensor:
        """Apply the block with its three styles and two noise maps."""
        x = (inverse_haar_reference if reference else inverse_haar)(x, styles[0])
        x = self.conv1(x, styles[1], noise[0], reference=reference)
        return cast(Tensor, self.conv2(x, styles[2], noise[1], reference=reference))

    def effective_noise(self, noise: NoiseMaps) -> tuple[Tensor | None, Tensor | None]:
        """The two layers' maps; see ``SeparableConv.effective_noise``."""
        return self.conv1.effective_noise(noise[0]), self.conv2.effective_noise(noise[1])


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to the four wavelet bands of the image."""

    def __init__(self, w_dim: int, in_channels: int, image_channels: int) -> None:
        super().__init__()
        self.style = nn.Linear(w_dim, in_channels)
        self.weight = _normal(4 * image_channels, in_channels, fan_in=in_channels)
        self.bias = nn.Parameter(torch.zeros(4 * image_channels))

    def forward(self, x: Tensor, style: Tensor, bands: int) -> Tensor:
        weight = self.weight[:bands] * style.unsqueeze(1)
        return mix_channels(x, weight.to(x.dtype), self.bias[:bands].to(x.dtype)).float()

    def image(self, x: Tensor, style: Tensor, factor: int, *, reference: bool = False) -> Tensor:
        """The image of the last feature map, averaged over ``factor``, a power of two, pixels a side."""
        channels = len(self.weight) // 4
        if factor == 1:
            bands = self(x, style, 4 * channels)
            return (inverse_haar_reference if reference else inverse_haar)(bands)
        if factor > 2:  # to-RGB is pointwise and linear: average before it
            x = F.avg_pool2d(x, factor // 2)
        band: Tensor = self(x, style, channels)
        return 0.5 * band
