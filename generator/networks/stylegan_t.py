"""StyleGAN-T: a mapping network that joins x, from z, and the code of a text, and its synthesis network.

Sauer et al., "StyleGAN-T: Unlocking the Power of GANs for Fast Large-Scale Text-to-Image Synthesis", 2023,
section 3. A row of ws is x followed by the text's code. The equalised learning rate of training (a constant factor
on each weight) is folded into the weights of the fully connected layers, the input and to-RGB.
"""

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.layers import Layer
from stylegan_latents.generator.networks.mapping import (
    LARGEST_SIZE,
    LEAK,
    Linear,
    MappingSizes,
    check_taps,
    unit,
    zeros,
)
from stylegan_latents.generator.networks.stylegan2 import (
    MAX_BLOCKS,
    ConvolutionalSynthesis,
    LayersOfResolution,
    StyledConv,
    ToRGB,
)
from stylegan_latents.generator.networks.stylegan3 import FourierInput, move
from stylegan_latents.generator.networks.synthesis import Part

FIRST = 8
"""Side of the first feature map."""
BANDWIDTH = 2.0
"""The highest frequency of the input, in cycles per side of the image."""
_MOST_PAIRS, _MOST_TEXTS = 16, 100_000


@dataclass(frozen=True)
class StyleGANTConfig(MappingSizes):
    """The sizes of a StyleGAN-T.

    Attributes:
        channels: of the feature maps, coarsest first. Block ``i`` works at ``8 * 2**i`` pixels.
        image_channels: 3 for colour.
        pairs: of a convolution and a residual one in each block.
        groups: of the channels that are normalised together before a residual convolution.
        pictures: whether an image of every block is summed, or the last block alone makes one.
        taps: of the filter that doubles the resolution, at any scale.
        clamp: bound on the magnitude of every convolution's output; None for none.
        has_noise: whether the layers add noise.
        text_dim: length of a text's code; 0 for a model without texts. With one text, ``label_dim`` is 0; several
            are the classes of the model, and ``label_width`` is then ``text_dim``.
    """

    channels: tuple[int, ...]
    _: KW_ONLY
    image_channels: int = 3
    pairs: int = 2
    groups: int = 32
    pictures: bool = True
    taps: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)
    clamp: float | None = 256.0
    has_noise: bool = True
    text_dim: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = (*self.channels, self.image_channels, self.pairs, self.groups)
        if not self.channels or min(sizes) < 1 or len(self.channels) >= MAX_BLOCKS or self.pairs > _MOST_PAIRS:
            raise ValueError(f"a StyleGAN-T has sizes above 0, and {FIRST} to {FIRST << (MAX_BLOCKS - 2)} pixels")
        if max(*sizes, self.text_dim) > LARGEST_SIZE or any(count % self.groups for count in self.channels):
            raise ValueError("a StyleGAN-T has channels in groups of equal size")
        if self.text_dim < 0 or self.label_width not in (0, self.text_dim) or self.label_dim > _MOST_TEXTS:
            raise ValueError("a StyleGAN-T has texts of one length as its classes")
        check_taps(self.taps)

    @property
    def resolution(self) -> int:
        return FIRST << (len(self.channels) - 1)

    @property
    def x_dim(self) -> int:
        """Length of x, the part of w that comes from z."""
        return self.mapping_widths[-1]

    @property
    def w_dim(self) -> int:
        return self.x_dim + self.text_dim


class Mapping(nn.Module):
    """z ``[N, z_dim]``, and a label ``[N, label_dim]`` where there are several texts, to w ``[N, w_dim]``.

    Attributes:
        texts: the texts' codes, ``[label_dim or 1, text_dim]``; None for a model without texts.
    """

    texts: Tensor | None

    def __init__(self, config: StyleGANTConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Linear(a, b) for a, b in pairwise([config.z_dim, *config.mapping_widths]))
        texts = torch.zeros(config.label_dim or 1, config.text_dim) if config.text_dim else None
        self.register_buffer("texts", texts)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = unit(z)
        for i, layer in enumerate(self.layers):
            x = layer(x) if i == len(self.layers) - 1 else F.leaky_relu(layer(x), LEAK) * 2**0.5
        if self.texts is None:
            return x
        if label is None and len(self.texts) > 1:
            raise ValueError("this model has several texts: give a label")
        text = self.texts.expand(len(x), -1) if label is None else label.to(x.dtype) @ self.texts
        return torch.cat([x, text.to(x.dtype)], dim=1)


class SplitStyle(Linear):
    """w to a style of second order: two thirds of an affine layer's output multiplied, plus the last third.

    Args:
        w_dim: length of w.
        channels: of the style.
    """

    def __init__(self, w_dim: int, channels: int) -> None:
        super().__init__(w_dim, 3 * channels)

    def forward(self, w: Tensor) -> Tensor:
        affine: Tensor = super().forward(w)
        factor, other, offset = affine.chunk(3, dim=1)
        return factor * other + offset


class Convolution(StyledConv):
    """StyleGAN2's layer with a style of second order; a residual one normalises its input, and adds that.

    Args:
        config, in_channels, out_channels, side, taps: see ``StyledConv``.
        residual: whether it is a residual one, which keeps the number of channels.
    """

    def __init__(
        self,
        config: StyleGANTConfig,
        in_channels: int,
        out_channels: int,
        side: int,
        taps: tuple[float, ...] | None = None,
        *,
        residual: bool = False,
    ) -> None:
        gain = 0.5**0.5 if taps is None else 1.0
        super().__init__(config, in_channels, out_channels, (side, side), taps, gain)
        self.style = SplitStyle(config.w_dim, in_channels)
        self.norm = nn.GroupNorm(config.groups, out_channels) if residual else None
        self.scale = zeros(out_channels) if residual else None

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None, *, reference: bool) -> Tensor:
        if self.norm is None or self.scale is None:
            return super().forward(x, style, noise, reference=reference)
        # In float32: sums over a group's pixels leave float16's range.
        x = self.norm(x.float()).to(x.dtype)
        change = super().forward(x, style, noise, reference=reference)
        return (x + self.scale[:, None, None].to(x.dtype) * change) * 2**0.5


class Block(LayersOfResolution):
    """The layers of one resolution; all blocks but the first begin by doubling it."""

    def __init__(self, config: StyleGANTConfig, index: int) -> None:
        super().__init__(FIRST << index, config.taps)
        channels, side = config.channels[index], self.resolution
        self._names = [f"conv{i}" for i in range(2 * config.pairs)]
        if index:
            self.up = Convolution(config, config.channels[index - 1], channels, side, self.taps)
            self._names.insert(0, "up")
        for i in range(2 * config.pairs):
            self.add_module(f"conv{i}", Convolution(config, channels, channels, side, residual=i % 2 == 1))
        self.to_rgb = None
        if config.pictures or index == len(config.channels) - 1:
            self.to_rgb = ToRGB(config, channels)
            self.to_rgb.style = SplitStyle(config.w_dim, channels)

    def named_convs(self) -> list[tuple[str, StyledConv]]:
        return [(name, getattr(self, name)) for name in self._names]


class Synthesis(ConvolutionalSynthesis):
    """StyleGAN-T's synthesis network, which starts from StyleGAN3's input.

    Rows of ws: one for the input, and then those of ``ConvolutionalSynthesis``.
    """

    config: StyleGANTConfig

    def __init__(self, config: StyleGANTConfig) -> None:
        super().__init__()
        self.config = config
        self.resolution = config.resolution
        self.w_dim = config.w_dim
        self.image_channels = config.image_channels
        self.input = FourierInput(config.channels[0], config.w_dim, size=FIRST, rate=FIRST, bandwidth=BANDWIDTH)
        self.blocks = nn.ModuleList(Block(config, i) for i in range(len(config.channels)))
        self.layers = self._layers([Layer("input", FIRST, 0, 4)])
        self.num_ws = 1 + max(layer.ws_index for layer in self.layers)

    @property
    def code_parts(self) -> dict[str, Part]:
        """``x`` and, of a model with texts, ``text``."""
        x_dim, w_dim, rows = self.config.x_dim, self.config.w_dim, (0, self.num_ws)
        return {"x": Part(rows, (0, x_dim)), "text": Part(rows, (x_dim, w_dim))} if x_dim < w_dim else {}

    def styles(self, ws: Tensor) -> list[Tensor]:
        affines = [self.input.style, *self._affines()]
        return [affine(ws[:, layer.ws_index]) for layer, affine in zip(self.layers, affines, strict=True)]

    def move(self, styles: Sequence[Tensor], translate: Tensor, rotate: Tensor) -> list[Tensor]:
        return [move(styles[0], translate, rotate), *styles[1:]]

    def _start(self, style: Iterator[Tensor], n: int, reference: bool) -> Tensor:  # noqa: ARG002
        layout = torch.contiguous_format if reference else torch.channels_last
        waves: Tensor = self.input(next(style))
        return waves.to(self.dtype).contiguous(memory_format=layout)
