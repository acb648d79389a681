"""Pictures of a MobileStyleGAN that are nearly the network's own, for less work: for looking at many.

A layer can work at a share of its resolution, on the area average of what it takes: a wavelet's low band *is* that
average of what it makes, and a kernel can be made to fit it. The whole picture is drawn so at a quarter of the
resolution; or only the part of it that is looked at closely is, and the rest at a sixteenth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.layers import Box
from stylegan_latents.generator.ops.wavelet import inverse_haar

if TYPE_CHECKING:
    from stylegan_latents.generator.networks.mobile import Synthesis

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


def sketch(
    network: "Synthesis", styles: Sequence[Tensor], noise: Sequence[Tensor | None], *, size: int, focus: Box | None
) -> Tensor:
    """Styles to an image ``[N, image_channels, size, size]``, nearly.

    Args:
        network, styles, noise, size: as of ``Synthesis.sketch``, which is this.
        focus: within [0, 1] and with an inside; None for the whole picture.
    """
    fine, blocks = network.resolution // 4, len(network.blocks)
    if size > fine or blocks < 2:
        return cast(Tensor, network(styles, noise, size=size))
    x: Tensor = network.input(styles[0], noise[0]).contiguous(memory_format=torch.channels_last)
    shared = blocks - 3  # the blocks up to a sixteenth of the resolution
    if focus is None or size < fine or shared < 0:
        return network.low_band(_run(network, x, styles, noise, range(blocks), fine), styles[-1], size)
    x = _run(network, x, styles, noise, range(shared), fine)
    rest, coarse = range(shared, blocks), fine // 4
    around = network.low_band(_run(network, x, styles, noise, rest, coarse), styles[-1], coarse)
    image = F.interpolate(around, (size, size), mode="bilinear")
    window = _Window.about(focus, coarse)
    drawn = window.grown(_REACH)
    x = _run(network, drawn.of(x).contiguous(memory_format=torch.channels_last), styles, noise, rest, fine, drawn)
    window.of(image).copy_(drawn.inner(window, network.low_band(x, styles[-1], x.shape[-1])))
    return image


def _run(
    network: "Synthesis",
    x: Tensor,
    styles: Sequence[Tensor],
    noise: Sequence[Tensor | None],
    rest: range,
    side: int,
    window: _Window | None = None,
) -> Tensor:
    """Some of the blocks, at most at ``side`` pixels for the whole picture; x is what lies in the window of it.

    The maps of noise at that side and above are left out: in the default model three of four are below bfloat16's
    resolution of the features, and without the fourth the pictures are as near to the exact ones.
    """
    blocks = network.up_blocks()
    for i in rest:
        block, (up, first, second) = blocks[i], styles[3 * i + 1 : 3 * i + 4]
        own = 8 << i
        share = max(own // side, 1)
        if share > 1:  # the mean of a 2x2 block is half the low band: both factors of a channel ride on one style
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


def _within(window: _Window | None, noise: Tensor | None) -> Tensor | None:
    return noise if noise is None or window is None else window.of(noise)
