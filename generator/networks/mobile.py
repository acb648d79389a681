"""MobileStyleGAN's synthesis network, exact and, for scoring many samples, approximate in less time.

Belousov, "MobileStyleGAN: A Lightweight Convolutional Neural Network for High-Fidelity Image Synthesis", 2021.

In a sketch, a layer works at a fraction of its resolution, on the area average of its input: that average is a
wavelet's low band, and a kernel can be adapted to it. The whole image is drawn so at a quarter of the resolution,
or only the part in focus is, and the rest at a sixteenth.
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
from stylegan_latents.generator.networks.mobile_strips import FINEST, KEPT, Finest, recomputed
from stylegan_latents.generator.networks.synthesis import FeatureMap, NoiseMaps, SynthesisNetwork
from stylegan_latents.generator.ops.wavelet import inverse_haar

__all__ = ["Mapping", "MobileConfig", "Synthesis"]

# Coarse pixels that layers reach beyond a window: 1/2 for each of the two layers at twice the coarse map's side,
# 1/4 for each of the four layers at four times its side.
_REACH = 2


@dataclass(frozen=True)
class _Window:
    side: int
    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def touched_by(cls, box: Box, side: int) -> "_Window":
        """The pixels that the box touches."""
        left, top, right, bottom = (edge * side for edge in box)
        return cls(side, floor(left), floor(top), ceil(right), ceil(bottom))

    def grown(self, pixels: int) -> "_Window":
        left, top = max(self.left - pixels, 0), max(self.top - pixels, 0)
        right, bottom = min(self.right + pixels, self.side), min(self.bottom + pixels, self.side)
        return _Window(self.side, left, top, right, bottom)

    def crop(self, x: Tensor) -> Tensor:
        """Its part of ``[N, C, H, W]``, whose side is a multiple of its own."""
        times = x.shape[-1] // self.side
        return x[..., times * self.top : times * self.bottom, times * self.left : times * self.right]

    def inner(self, other: "_Window", x: Tensor) -> Tensor:
        """The other window's part of ``x``, which is already cropped to this one."""
        times = x.shape[-1] // (self.right - self.left)
        left, right = (times * (edge - self.left) for edge in (other.left, other.right))
        top, bottom = (times * (edge - self.top) for edge in (other.top, other.bottom))
        return x[..., top:bottom, left:right]


class Synthesis(SynthesisNetwork):
    """ws to styles to the image.

    Rows of ws: one for the 4x4 convolution; each up-block takes the next one for its up-sampling and first
    convolution and one more for its second; to-RGB takes the last.
    """

    can_save_memory = True

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
        return [FeatureMap(8 << i, 8 << i, block.conv2) for i, block in enumerate(self.up_blocks())]

    def set_precision(self, dtype: torch.dtype) -> None:
        """Cast the convolutions; styles, noise, biases and to-RGB stay float32, which costs nothing."""
        self.input.weight.data = self.input.weight.data.to(dtype)
        for block in self.up_blocks():
            for conv in (block.conv1, block.conv2):
                conv.set_precision(dtype)

    def noise_constants(self) -> list[Tensor]:
        later = [conv.noise for block in self.up_blocks() for conv in (block.conv1, block.conv2)]
        return [self.input.noise, *later]

    def noise_strengths(self) -> list[Tensor]:
        """The standard deviation of each stored map, as the networks are published without strengths."""
        return [constant.std() for constant in self.noise_constants()]

    def styles(self, ws: Tensor) -> list[Tensor]:
        return [affine(ws[:, layer.ws_index]) for layer, affine in zip(self.layers, self._affines(), strict=True)]

    def forward(
        self, styles: Sequence[Tensor], noise: NoiseMaps, *, size: int | None = None, reference: bool = False
    ) -> Tensor:
        x: Tensor = self.input(styles[0], noise[0])
        if not reference:
            x = x.contiguous(memory_format=torch.channels_last)
        blocks, factor = self.up_blocks(), 1 if size is None else self.resolution // size
        if self.saves_memory and not reference:
            finest = max(len(blocks) - FINEST, 0)
            for i, block in enumerate(blocks[:finest]):
                rest = styles[3 * i + 1 : 3 * i + 4], noise[2 * i + 1 : 2 * i + 3]
                x = block(x, *rest) if 8 << i <= KEPT else recomputed(block, x, *rest)
            strips = Finest(blocks[finest:], self.to_rgb, factor)
            return strips.draw(x, styles[3 * finest + 1 :], noise[2 * finest + 1 :])
        for i, block in enumerate(blocks):
            x = block(x, styles[3 * i + 1 : 3 * i + 4], noise[2 * i + 1 : 2 * i + 3], reference=reference)
        return self.to_rgb.image(x, styles[-1], factor, reference=reference)

    def sketch(self, styles: Sequence[Tensor], *, size: int, focus: Box | None = None) -> Tensor:
        """See the base class; faster than ``forward`` where ``size`` is a quarter of the resolution or less.

        The last block works at half its resolution. If ``size`` is exactly a quarter, the image outside ``focus``
        is drawn at a sixteenth, in networks of three blocks or more. Larger images, and networks of one block, are
        exact.
        """
        noise = self.noise_constants()
        fine, blocks = self.resolution // 4, len(self.blocks)
        if size > fine or blocks < 2:
            return cast(Tensor, self(styles, noise, size=size))
        x: Tensor = self.input(styles[0], noise[0]).contiguous(memory_format=torch.channels_last)
        shared = blocks - 3  # the blocks up to a sixteenth of the resolution
        if focus is None or size < fine or shared < 0:
            return self._low_band(self._sketched(x, styles, noise, range(blocks), fine, None), styles[-1], size)
        x = self._sketched(x, styles, noise, range(shared), fine, None)
        later, coarse = range(shared, blocks), fine // 4
        around = self._low_band(self._sketched(x, styles, noise, later, coarse, None), styles[-1], coarse)
        image = F.interpolate(around, (size, size), mode="bilinear")
        window = _Window.touched_by(focus, coarse)
        drawn = window.grown(_REACH)
        x = drawn.crop(x).contiguous(memory_format=torch.channels_last)
        x = self._sketched(x, styles, noise, later, fine, drawn)
        window.crop(image).copy_(drawn.inner(window, self._low_band(x, styles[-1], x.shape[-1])))
        return image

    def _sketched(
        self,
        x: Tensor,
        styles: Sequence[Tensor],
        noise: NoiseMaps,
        indices: range,
        side: int,
        window: _Window | None,
    ) -> Tensor:
        """Apply some of the blocks, at most at ``side`` pixels for the whole image, to the window's part of it.

        Noise maps at that side and above are left out: in the default model three of four are below bfloat16's
        resolution of the features, and the fourth does not bring the image nearer to the exact one.
        """
        blocks = self.up_blocks()
        for i in indices:
            block, (up, first, second) = blocks[i], styles[3 * i + 1 : 3 * i + 4]
            own = 8 << i
            factor = max(own // side, 1)
            if factor > 1:  # the mean of a 2x2 block is half the low band; one style takes both channel factors
                x = x[:, : up.shape[1] // 4]
                first = 0.5 * up[:, : x.shape[1]] * first
            else:
                x = inverse_haar(x, up)
            maps = block.effective_noise(noise[2 * i + 1 : 2 * i + 3]) if own < side else (None, None)
            x = block.conv1.average(x, first, _within(window, maps[0]), factor)
            # After the last map at full detail, the next wavelet takes the low band alone.
            low_band = 2 * own > side and block is not blocks[-1]
            x = block.conv2.average(x, second, _within(window, maps[1]), factor, low_band=low_band)
        return x

    def _low_band(self, x: Tensor, style: Tensor, size: int) -> Tensor:
        """The last feature map, drawn at the image's resolution or below, to an image of ``size``."""
        return self.to_rgb.image(x, style, 2 * x.shape[-1] // size)


def _within(window: _Window | None, noise: Tensor | None) -> Tensor | None:
    return noise if noise is None or window is None else window.crop(noise)
