"""The networks of Pose With Style: one draws a person in another pose, one completes where its body is.

AlBahar et al., "Pose with Style: Detail-Preserving Pose-Guided Image Synthesis with Conditional StyleGAN", 2021.
The equalised learning rate of training, and the second network's batch normalisation, are folded into the weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.networks.mapping import LEAK, zeros
from stylegan_latents.generator.networks.stylegan2_discriminator import Block, StyleGAN2DiscriminatorConfig
from stylegan_latents.generator.ops.fir import fir_filter, normalised, upsample

TAPS = normalised((1, 3, 3, 1))
COARSEST = 16
"""Side in pixels of the coarsest feature maps."""

GATED: tuple[tuple[int, int, int], ...] = (
    (5, 1, 1), (3, 2, 1), (3, 1, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1), (3, 1, 2), (3, 1, 4), (3, 1, 8), (3, 1, 8),
    (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 1, 1),
)  # fmt: skip
"""Side, stride and dilation of each layer of the completion but the last."""

DOUBLING = (12, 13)
"""Those of them before which the size is doubled."""


@dataclass(frozen=True, eq=False)
class Pose:
    """Where a person is to be drawn.

    Attributes:
        iuv: ``[N, 3, S, S]``: body part (0 outside, or 1 to 24), u and v, 0 to 255.
        uv: ``[N, 2, S, S]``: the place in the texture of all parts, x and y in [-1, 1]; 0 outside.
    """

    iuv: Tensor
    uv: Tensor

    @property
    def mask(self) -> Tensor:
        """``[N, 1, S, S]``: 1 on the person."""
        return (self.iuv[:, :1] != 0).to(self.iuv)


@dataclass(frozen=True, eq=False)
class Appearance:
    """How a person looks.

    Attributes:
        picture: ``[N, 3, S, S]`` in [-1, 1].
        silhouette: ``[N, 1, S, S]``: 1 on the person and the clothes.
        coordinates: ``[N, 2, S, S]``: for each place of the texture its x and y in the picture, in [-1, 1].
    """

    picture: Tensor
    silhouette: Tensor
    coordinates: Tensor


class Conv(nn.Conv2d):
    """A convolution that starts at zero: random values that a file replaces would take time."""

    def reset_parameters(self) -> None:
        for value in self.parameters():
            nn.init.zeros_(value)


class Encoder(nn.Module):
    """A picture to feature maps, finest first; each has half the side of the one before.

    Args:
        channels: of the maps, coarsest first.
        image_channels: of the picture.
    """

    def __init__(self, channels: Sequence[int], image_channels: int) -> None:
        super().__init__()
        config = StyleGAN2DiscriminatorConfig(tuple(channels), 1, image_channels, deviations=0)
        self.blocks = nn.ModuleList(Block(config, i) for i in reversed(range(1, len(channels))))

    def forward(self, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = [self.blocks[0].from_rgb(x, None)]  # type: ignore[operator]
        for block in self.blocks:
            maps.append(block(maps[-1], None, TAPS, averages=False))
        return maps


class SpatialConvolution(nn.Module):
    """A convolution whose input is scaled and shifted at every pixel, and whose output is normalised.

    Args:
        in_channels, channels: of input and output.
        side: of the kernel.
        hidden: channels of the layers between style, scale and shift.
        doubles: whether the output has twice the side.
        activates: whether noise and a leaky ReLU follow.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        side: int,
        hidden: int,
        *,
        doubles: bool = False,
        activates: bool = True,
    ) -> None:
        super().__init__()
        self.doubles = doubles
        self.weight = zeros(channels, in_channels, side, side)
        self.bias = zeros(channels)
        self.noise_strength = zeros(1) if activates else None
        self.gamma, self.beta = (
            nn.Sequential(Conv(in_channels, hidden, 1), nn.ReLU(), Conv(hidden, in_channels, 1)) for _ in range(2)
        )

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        """The layer of ``[N, I, H, W]``, with a style of its size, and noise of its output's size."""
        x = self.gamma(style) * x + self.beta(style)
        if self.doubles:
            x = F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2)
            x = 4 * fir_filter(x, TAPS, 1, 1)
        else:
            x = F.conv2d(x, self.weight, padding=self.weight.shape[-1] // 2)
        variance, mean = torch.var_mean(x, dim=(2, 3), keepdim=True)
        x = (x - mean) * (variance + 1e-5).rsqrt() + self.bias[:, None, None]
        if self.noise_strength is None:
            return x
        if noise is not None:
            x = x + self.noise_strength * noise
        return F.leaky_relu(x, LEAK) * 2**0.5


@dataclass(frozen=True)
class PoseWithStyleConfig:
    """The sizes of a ``PoseWithStyle``.

    Attributes:
        encoders: channels of the two encoders' maps, coarsest first, the coarsest of ``COARSEST`` pixels.
        decoder: of the decoder's, likewise; the coarsest are as many as the encoders'.
        hidden: between styles, and scales and shifts.
    """

    encoders: tuple[int, ...]
    decoder: tuple[int, ...]
    hidden: int


class PoseWithStyle(nn.Module):
    """Draws a person in a pose: the pose's features, modulated at every pixel by the person's, moved there.

    Attributes:
        resolution: side of the picture in pixels.
    """

    def __init__(self, config: PoseWithStyleConfig) -> None:
        super().__init__()
        self.config = config
        levels, hidden, merged = len(config.encoders), config.hidden, config.decoder[0]
        self.resolution = COARSEST << (levels - 1)
        self.appearance = Encoder(config.encoders, 4)
        self.pose = Encoder(config.encoders, 3)
        self.lateral = nn.ModuleList(Conv(width + 1, merged, 1) for width in config.encoders)
        # The style of a level scales the input of the next, and the level's own layers.
        self.smooth = nn.ModuleList(Conv(merged, width, 3, padding=1) for width in config.decoder[1:])
        self.first = SpatialConvolution(config.encoders[0], config.decoder[0], 3, hidden)
        self.up = nn.ModuleList(
            SpatialConvolution(a, b, 3, hidden, doubles=True) for a, b in pairwise(config.decoder)
        )
        self.conv = nn.ModuleList(SpatialConvolution(width, width, 3, hidden) for width in config.decoder[1:])
        self.to_rgb = nn.ModuleList(
            SpatialConvolution(width, 3, 1, hidden, activates=False) for width in config.decoder
        )

    def noise(self, seed: int) -> list[Tensor]:
        """The noise of a seed, the same on every device: ``[1, 1, H, W]`` for each layer, coarsest first."""
        source = torch.Generator().manual_seed(seed)
        sides = [COARSEST << octave for octave in range(len(self.config.decoder)) for _ in range(2)][1:]
        like = self.first.weight
        return [torch.randn(1, 1, side, side, generator=source).to(like) for side in sides]

    def forward(
        self,
        pose: Pose,
        person: Appearance,
        noise: Sequence[Tensor],
        *,
        other: Appearance | None = None,
        part: Tensor | None = None,
    ) -> Tensor:
        """Draw a person in a pose, in another person's clothes if wanted.

        Args:
            pose: where the person is to be.
            person: how the person looks.
            noise: as of ``noise``.
            other: who wears the clothes.
            part: ``[N, 1, S, S]``: 1 where the drawn person has those.

        Returns:
            ``[N, 3, S, S]``, mostly in [-1, 1].
        """
        maps = self._moved(person, pose)
        if other is not None and part is not None:
            shares = [_resized(part, like) for like in maps]
            theirs = self._moved(other, pose)
            maps = [share * b + (1 - share) * a for a, b, share in zip(maps, theirs, shares, strict=True)]
        styles, mask = [], pose.mask
        x = torch.zeros((), device=mask.device)
        for level, features in enumerate(reversed(maps)):
            x = F.interpolate(x, scale_factor=2) if level else x
            x = x + self.lateral[level](torch.cat([features, _resized(mask, features)], dim=1))
            styles.append(self.smooth[level - 1](x) if level else x)
        x = self.first(self.pose(pose.iuv)[-1], styles[0], noise[0])
        image: Tensor = self.to_rgb[0](x, styles[0])
        for level, (up, conv, to_rgb) in enumerate(zip(self.up, self.conv, self.to_rgb[1:], strict=True)):
            x = up(x, styles[level], noise[2 * level + 1])
            x = conv(x, styles[level + 1], noise[2 * level + 2])
            image = upsample(image, TAPS) + to_rgb(x, styles[level + 1])
        return image

    def _moved(self, person: Appearance, pose: Pose) -> list[Tensor]:
        """A person's feature maps where the pose has them, 0 elsewhere."""
        maps = self.appearance(torch.cat([person.picture, person.silhouette], dim=1))
        places = _sampled(person.coordinates, pose.uv)
        return [_sampled(x, _resized(places, x)) * _resized(pose.mask, x) for x in maps]


class CoordinateCompletion(nn.Module):
    """Completes where in the picture each place of the texture is, from those that the picture shows.

    Args:
        widths: channels of each layer but the last.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            Conv(a, 2 * b, side, stride, dilation=dilation)
            for (a, b), (side, stride, dilation) in zip(pairwise((3, *widths)), GATED, strict=True)
        )
        self.last = Conv(widths[-1], 2, 3, padding=1)

    def forward(self, coordinates: Tensor, mask: Tensor) -> Tensor:
        """All coordinates, in [-1, 1].

        Args:
            coordinates: ``[N, 2, S, S]``, S a multiple of 4: x and y in [-1, 1], or -10 where they are not known.
            mask: ``[N, 1, S, S]``: 1 where they are.
        """
        x = torch.cat([coordinates, mask], dim=1)
        for place, (layer, (side, _, dilation)) in enumerate(zip(self.layers, GATED, strict=True)):
            if place in DOUBLING:
                x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            value, gate = layer(F.pad(x, (side // 2 * dilation,) * 4, mode="reflect")).chunk(2, dim=1)
            x = F.elu(value) * gate.sigmoid()
        return torch.tanh(self.last(x))


def _resized(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=True)


def _sampled(x: Tensor, places: Tensor) -> Tensor:
    """``x`` at places ``[N, 2, H, W]``, x and y in [-1, 1]."""
    return F.grid_sample(x, places.permute(0, 2, 3, 1), align_corners=False)
