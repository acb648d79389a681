"""The synthesis network of StyleGAN2 and StyleGAN2-ADA.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, and "Training Generative Adversarial
Networks with Limited Data", 2020. The equalised learning rate of training (a constant factor on each weight) is
folded into the weights of the fully connected layers, of to-RGB and of the skip connections.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.layers import Layer
from stylegan_latents.generator.networks.mapping import LARGEST_SIZE, Linear, MappingSizes, check_taps, zeros
from stylegan_latents.generator.networks.synthesis import FeatureMap, NoiseMaps, SynthesisNetwork
from stylegan_latents.generator.ops.fir import normalised, upsample, upsample_reference
from stylegan_latents.generator.ops.modulated_convolution import (
    Activation,
    modulated_convolution,
    modulated_convolution_reference,
)

Architecture = Literal["skip", "resnet", "orig"]
ARCHITECTURES: tuple[Architecture, ...] = ("skip", "resnet", "orig")
MAX_BLOCKS = 10  # 2048 pixels; a larger number in a file would demand any amount of memory
_MAX_BASE_WIDTH = 16


@dataclass(frozen=True)
class StyleGAN2Config(MappingSizes):
    """The sizes of a StyleGAN2.

    Attributes:
        channels: of the feature maps, coarsest first. Block ``i`` works at ``4 * 2**i`` pixels.
        image_channels: 3 for colour.
        architecture: ``skip`` sums an image of every block, ``resnet`` has residual blocks, ``orig`` neither.
        taps: of the filter that doubles the resolution, at any scale.
        clamp: bound on the magnitude of every convolution's output, in models trained in float16.
        has_noise: whether the layers add noise.
        joint_label: see ``Mapping``.
        base_width: width of the first block, which is 4 pixels high: 2 for pictures half as wide as high.
    """

    channels: tuple[int, ...]
    image_channels: int = 3
    architecture: Architecture = "skip"
    taps: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)
    clamp: float | None = None
    has_noise: bool = True
    joint_label: bool = False
    base_width: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = (*self.channels, self.image_channels, self.base_width)
        too_large = len(self.channels) > MAX_BLOCKS or self.base_width > _MAX_BASE_WIDTH
        if not self.channels or min(sizes) < 1 or too_large:
            raise ValueError(f"a StyleGAN2 has sizes above 0, and 4 to {4 << (MAX_BLOCKS - 1)} pixels")
        if self.architecture not in ARCHITECTURES or max(sizes) > LARGEST_SIZE:
            raise ValueError(f"no StyleGAN2 has the architecture {self.architecture!r}, or sizes of {max(sizes)}")
        check_taps(self.taps)

    @property
    def resolution(self) -> int:
        """The height of the picture."""
        return 4 << (len(self.channels) - 1)

    @property
    def width(self) -> int:
        """The width of the picture."""
        return self.base_width << (len(self.channels) - 1)


class LayerSizes(Protocol):
    """What layers take from the sizes of their network, as ``StyleGAN2Config`` explains it."""

    @property
    def w_dim(self) -> int: ...
    @property
    def image_channels(self) -> int: ...
    @property
    def clamp(self) -> float | None: ...
    @property
    def has_noise(self) -> bool: ...


class StyledConv(nn.Module):
    """Modulated 3x3 convolution with noise, bias and leaky ReLU; doubles the size if it has taps."""

    def __init__(
        self,
        config: LayerSizes,
        in_channels: int,
        out_channels: int,
        size: tuple[int, int],
        taps: tuple[float, ...] | None,
        gain: float,
    ) -> None:
        super().__init__()
        self.taps = taps
        self.activation = Activation(2**0.5 * gain, None if config.clamp is None else config.clamp * gain)
        self.style = Linear(config.w_dim, in_channels)
        self.weight = zeros(out_channels, in_channels, 3, 3)
        self.bias = zeros(out_channels)
        if config.has_noise:
            self.noise = nn.Parameter(torch.zeros(1, 1, *size))
            self.noise_strength = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None, *, reference: bool) -> Tensor:
        convolve = modulated_convolution_reference if reference else modulated_convolution
        return convolve(x, self.weight, style, self.bias, noise, self.activation, self.taps)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution, without demodulation, to the image, in float32."""

    def __init__(self, config: LayerSizes, in_channels: int) -> None:
        super().__init__()
        self.clamp = config.clamp
        self.style = Linear(config.w_dim, in_channels)
        self.weight = zeros(config.image_channels, in_channels)
        self.bias = zeros(config.image_channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        weight = (self.weight * style.unsqueeze(1)).to(x.dtype)
        pixels = x.permute(0, 2, 3, 1).reshape(n, height * width, channels)
        out = torch.baddbmm(self.bias.to(x.dtype), pixels, weight.transpose(1, 2)).float()
        out = out.reshape(n, height, width, -1).permute(0, 3, 1, 2)
        return out if self.clamp is None else out.clamp(-self.clamp, self.clamp)


class LayersOfResolution(nn.Module):
    """Modulated convolutions at one resolution, and to-RGB where an image is made there.

    Args:
        resolution: height of the feature maps.
        taps: of the filter that doubles the resolution.
    """

    to_rgb: ToRGB | None

    def __init__(self, resolution: int, taps: tuple[float, ...]) -> None:
        super().__init__()
        self.resolution, self.taps = resolution, normalised(taps)

    @abstractmethod
    def named_convs(self) -> list[tuple[str, StyledConv]]:
        """Its modulated convolutions in order, each with its attribute's name."""

    def residual(self, x: Tensor, reference: bool) -> Tensor | None:  # noqa: ARG002
        """What is added to the last convolution's output, for a block with a skip connection."""
        return None


class Block(LayersOfResolution):
    """The layers of one resolution. The first block starts from a learned constant and has one convolution."""

    def __init__(self, config: StyleGAN2Config, index: int) -> None:
        super().__init__(4 << index, config.taps)
        size = (self.resolution, config.base_width << index)
        channels = config.channels[index]
        residual = config.architecture == "resnet" and index > 0
        gain = 0.5**0.5 if residual else 1.0
        if index == 0:
            self.constant = zeros(1, channels, 4, config.base_width)
        else:
            before = config.channels[index - 1]
            self.up = StyledConv(config, before, channels, size, self.taps, 1.0)
        self.conv = StyledConv(config, channels, channels, size, None, gain)
        is_last = index == len(config.channels) - 1
        self.to_rgb = ToRGB(config, channels) if is_last or config.architecture == "skip" else None
        self.skip = zeros(channels, config.channels[index - 1], 1, 1) if residual else None

    def named_convs(self) -> list[tuple[str, StyledConv]]:
        names = ("up", "conv") if hasattr(self, "up") else ("conv",)
        return [(name, getattr(self, name)) for name in names]

    def residual(self, x: Tensor, reference: bool) -> Tensor | None:
        if self.skip is None:
            return None
        thin = F.conv2d(x, (0.5**0.5 * self.skip).to(x.dtype))
        return (upsample_reference if reference else upsample)(thin, self.taps)


class ConvolutionalSynthesis(SynthesisNetwork):
    """A synthesis network of modulated convolutions that doubles the resolution from block to block.

    Rows of ws: one for each convolution, in order, and one for the last to-RGB. Any other to-RGB shares the row of
    the convolution after it.
    """

    config: LayerSizes
    blocks: nn.ModuleList

    def _blocks(self) -> list[LayersOfResolution]:
        return cast(list[LayersOfResolution], list(self.blocks))

    @abstractmethod
    def _start(self, style: Iterator[Tensor], n: int, reference: bool) -> Tensor:
        """The first feature map; takes the style of an input layer from ``style``."""

    def _layers(self, first: Sequence[Layer]) -> tuple[Layer, ...]:
        """Every style input: ``first``, then those of the blocks."""
        layers = list(first)
        row = len(layers)
        for block in self._blocks():
            side = block.resolution
            for name, conv in block.named_convs():
                layers.append(Layer(f"block{side}.{name}", side, row, conv.weight.shape[1]))
                row += 1
            if block.to_rgb is not None:
                layers.append(Layer(f"block{side}.to_rgb", side, row, block.to_rgb.weight.shape[1]))
        return tuple(layers)

    def _affines(self) -> list[Linear]:
        affines: list[Linear] = []
        for block in self._blocks():
            affines += [conv.style for _, conv in block.named_convs()]
            affines += [] if block.to_rgb is None else [block.to_rgb.style]
        return affines

    def _noisy(self) -> list[StyledConv]:
        convs = [conv for block in self._blocks() for _, conv in block.named_convs()]
        return convs if self.config.has_noise else []

    def feature_maps(self) -> list[FeatureMap]:
        return [
            FeatureMap(block.resolution, block.resolution, block.named_convs()[-1][1]) for block in self._blocks()
        ]

    def noise_constants(self) -> list[Tensor]:
        return [conv.noise * conv.noise_strength for conv in self._noisy()]

    def noise_strengths(self) -> list[Tensor]:
        return [conv.noise_strength.abs() for conv in self._noisy()]

    def styles(self, ws: Tensor) -> list[Tensor]:
        return [affine(ws[:, layer.ws_index]) for layer, affine in zip(self.layers, self._affines(), strict=True)]

    def forward(
        self, styles: Sequence[Tensor], noise: NoiseMaps, *, size: int | None = None, reference: bool = False
    ) -> Tensor:
        style, noise_map = iter(styles), iter(noise if self.config.has_noise else ())
        x, image = self._start(style, styles[0].shape[0], reference), None
        for block in self._blocks():
            skipped = block.residual(x, reference)
            for _, conv in block.named_convs():
                x = conv(x, next(style), next(noise_map, None), reference=reference)
            x = x if skipped is None else x + skipped
            if image is not None:
                image = (upsample_reference if reference else upsample)(image, block.taps)
            if block.to_rgb is None:
                continue
            factor = block.resolution // size if size and block.resolution == self.resolution else 1
            if factor == 1:
                picture = block.to_rgb(x, next(style))
            elif self.config.clamp is None:  # to-RGB is then pointwise and linear: average before it
                picture = block.to_rgb(F.avg_pool2d(x, factor), next(style))
            else:
                picture = F.avg_pool2d(block.to_rgb(x, next(style)), factor)
            if image is not None:
                picture = picture + (image if factor == 1 else F.avg_pool2d(image, factor))
            image = picture
        return cast(Tensor, image)


class Synthesis(ConvolutionalSynthesis):
    """StyleGAN2's synthesis network, which starts from a learned constant."""

    config: StyleGAN2Config

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.config = config
        self.resolution = config.resolution
        self.w_dim = config.w_dim
        self.image_channels = config.image_channels
        self.blocks = nn.ModuleList(Block(config, i) for i in range(len(config.channels)))
        self.layers = self._layers([])
        self.num_ws = 1 + max(layer.ws_index for layer in self.layers)

    @property
    def width(self) -> int:
        """The width of the image in pixels."""
        return self.config.width

    def _start(self, style: Iterator[Tensor], n: int, reference: bool) -> Tensor:  # noqa: ARG002
        constant = cast(Tensor, self._blocks()[0].constant)
        # The reference runs the plain operations in the plain layout.
        layout = torch.contiguous_format if reference else torch.channels_last
        return constant.to(self.dtype).expand(n, -1, -1, -1).contiguous(memory_format=layout)
