"""StyleGAN2's and StyleGAN2-ADA's synthesis.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, and "Training Generative Adversarial
Networks with Limited Data", 2020. The equalised learning rate of training (a constant factor on each weight) is
folded into the weights of the fully connected layers, of to-RGB and of the skip connections.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.layers import Layer
from stylegan_latents.generator.networks.mapping import Linear
from stylegan_latents.generator.networks.synthesis import FeatureMap, SynthesisNetwork
from stylegan_latents.generator.ops.fir import normalised, upsample, upsample_reference
from stylegan_latents.generator.ops.modulated_convolution import (
    Activation,
    modulated_convolution,
    modulated_convolution_reference,
)

Architecture = Literal["skip", "resnet", "orig"]
ARCHITECTURES: tuple[Architecture, ...] = ("skip", "resnet", "orig")
MAX_BLOCKS = 10  # 2048 pixels; a file that claims more would ask for any amount of memory


@dataclass(frozen=True)
class StyleGAN2Config:
    """Every size that defines a StyleGAN2.

    Attributes:
        z_dim: length of z.
        mapping_widths: outputs of the mapping network's layers; the last is the length of one w.
        channels: of the feature maps, coarsest first. Block ``i`` works at ``4 * 2**i`` pixels.
        label_dim: number of classes; 0 for a model without.
        label_width: length of the embedded label; 0 without classes.
        image_channels: 3 for colour.
        architecture: ``skip`` sums a picture of every block, ``resnet`` has residual blocks, ``orig`` neither.
        taps: of the filter that doubles the resolution; any scale.
        clamp: bound on the magnitude of every convolution's output, as models trained in float16 have it.
        has_noise: whether the layers add noise.
        joint_label: see ``Mapping``.
    """

    z_dim: int
    mapping_widths: tuple[int, ...]
    channels: tuple[int, ...]
    label_dim: int = 0
    label_width: int = 0
    image_channels: int = 3
    architecture: Architecture = "skip"
    taps: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)
    clamp: float | None = None
    has_noise: bool = True
    joint_label: bool = False

    def __post_init__(self) -> None:
        sizes = (self.z_dim, *self.mapping_widths, *self.channels, self.image_channels)
        if min(sizes) < 1 or not self.mapping_widths or not self.channels or len(self.taps) < 2:
            raise ValueError("a StyleGAN2 has sizes above 0, and a mapping layer, a block and two taps at least")
        if len(self.channels) > MAX_BLOCKS:
            raise ValueError(f"a StyleGAN2 of more than {4 << (MAX_BLOCKS - 1)} pixels is not read")
        if self.architecture not in ARCHITECTURES or (self.label_dim > 0) != (self.label_width > 0):
            raise ValueError(f"no StyleGAN2 has the architecture {self.architecture!r} or half a label")

    @property
    def w_dim(self) -> int:
        return self.mapping_widths[-1]

    @property
    def resolution(self) -> int:
        return 4 << (len(self.channels) - 1)


def _zeros(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(shape))


class StyledConv(nn.Module):
    """Modulated 3x3 convolution with noise, bias and leaky ReLU; doubles the size where it has taps."""

    def __init__(
        self,
        config: StyleGAN2Config,
        in_channels: int,
        out_channels: int,
        resolution: int,
        taps: tuple[float, ...] | None,
        gain: float,
    ) -> None:
        super().__init__()
        self.taps = taps
        self.activation = Activation(2**0.5 * gain, None if config.clamp is None else config.clamp * gain)
        self.style = Linear(config.w_dim, in_channels)
        self.weight = _zeros(out_channels, in_channels, 3, 3)
        self.bias = _zeros(out_channels)
        if config.has_noise:
            self.noise = nn.Parameter(torch.zeros(1, 1, resolution, resolution))
            self.noise_strength = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None, *, reference: bool) -> Tensor:
        convolve = modulated_convolution_reference if reference else modulated_convolution
        return convolve(x, self.weight, style, self.bias, noise, self.activation, self.taps)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution, without demodulation, to the picture, in float32."""

    def __init__(self, config: StyleGAN2Config, in_channels: int) -> None:
        super().__init__()
        self.clamp = config.clamp
        self.style = Linear(config.w_dim, in_channels)
        self.weight = _zeros(config.image_channels, in_channels)
        self.bias = _zeros(config.image_channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        weight = (self.weight * style.unsqueeze(1)).to(x.dtype)
        pixels = x.permute(0, 2, 3, 1).reshape(n, height * width, channels)
        out = torch.baddbmm(self.bias.to(x.dtype), pixels, weight.transpose(1, 2)).float()
        out = out.reshape(n, height, width, -1).permute(0, 3, 1, 2)
        return out if self.clamp is None else out.clamp(-self.clamp, self.clamp)


class Block(nn.Module):
    """All that works at one resolution. The first block starts from a learned constant and has one convolution."""

    def __init__(self, config: StyleGAN2Config, index: int) -> None:
        super().__init__()
        self.resolution = 4 << index
        self.taps = normalised(config.taps)
        channels = config.channels[index]
        residual = config.architecture == "resnet" and index > 0
        gain = 0.5**0.5 if residual else 1.0
        if index == 0:
            self.constant = _zeros(1, channels, 4, 4)
        else:
            before = config.channels[index - 1]
            self.up = StyledConv(config, before, channels, self.resolution, self.taps, 1.0)
        self.conv = StyledConv(config, channels, channels, self.resolution, None, gain)
        is_last = index == len(config.channels) - 1
        self.to_rgb = ToRGB(config, channels) if is_last or config.architecture == "skip" else None
        self.skip = _zeros(channels, config.channels[index - 1], 1, 1) if residual else None

    def named_convs(self) -> list[tuple[str, StyledConv]]:
        """The modulated convolutions, in order, by their attribute's name."""
        names = ("up", "conv") if hasattr(self, "up") else ("conv",)
        return [(name, getattr(self, name)) for name in names]

    def residual(self, x: Tensor, reference: bool) -> Tensor | None:
        """The skip connection's part of the output, for a residual block."""
        if self.skip is None:
            return None
        thin = F.conv2d(x, (0.5**0.5 * self.skip).to(x.dtype))
        return (upsample_reference if reference else upsample)(thin, self.taps)


class Synthesis(SynthesisNetwork):
    """ws to styles to the image.

    Rows of ws: one for each convolution, in order, and one for the last to-RGB. Any other to-RGB shares the row of
    the convolution that follows it.
    """

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.config = config
        self.resolution = config.resolution
        self.w_dim = config.w_dim
        self.image_channels = config.image_channels
        self.blocks = nn.ModuleList(Block(config, i) for i in range(len(config.channels)))
        self.layers = self._layers()
        self.num_ws = 1 + max(layer.ws_index for layer in self.layers)
        self.dtype = torch.float32

    def _blocks(self) -> list[Block]:
        return cast(list[Block], list(self.blocks))

    def _layers(self) -> tuple[Layer, ...]:
        layers: list[Layer] = []
        row = 0
        for block in self._blocks():
            side = block.resolution
            for name, conv in block.named_convs():
                layers.append(Layer(f"block{side}.{name}", side, row, conv.style.out_features))
                row += 1
            if block.to_rgb is not None:
                layers.append(Layer(f"block{side}.to_rgb", side, row, block.to_rgb.style.out_features))
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
        """What each block's last convolution makes; see ``FeatureMap``."""
        return [FeatureMap(block.resolution, block.resolution, block.conv) for block in self._blocks()]

    def set_precision(self, dtype: torch.dtype) -> None:
        """Choose the precision of feature maps; weights are kept in float32, and cast once styles are in them."""
        self.dtype = dtype

    def noise_constants(self) -> list[Tensor]:
        """The noise maps stored with the network, times their strength, ``[1, 1, H, W]`` each, coarsest first."""
        return [conv.noise * conv.noise_strength for conv in self._noisy()]

    def noise_strengths(self) -> list[Tensor]:
        """The standard deviation of each layer's random noise, ``[]`` each."""
        return [conv.noise_strength.abs() for conv in self._noisy()]

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
        style, noise_map = iter(styles), iter(noise if self.config.has_noise else ())
        x, image = self._start(styles[0].shape[0], reference), None
        for block in self._blocks():
            beside = block.residual(x, reference)
            for _, conv in block.named_convs():
                x = conv(x, next(style), next(noise_map, None), reference=reference)
            x = x if beside is None else x + beside
            if image is not None:
                image = (upsample_reference if reference else upsample)(image, block.taps)
            if block.to_rgb is None:
                continue
            factor = block.resolution // size if size and block.resolution == self.resolution else 1
            if factor == 1:
                picture = block.to_rgb(x, next(style))
            elif self.config.clamp is None:  # then to-RGB is pointwise and linear: average the few pixels first
                picture = block.to_rgb(F.avg_pool2d(x, factor), next(style))
            else:
                picture = F.avg_pool2d(block.to_rgb(x, next(style)), factor)
            if image is not None:
                picture = picture + (image if factor == 1 else F.avg_pool2d(image, factor))
            image = picture
        return cast(Tensor, image)

    def _start(self, n: int, reference: bool) -> Tensor:
        constant = cast(Tensor, self._blocks()[0].constant)
        # The reference is the plain layout and the plain operations, at the precision that was chosen.
        layout = torch.contiguous_format if reference else torch.channels_last
        return constant.to(self.dtype).expand(n, -1, -1, -1).contiguous(memory_format=layout)
