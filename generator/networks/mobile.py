"""MobileStyleGAN's synthesis network, exact and, for looking at many pictures, nearly so for less work.

Belousov, "MobileStyleGAN: A Lightweight Convolutional Neural Network for High-Fidelity Image Synthesis", 2021.

For a sketch, a layer works at a share of its resolution, on the area average of its input: a wavelet's low band is
that average of its output, and a kernel can be made to fit it. The whole picture is drawn so at a quarter of the
resolution; or only the part of it that is looked at closely is, and the rest at a sixteenth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.layers import Box, Layer
from stylegan_latents.generator.networks.mobile_layers import InputConv, Mapping, MobileConfig, ToRGB, UpBlock
from stylegan_latents.generator.networks.synthesis import FeatureMap, SynthesisNetwork
from stylegan_latents.generator.ops.wavelet import inverse_haar, inverse_haar_reference

__all__ = ["Mapping", "MobileConfig", "Synthesis"]

# Pixels of the coarse map from which something reaches into a window: half of one for each of the two layers at
# twice its side, a quarter for each of the four that work at four times.
_REACH = 2


@dataclass(frozen=True)
class _Window:
    """A rectangle of pixels of a map of ``side`` pixels."""

    side: int
    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def about(cls, box: Box, side: int) -> "_Window":
        """The pixels that the box touches."""
        left, top, right, bottom = (edge * side for edge in box)
        return cls(side, floor(left), floor(top), ceil(right), ceil(bottom))

    def grown(self, pixels: int) -> "_Window":
        left, top = max(self.left - pixels, 0), max(self.top - pixels, 0)
        right, bottom = min(self.right + pixels, self.side), min(self.bottom + pixels, self.side)
        return _Window(self.side, left, top, right, bottom)

    def of(self, x: Tensor) -> Tensor:
        """What lies in it of ``[N, C, H, W]``, whose side is a multiple of its own."""
        times = x.shape[-1] // self.side
        return x[..., times * self.top : times * self.bottom, times * self.left : times * self.right]

    def inner(self, other: "_Window", x: Tensor) -> Tensor:
        """What lies in the other window of x, which is cut to this one."""
        times = x.shape[-1] // (self.right - self.left)
        left, right = (times * (edge - self.left) for edge in (other.left, other.right))
        top, bottom = (times * (edge - self.top) for edge in (other.top, other.bottom))
        return x[..., top:bottom, left:right]


class Synthesis(SynthesisNetwork):
    """Per-layer codes to the image.

    Layer codes: one for the 4x4 convolution; then each up-block takes the next one for its up-sampling and first
    convolution and one more for its second; to-RGB takes the last.
    """

    def __init__(self, config: MobileConfig) -> None:
        super().__init__()
        self.config = config
        self.resolution = config.resolution
        self.w_dim = config.w_dim
        self.image_channels = config.image_channels
        self.input = InputConv(config.w_dim, config.channels[0])
        self.blocks = nn.ModuleList(
            UpBlock(config.w_dim, before, after, 8 * 2**i)
            for i, (before, after) in enumerate(pairwise(config.channels))
        )
        self.to_rgb = ToRGB(config.w_dim, config.channels[-1], config.image_channels)
        self.layers = self._layers()
        self.num_ws = 1 + max(layer.ws_index for layer in self.layers)

    def up_blocks(self) -> list[UpBlock]:
        """The blocks, coarsest first."""
        return cast(list[UpBlock], list(self.blocks))

    def _layers(self) -> tuple[Layer, ...]:
        layers = [Layer("input", 4, 0, self.input.style.out_features)]
        for i, block in enumerate(self.up_blocks()):
            side, name = 8 * 2**i, f"block{8 * 2**i}"
            layers += [
                Layer(f"{name}.up", side, 2 * i + 1, block.up_style.out_features),
                Layer(f"{name}.conv1", side, 2 * i + 1, block.conv1.style.out_features),
                Layer(f"{name}.conv2", side, 2 * i + 2, block.conv2.style.out_features),
            ]
        last = 2 * len(self.blocks) + 1
        return (*layers, Layer("to_rgb", self.resolution, last, self.to_rgb.style.out_features))

    def _affines(self) -> list[nn.Linear]:
        affines = [self.input.style]
        for block in self.up_blocks():
            affines += [block.up_style, block.conv1.style, block.conv2.style]
        return [*affines, self.to_rgb.style]

    def feature_maps(self) -> list[FeatureMap]:
        """What each block makes; see ``FeatureMap``."""
        return [FeatureMap(8 << i, 8 << i, block.conv2) for i, block in enumerate(self.up_blocks())]

    def set_precision(self, dtype: torch.dtype) -> None:
        """Cast the convolutions; styles, noise, biases and to-RGB stay float32, where they cost nothing."""
        self.input.weight.data = self.input.weight.data.to(dtype)
        for block in self.up_blocks():
            for conv in (block.conv1, block.conv2):
                conv.set_precision(dtype)

    def noise_constants(self) -> list[Tensor]:
        """The noise maps stored with the network, ``[1, 1, H, W]`` each, coarsest first."""
        later = [conv.noise for block in self.up_blocks() for conv in (block.conv1, block.conv2)]
        return [self.input.noise, *later]

    def noise_strengths(self) -> list[Tensor]:
        """The standard deviation of each layer's random noise: that of its map, as the strength itself is lost."""
        return [constant.std() for constant in self.noise_constants()]

    def styles(self, ws: Tensor) -> list[Tensor]:
        return [affine(ws[:, layer.ws_index]) for layer, affine in zip(self.layers, self._affines(), strict=True)]

    def forward(
        self,
        styles: Sequence[Tensor],
        noise: Sequence[Tensor | None],
        *,
        size: int | None = None,
        reference: bool = False,
    ) -> Tensor:
        x: Tensor = self.input(styles[0], noise[0])
        if reference:
            haar = inverse_haar_reference
        else:
            haar = inverse_haar
            x = x.contiguous(memory_format=torch.channels_last)
        for i, block in enumerate(self.up_blocks()):
            up, first, second = styles[3 * i + 1 : 3 * i + 4]
            x = haar(x, up)
            x = block.conv1(x, first, noise[2 * i + 1], reference=reference)
            x = block.conv2(x, second, noise[2 * i + 2], reference=reference)
        if size is None or size == self.resolution:
            return haar(self.to_rgb(x, styles[-1], 4 * self.image_channels))
        return self.low_band(x, styles[-1], size)

    def sketch(self, styles: Sequence[Tensor], *, size: int, focus: Box | None = None) -> Tensor:
        """Styles to an image, nearly ``forward``'s, where ``size`` is a quarter of the resolution or less.

        The last block works at half its resolution. Where ``size`` is just a quarter, what lies outside of
        ``focus`` is drawn at a sixteenth of the resolution, in networks of three blocks or more. For larger images,
        and networks of one block, this is ``forward``.
        """
        noise = self.noise_constants()
        fine, blocks = self.resolution // 4, len(self.blocks)
        if size > fine or blocks < 2:
            return cast(Tensor, self(styles, noise, size=size))
        x: Tensor = self.input(styles[0], noise[0]).contiguous(memory_format=torch.channels_last)
        shared = blocks - 3  # the blocks up to a sixteenth of the resolution
        if focus is None or size < fine or shared < 0:
            return self.low_band(self._sketched(x, styles, noise, range(blocks), fine), styles[-1], size)
        x = self._sketched(x, styles, noise, range(shared), fine)
        rest, coarse = range(shared, blocks), fine // 4
        around = self.low_band(self._sketched(x, styles, noise, rest, coarse), styles[-1], coarse)
        image = F.interpolate(around, (size, size), mode="bilinear")
        window = _Window.about(focus, coarse)
        drawn = window.grown(_REACH)
        x = drawn.of(x).contiguous(memory_format=torch.channels_last)
        x = self._sketched(x, styles, noise, rest, fine, drawn)
        window.of(image).copy_(drawn.inner(window, self.low_band(x, styles[-1], x.shape[-1])))
        return image

    def _sketched(
        self,
        x: Tensor,
        styles: Sequence[Tensor],
        noise: Sequence[Tensor | None],
        rest: range,
        side: int,
        window: _Window | None = None,
    ) -> Tensor:
        """Some of the blocks, at most at ``side`` pixels for the whole picture; x is what lies in the window of it.

        The maps of noise at that side and above are left out: in the default model three of four are below
        bfloat16's resolution of the features, and without the fourth the pictures are as near to the exact ones.
        """
        blocks = self.up_blocks()
        for i in rest:
            block, (up, first, second) = blocks[i], styles[3 * i + 1 : 3 * i + 4]
            own = 8 << i
            share = max(own // side, 1)
            if (
                share > 1
            ):  # the mean of a 2x2 block is half the low band: both factors of a channel ride on one style
                x = x[:, : up.shape[1] // 4]
                first = 0.5 * up[:, : x.shape[1]] * first
            else:
                x = inverse_haar(x, up)
            maps = block.counting(noise[2 * i + 1 : 2 * i + 3]) if own < side else (None, None)
            x = block.conv1.at_share(x, first, _within(window, maps[0]), share)
            # Of the last map that is made at its own side, the next wavelet takes the low band alone.
            low_band = 2 * own > side and block is not blocks[-1]
            x = block.conv2.at_share(x, second, _within(window, maps[1]), share, low_band=low_band)
        return x

    def low_band(self, x: Tensor, style: Tensor, size: int) -> Tensor:
        """The last feature map to an image that is smaller than the resolution."""
        factor = x.shape[-1] // size
        if factor > 1:  # to-RGB is pointwise and linear, so the average may be taken before it
            x = F.avg_pool2d(x, factor)
        band: Tensor = self.to_rgb(x, style, self.image_channels)
        return 0.5 * band


def _within(window: _Window | None, noise: Tensor | None) -> Tensor | None:
    return noise if noise is None or window is None else window.of(noise)
