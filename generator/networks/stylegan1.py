"""StyleGAN's synthesis: adaptive instance normalisation, noise with a strength for each channel, blurred doubling.

Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks", 2019, section 2 and
appendix C. The equalised learning rate of training (a constant factor on each weight) is folded into the weights.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.layers import Layer
from stylegan_latents.generator.networks.mapping import LARGEST_SIZE, LEAK, Linear, MappingSizes, check_taps, zeros
from stylegan_latents.generator.networks.stylegan2 import MAX_BLOCKS
from stylegan_latents.generator.networks.synthesis import FeatureMap, NoiseMaps, SynthesisNetwork
from stylegan_latents.generator.ops.fir import filter_reference, fir_filter, normalised

_EPSILON = 1e-8


@dataclass(frozen=True)
class StyleGAN1Config(MappingSizes):
    """The sizes of a StyleGAN.

    Attributes:
        channels: of the feature maps, coarsest first. Block ``i`` works at ``4 * 2**i`` pixels.
        image_channels: 3 for colour.
        taps: of the blur after doubling, at any scale; empty for none.
        has_noise: whether the layers add noise.
        pixel_norm, instance_norm: which normalisations precede the style.
        lod: the level of detail of progressive growing: at 0 the image has the full resolution, at 1 half of it,
            in between it is a blend of both.
    """

    channels: tuple[int, ...]
    image_channels: int = 3
    taps: tuple[float, ...] = (1.0, 2.0, 1.0)
    has_noise: bool = True
    pixel_norm: bool = False
    instance_norm: bool = True
    lod: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.channels or min(*self.channels, self.image_channels) < 1 or len(self.channels) > MAX_BLOCKS:
            raise ValueError(f"a StyleGAN has sizes above 0, and 4 to {4 << (MAX_BLOCKS - 1)} pixels")
        if max(*self.channels, self.image_channels) > LARGEST_SIZE:
            raise ValueError(f"no StyleGAN has sizes above {LARGEST_SIZE}")
        check_taps(self.taps, least=0)
        if not 0 <= self.lod <= len(self.channels) - 1:
            raise ValueError("a StyleGAN's level of detail lies within its blocks")

    @property
    def resolution(self) -> int:
        return 4 << (len(self.channels) - 1)


def double_and_convolve_reference(x: Tensor, weight: Tensor) -> Tensor:
    """Repeat each pixel of ``[N, I, H, W]`` twice in both directions, then convolve with ``[O, I, 3, 3]``."""
    return F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, padding=1)


def double_and_convolve(x: Tensor, weight: Tensor) -> Tensor:
    """``double_and_convolve_reference`` with less than half the arithmetic.

    Repeated pixels meet the sum of neighbouring weights: one transposed convolution with a 4x4 kernel.
    """
    wide = F.pad(weight.flip(2, 3), (1, 1, 1, 1))
    summed = wide[..., 1:, 1:] + wide[..., 1:, :-1] + wide[..., :-1, 1:] + wide[..., :-1, :-1]
    return F.conv_transpose2d(x, summed.transpose(0, 1), stride=2, padding=1)


def adaptive_instance_norm_reference(x: Tensor, style: Tensor, normalise: bool) -> Tensor:
    """Scale and shift each channel by the style ``[N, 2*C]``, after standardising it if ``normalise``."""
    scale, shift = (part[:, :, None, None] for part in style.chunk(2, dim=1))
    whole = x.float()
    if normalise:
        whole = whole - whole.mean(dim=(2, 3), keepdim=True)
        whole = whole * (whole.square().mean(dim=(2, 3), keepdim=True) + _EPSILON).rsqrt()
    return (whole * scale + shift).to(x.dtype)


def adaptive_instance_norm(x: Tensor, style: Tensor, normalise: bool) -> Tensor:
    """``adaptive_instance_norm_reference`` in one pass for the moments and one for the result."""
    scale, shift = (part[:, :, None, None] for part in style.chunk(2, dim=1))
    if normalise:
        variance, mean = torch.var_mean(x.float(), dim=(2, 3), correction=0, keepdim=True)
        scale = scale * (variance + _EPSILON).rsqrt()
        shift = shift - mean * scale
    return torch.addcmul(shift, x, scale).to(x.dtype)


class StyledLayer(nn.Module):
    """Optionally a convolution; then noise, bias, leaky ReLU, normalisation and style."""

    def __init__(
        self, config: StyleGAN1Config, in_channels: int | None, channels: int, resolution: int, *, doubles: bool
    ) -> None:
        super().__init__()
        self.config = config
        self.taps = normalised(config.taps) if doubles and config.taps else ()
        self.doubles = doubles
        self.style = Linear(config.w_dim, 2 * channels)
        self.weight = None if in_channels is None else zeros(channels, in_channels, 3, 3)
        self.bias = zeros(channels)
        if config.has_noise:
            self.noise = nn.Parameter(torch.zeros(1, 1, resolution, resolution))
            self.noise_strength = zeros(channels)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None, *, reference: bool) -> Tensor:
        bias = self.bias.to(x.dtype)
        if self.weight is not None and not self.doubles:
            x = F.conv2d(x, self.weight.to(x.dtype), bias, padding=1)
        else:
            if self.weight is not None:
                double = double_and_convolve_reference if reference else double_and_convolve
                x = double(x, self.weight.to(x.dtype))
            if self.taps:
                before, after = (len(self.taps) - 1) // 2, len(self.taps) // 2
                x = (filter_reference if reference else fir_filter)(x, self.taps, before, after)
            x = x + bias[:, None, None]
        if noise is not None and self.config.has_noise:
            x = torch.addcmul(x, noise.to(x.dtype), self.noise_strength[:, None, None].to(x.dtype))
        x = F.leaky_relu_(x, LEAK)
        if self.config.pixel_norm:
            x = x * (x.float().square().mean(dim=1, keepdim=True) + _EPSILON).rsqrt().to(x.dtype)
        norm = adaptive_instance_norm_reference if reference else adaptive_instance_norm
        return norm(x, style, self.config.instance_norm)


class Block(nn.Module):
    """The layers of one resolution. The first block starts from a learned constant, which has a style too."""

    def __init__(self, config: StyleGAN1Config, index: int) -> None:
        super().__init__()
        self.resolution = 4 << index
        channels = config.channels[index]
        if index == 0:
            self.constant = zeros(1, channels, 4, 4)
        before = None if index == 0 else config.channels[index - 1]
        self.first = StyledLayer(config, before, channels, self.resolution, doubles=index > 0)
        self.second = StyledLayer(config, channels, channels, self.resolution, doubles=False)
        self.to_rgb = nn.Module()
        self.to_rgb.weight = zeros(config.image_channels, channels)
        self.to_rgb.bias = zeros(config.image_channels)

    def picture(self, x: Tensor, size: int) -> Tensor:
        """The feature map's image, float32, averaged or repeated to ``size`` pixels."""
        if size < x.shape[-1]:  # to-RGB is pointwise and linear: average the few pixels first
            x = F.avg_pool2d(x, x.shape[-1] // size)
        weight = cast(Tensor, self.to_rgb.weight)[:, :, None, None].to(x.dtype)
        out = F.conv2d(x, weight).float() + cast(Tensor, self.to_rgb.bias)[:, None, None]
        return F.interpolate(out, size=size, mode="nearest") if size > out.shape[-1] else out


class Synthesis(SynthesisNetwork):
    """ws to styles to the image: one row of ws, and one style, for each layer.

    A style holds the channels' factors, then their shifts.
    """

    def __init__(self, config: StyleGAN1Config) -> None:
        super().__init__()
        self.config = config
        self.resolution = config.resolution
        self.w_dim = config.w_dim
        self.image_channels = config.image_channels
        self.blocks = nn.ModuleList(Block(config, i) for i in range(len(config.channels)))
        self.layers = tuple(
            Layer(f"block{block.resolution}.{name}", block.resolution, 2 * i + j, layer.style.out_features)
            for i, block in enumerate(self._blocks())
            for j, (name, layer) in enumerate((("first", block.first), ("second", block.second)))
        )
        self.num_ws = len(self.layers)

    def _blocks(self) -> list[Block]:
        return cast(list[Block], list(self.blocks))

    def _styled(self) -> list[StyledLayer]:
        return [layer for block in self._blocks() for layer in (block.first, block.second)]

    def feature_maps(self) -> list[FeatureMap]:
        blocks = self._blocks()[: len(self.blocks) - math.floor(self.config.lod)]
        return [FeatureMap(block.resolution, block.resolution, block.second) for block in blocks]

    def noise_constants(self) -> list[Tensor]:
        """Without strengths: each layer multiplies its map by one for each channel."""
        return [layer.noise for layer in self._styled()] if self.config.has_noise else []

    def noise_strengths(self) -> list[Tensor]:
        """1 for each layer: channels have strengths of their own."""
        return [layer.noise.new_ones(()) for layer in self._styled()] if self.config.has_noise else []

    def styles(self, ws: Tensor) -> list[Tensor]:
        return [layer.style(ws[:, row]) for row, layer in enumerate(self._styled())]

    def forward(
        self, styles: Sequence[Tensor], noise: NoiseMaps, *, size: int | None = None, reference: bool = False
    ) -> Tensor:
        maps = [*noise] if self.config.has_noise else [None] * self.num_ws
        side = size or self.resolution
        left_out = math.floor(self.config.lod)
        mix = self.config.lod - left_out
        blocks = self._blocks()[: len(self.blocks) - left_out]
        layout = torch.contiguous_format if reference else torch.channels_last
        constant = cast(Tensor, blocks[0].constant).to(self.dtype)
        x = constant.expand(styles[0].shape[0], -1, -1, -1).contiguous(memory_format=layout)
        coarser = None
        for i, block in enumerate(blocks):
            if mix and i == len(blocks) - 1:
                coarser = blocks[i - 1].picture(x, side)
            x = block.first(x, styles[2 * i], maps[2 * i], reference=reference)
            x = block.second(x, styles[2 * i + 1], maps[2 * i + 1], reference=reference)
        image = blocks[-1].picture(x, side)
        return image if coarser is None else image.lerp(coarser, mix)
