"""StyleGAN2's discriminator, which StyleGAN2-ADA and StyleGAN3 share, and StyleGAN's, which differs in one step.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, section 4.1; with the label projection
of "Training Generative Adversarial Networks with Limited Data", 2020. The equalised learning rate of training (a
constant factor on each weight) is folded into the weights.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.networks.mapping import LARGEST_SIZE, LEAK, Linear, check_taps, unit, zeros
from stylegan_latents.generator.networks.stylegan2 import ARCHITECTURES, MAX_BLOCKS, Architecture
from stylegan_latents.generator.ops.fir import downsample, fir_filter, normalised


@dataclass(frozen=True)
class StyleGAN2DiscriminatorConfig:
    """The sizes of a discriminator.

    Attributes:
        channels: of the feature maps, coarsest first. Block ``i`` takes them at ``4 * 2**i`` pixels.
        hidden: width of the fully connected layer before the scores.
        image_channels: 3 for colour.
        label_dim: number of classes; 0 for a model without.
        label_widths: outputs of the layers that map the label, the embedding first. Empty with classes: the label
            selects one of the scores.
        architecture: ``resnet`` has residual blocks, ``skip`` adds the image to every block, ``orig`` neither.
        taps: of the filter that halves the resolution, at any scale; empty for none.
        averages: whether the resolution is halved as in StyleGAN (filter, convolve, average 2x2 pixels) or as in
            StyleGAN2 (filter, then convolve with stride 2).
        clamp: bound on the magnitude of every convolution's output, in models trained in float16.
        clamps_coarsest: whether that includes the image added at 4 pixels.
        group: images in a group for the minibatch standard deviation; None for the whole batch.
        deviations: feature maps of that standard deviation.
    """

    channels: tuple[int, ...]
    hidden: int
    image_channels: int = 3
    label_dim: int = 0
    label_widths: tuple[int, ...] = ()
    architecture: Architecture = "resnet"
    taps: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)
    averages: bool = False
    clamp: float | None = None
    clamps_coarsest: bool = False
    group: int | None = 4
    deviations: int = 1

    def __post_init__(self) -> None:
        if not self.channels or min(*self.channels, self.hidden, self.image_channels) < 1:
            raise ValueError("a discriminator has sizes above 0, and a block at least")
        check_taps(self.taps, least=0 if self.averages else 2)
        if not 0 <= self.deviations <= self.channels[0] or not 0 <= self.label_dim <= LARGEST_SIZE:
            raise ValueError(
                "a discriminator has no more deviations than channels, and no negative number of classes"
            )
        if len(self.channels) > MAX_BLOCKS or self.architecture not in ARCHITECTURES:
            raise ValueError(f"no discriminator of {4 << (len(self.channels) - 1)} pixels is read")
        if self.deviations and (self.channels[0] % self.deviations or (self.group is not None and self.group < 1)):
            raise ValueError(
                "the deviation's maps have to share the channels, and its groups have an image at least"
            )

    @property
    def resolution(self) -> int:
        return 4 << (len(self.channels) - 1)

    @property
    def scores(self) -> int:
        """Length of the last layer's output, before the label selects from it or weights it."""
        return self.label_widths[-1] if self.label_widths else max(self.label_dim, 1)


class ActivatedConv(nn.Module):
    """Convolution, bias, leaky ReLU, clamp."""

    def __init__(self, in_channels: int, channels: int, side: int, gain: float = 1.0) -> None:
        super().__init__()
        self.gain = gain
        self.weight = zeros(channels, in_channels, side, side)
        self.bias = zeros(channels)

    def forward(self, x: Tensor, clamp: float | None) -> Tensor:
        return self.activated(F.conv2d(x, self.weight, self.bias, padding=self.weight.shape[-1] // 2), clamp)

    def halved(self, x: Tensor, clamp: float | None, taps: Sequence[float], averages: bool) -> Tensor:
        """The layer at half the resolution; see ``StyleGAN2DiscriminatorConfig``."""
        if not averages:
            x = fir_filter(x, taps, (len(taps) + 1) // 2, len(taps) // 2)
            return self.activated(F.conv2d(x, self.weight, self.bias, stride=2), clamp)
        x = fir_filter(x, taps, (len(taps) - 1) // 2, len(taps) // 2) if taps else x
        return self.activated(F.avg_pool2d(F.conv2d(x, self.weight, self.bias, padding=1), 2), clamp)

    def activated(self, x: Tensor, clamp: float | None) -> Tensor:
        x = F.leaky_relu(x, LEAK) * (2**0.5 * self.gain)
        return x if clamp is None else x.clamp(-clamp * self.gain, clamp * self.gain)


class Block(nn.Module):
    """Two convolutions; the second halves the size. The first block, and each of ``skip``, takes the image."""

    def __init__(self, config: StyleGAN2DiscriminatorConfig, index: int) -> None:
        super().__init__()
        channels, after = config.channels[index], config.channels[index - 1]
        residual = config.architecture == "resnet"
        takes_picture = index == len(config.channels) - 1 or config.architecture == "skip"
        self.from_rgb = ActivatedConv(config.image_channels, channels, 1) if takes_picture else None
        self.conv = ActivatedConv(channels, channels, 3)
        self.down = ActivatedConv(channels, after, 3, 0.5**0.5 if residual else 1.0)
        self.skip = zeros(after, channels, 1, 1) if residual else None

    def forward(self, x: Tensor, clamp: float | None, taps: Sequence[float], averages: bool) -> Tensor:
        out = self.down.halved(self.conv(x, clamp), clamp, taps, averages)
        if self.skip is None:
            return out
        return out + F.conv2d(downsample(x, taps), 0.5**0.5 * self.skip)


def group_deviation(x: Tensor, group: int | None, maps: int) -> Tensor:
    """Append the minibatch standard deviation of ``[N, C, H, W]`` as feature maps.

    Karras et al., "Progressive Growing of GANs for Improved Quality, Stability, and Variation", 2018, section 3.
    Image ``i`` is in a group with the images ``i + k * (N / group)``; N above ``group`` has to be a multiple of it.

    Args:
        x: ``[N, C, H, W]``.
        group: images in a group; None for all.
        maps: number of feature maps to append, each for its share of the channels.
    """
    n, channels, height, width = x.shape
    size = n if group is None else min(group, n)
    if n % size:
        raise ValueError(f"this discriminator takes images in groups of {size}: {n} is not a multiple of it")
    groups = x.reshape(size, n // size, maps, channels // maps, height, width)
    variance = (groups - groups.mean(dim=0)).square().mean(dim=0)
    deviation = (variance + 1e-8).sqrt().mean(dim=(2, 3, 4))
    return torch.cat([x, deviation[:, :, None, None].repeat(size, 1, height, width)], dim=1)


class Discriminator(nn.Module):
    """Images, and labels where there are classes, to scores: the higher, the more real an image looks.

    Attributes:
        name: of the model, in messages.
        resolution: side of the images in pixels.
        image_channels: 3 for colour.
        label_dim: number of classes; 0 for a model without.
    """

    def __init__(self, config: StyleGAN2DiscriminatorConfig, name: str = "discriminator") -> None:
        super().__init__()
        self.config = config
        self.name = name
        self.resolution = config.resolution
        self.image_channels = config.image_channels
        self.label_dim = config.label_dim
        self._taps = normalised(config.taps) if config.taps else ()
        widths = (config.label_dim, *config.label_widths)
        self.label_layers = nn.ModuleList(Linear(a, b) for a, b in pairwise(widths))
        self.blocks = nn.ModuleList(Block(config, i) for i in range(1, len(config.channels)))
        coarsest = config.channels[0]
        is_first = len(config.channels) == 1 or config.architecture == "skip"
        self.from_rgb = ActivatedConv(config.image_channels, coarsest, 1) if is_first else None
        self.conv = ActivatedConv(coarsest + config.deviations, coarsest, 3)
        self.hidden = Linear(16 * coarsest, config.hidden)
        self.out = Linear(config.hidden, config.scores)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        """Scores ``[N, 1]`` of images ``[N, image_channels, resolution, resolution]``, -1 black to 1 white.

        Args:
            images: N above the group size of the training has to be a multiple of it. Scores depend on the other
                images of a group.
            label: ``[N, label_dim]`` one-hot, for a model with classes.

        Raises:
            ValueError: a shape does not fit this model.
        """
        wanted = (self.image_channels, self.resolution, self.resolution)
        if images.ndim != 4 or images.shape[1:] != wanted:
            raise ValueError(
                f"images needs the shape [N, {', '.join(map(str, wanted))}], got {tuple(images.shape)}"
            )
        if self.label_dim and (label is None or label.shape != (len(images), self.label_dim)):
            raise ValueError(f"this model has classes: label needs the shape [{len(images)}, {self.label_dim}]")
        clamp, picture = self.config.clamp, images.contiguous(memory_format=torch.channels_last)
        x: Tensor | None = None
        for block in reversed(cast(list[Block], list(self.blocks))):
            if block.from_rgb is not None:
                features = block.from_rgb(picture, clamp)
                x = features if x is None else x + features
            x = block(cast(Tensor, x), clamp, self._taps, self.config.averages)
            if self.config.architecture == "skip":
                picture = downsample(picture, self._taps)
        if self.from_rgb is not None:
            features = self.from_rgb(picture, clamp if self.config.clamps_coarsest else None)
            x = features if x is None else x + features
        if self.config.deviations:
            x = group_deviation(cast(Tensor, x), self.config.group, self.config.deviations)
        x = self.conv(x, clamp)
        x = F.leaky_relu(self.hidden(x.flatten(1)), LEAK) * 2**0.5
        scores: Tensor = self.out(x)
        return scores if label is None or not self.label_dim else self._weighted(scores, label.to(scores.dtype))

    def _weighted(self, scores: Tensor, label: Tensor) -> Tensor:
        if not self.label_layers:
            return (scores * label).sum(dim=1, keepdim=True)
        embed, *rest = cast(list[Linear], list(self.label_layers))
        y: Tensor = unit(embed(label))
        for layer in rest:
            y = F.leaky_relu(layer(y), LEAK) * 2**0.5
        return (scores * y).sum(dim=1, keepdim=True) / math.sqrt(scores.shape[1])
