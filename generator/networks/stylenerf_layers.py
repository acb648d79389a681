"""StyleNeRF's layers: modulated ones without neighbours, the radiance fields made of them, and up-sampling.

Gu et al., "StyleNeRF: A Style-based 3D-Aware Generator for High-resolution Image Synthesis", 2022, section 3.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.networks.mapping import LARGEST_SIZE, LEAK, Linear, zeros
from stylegan_latents.generator.ops.fir import filter_reference, fir_filter, upsample, upsample_reference
from stylegan_latents.generator.ops.radiance_field import encode_positions
from stylegan_latents.generator.reading.headers import STRICT

Upsampling = Literal["neighbours", "shuffle"]
UPSAMPLINGS: tuple[Upsampling, ...] = ("neighbours", "shuffle")

RGB = 3
_MOST_DEPTH, _MOST_FREQUENCIES = 64, 32
_EPSILON = 1e-8


@dataclass(frozen=True)
class FieldSizes:
    """The sizes of a radiance field.

    Attributes:
        width, depth: of its hidden layers.
        frequencies: of the encoding of positions.
    """

    width: int
    depth: int
    frequencies: int = 10

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        if not 1 <= self.width <= LARGEST_SIZE or not 1 <= self.depth <= _MOST_DEPTH:
            raise ValueError(f"no StyleNeRF has a field of {self.depth} layers and {self.width} channels")
        if not 1 <= self.frequencies <= _MOST_FREQUENCIES:
            raise ValueError(f"no StyleNeRF encodes positions with {self.frequencies} frequencies")


@dataclass(frozen=True)
class Doubling:
    """How feature maps are up-sampled.

    Attributes:
        upsampling: what up-sampled features get added: a function of their four ``neighbours``, or of themselves,
            each giving four pixels (``shuffle``).
        taps: of the filter after up-sampling, with the sum 1.
        clamp: bound on the magnitude of feature maps and pictures; None for none.
    """

    upsampling: Upsampling
    taps: tuple[float, ...]
    clamp: float | None


def modulated(x: Tensor, weight: Tensor, style: Tensor, bias: Tensor, *, demodulate: bool = True) -> Tensor:
    """A fully connected layer whose weights' columns are scaled by a style, and their rows to unit length.

    Args:
        x: ``[N, P, I]``.
        weight: float32 ``[O, I]``.
        style: float32 ``[N, I]``.
        bias: ``[O]``.
        demodulate: whether rows are scaled.

    Returns:
        ``[N, P, O]`` in the precision of ``x``.
    """
    scaled = weight * style.unsqueeze(1)
    if demodulate:
        scaled = scaled * (scaled.square().sum(dim=2, keepdim=True) + _EPSILON).rsqrt()
    return torch.baddbmm(bias.to(x.dtype), x, scaled.to(x.dtype).transpose(1, 2))


def _activated(x: Tensor, clamp: float | None = None) -> Tensor:
    x = F.leaky_relu(x, LEAK) * 2**0.5
    return x if clamp is None else x.clamp(-clamp, clamp)


class Styled(nn.Module):
    """The weights of a layer that takes a style."""

    def __init__(self, w_dim: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.style = Linear(w_dim, inputs)
        self.weight, self.bias = zeros(outputs, inputs), zeros(outputs)


class Foreground(nn.Module):
    """Places, encoded, to densities and the last hidden layer."""

    def __init__(self, sizes: FieldSizes, w_dim: int, features: int) -> None:
        super().__init__()
        self.frequencies = sizes.frequencies
        widths = [6 * sizes.frequencies, *[sizes.width] * sizes.depth]
        self.hidden = nn.ModuleList(Styled(w_dim, a, b) for a, b in pairwise(widths))
        self.density = Styled(w_dim, sizes.width, 1)
        self.features = Styled(w_dim, sizes.width, features)
        self.rgb = Linear(features, RGB)

    def layers(self) -> list[Styled]:
        """In the order of the rows of ws."""
        return [*cast(list[Styled], list(self.hidden)), self.density, self.features]

    def look(self, points: Tensor, styles: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        x = encode_positions(points, self.frequencies)
        for layer, style in zip(self.layers()[:-2], styles, strict=False):
            x = _activated(modulated(x, layer.weight, style, layer.bias))
        one = self.density
        return modulated(x, one.weight, styles[-2], one.bias, demodulate=False).squeeze(2), x

    def project(self, x: Tensor, style: Tensor, total: Tensor | float = 1.0) -> Tensor:
        """The last hidden layer to rgb and features, ``[N, P, 3 + K]``.

        Args:
            x: of samples, or their weighted sums along rays, ``[N, P, width]``.
            style: of the layer of features.
            total: of the weights, ``[N, P, 1]``.
        """
        offset = torch.zeros_like(self.features.bias)
        x = modulated(x, self.features.weight, style, offset, demodulate=False) + total * self.features.bias
        return torch.cat([F.linear(x, self.rgb.weight) + total * self.rgb.bias, x], dim=2)


class Background(nn.Module):
    """Places on the inverted sphere, encoded, and random numbers to densities and the last hidden layer."""

    def __init__(self, sizes: FieldSizes, code_dim: int, features: int) -> None:
        super().__init__()
        self.frequencies = sizes.frequencies
        widths = [8 * sizes.frequencies + code_dim, *[sizes.width] * sizes.depth]
        self.hidden = nn.ModuleList(Linear(a, b) for a, b in pairwise(widths))
        self.density = Linear(sizes.width, 1)
        self.features = Linear(sizes.width, features)
        self.rgb = Linear(features, RGB)

    def look(self, points: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        x = encode_positions(points, self.frequencies)
        x = torch.cat([x, code.unsqueeze(1).expand(len(x), x.shape[1], -1)], dim=2)
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.density(x).squeeze(2), x

    def project(self, x: Tensor, total: Tensor | float = 1.0) -> Tensor:
        """As the foreground's."""
        x = F.linear(x, self.features.weight) + total * self.features.bias
        return torch.cat([F.linear(x, self.rgb.weight) + total * self.rgb.bias, x], dim=2)


class Convolution(Styled):
    """A modulated 1x1 convolution; doubles the side if it has a way of up-sampling.

    Args:
        w_dim: length of a row of ws.
        inputs, outputs: channels.
        sizes: see ``Doubling``.
        doubles: whether it doubles the side.
    """

    magnitude: Tensor

    def __init__(self, w_dim: int, inputs: int, outputs: int, sizes: Doubling, *, doubles: bool) -> None:
        super().__init__(w_dim, inputs, outputs)
        self.clamp, self.taps = sizes.clamp, sizes.taps
        self.upsampling = sizes.upsampling if doubles else None
        # Of the features in training, which scales them here.
        self.register_buffer("magnitude", torch.ones(()))
        if doubles:
            shuffles = sizes.upsampling == "shuffle"
            self.inner = Linear(outputs if shuffles else 2 * outputs, outputs // 4)
            self.outer = Linear(outputs // 4, 4 * outputs if shuffles else outputs)

    def forward(self, x: Tensor, style: Tensor, *, reference: bool) -> Tensor:
        if self.upsampling is None:
            return _activated(self._convolved(x, style, self.bias), self.clamp)
        x = self._convolved(x, style, torch.zeros_like(self.bias))
        nearest = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        if self.upsampling == "shuffle":
            x = nearest + F.pixel_shuffle(self._adapted(x), 2)
        else:
            x = nearest + self._adapted(torch.cat([nearest, _neighbours(x)], dim=1))
        filtered = filter_reference if reference else fir_filter
        x = filtered(x, self.taps, len(self.taps) // 2, (len(self.taps) - 1) // 2)
        return _activated(x + self.bias[:, None, None].to(x.dtype), self.clamp)

    def _convolved(self, x: Tensor, style: Tensor, bias: Tensor) -> Tensor:
        x = x * self.magnitude.rsqrt().to(x.dtype)
        return _on_pixels(x, lambda rows: modulated(rows, self.weight, style, bias))

    def _adapted(self, x: Tensor) -> Tensor:
        dtype = x.dtype
        inner = F.conv2d(x, self.inner.weight[:, :, None, None].to(dtype), self.inner.bias.to(dtype))
        return F.conv2d(_activated(inner), self.outer.weight[:, :, None, None].to(dtype), self.outer.bias.to(dtype))


def _on_pixels(x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    n, channels, height, width = x.shape
    out = function(x.permute(0, 2, 3, 1).reshape(n, height * width, channels))
    return out.reshape(n, height, width, -1).permute(0, 3, 1, 2)


def _neighbours(x: Tensor) -> Tensor:
    """``[N, C, H, W]`` doubled: each pixel is the mean of the two neighbours on its side, 0 beyond the border."""
    n, channels, height, width = x.shape
    wide = F.pad(x, (1, 1, 1, 1))
    left, right = wide[:, :, 1:-1, :-2], wide[:, :, 1:-1, 2:]
    above, below = wide[:, :, :-2, 1:-1], wide[:, :, 2:, 1:-1]
    quarters = torch.stack([left + above, above + right, left + below, right + below], dim=2)
    return F.pixel_shuffle(0.5 * quarters.reshape(n, 4 * channels, height, width), 2)


class Block(nn.Module):
    """Two convolutions, the first of which doubles the side, and an image that is added."""

    def __init__(self, w_dim: int, before: int, channels: int, sizes: Doubling) -> None:
        super().__init__()
        self.clamp, self.taps = sizes.clamp, sizes.taps
        self.up = Convolution(w_dim, before, channels, sizes, doubles=True)
        self.conv = Convolution(w_dim, channels, channels, sizes, doubles=False)
        self.to_rgb = Styled(w_dim, channels, RGB)

    def layers(self) -> list[Styled]:
        return [self.up, self.conv, self.to_rgb]

    def forward(
        self, x: Tensor, image: Tensor, styles: Sequence[Tensor], *, reference: bool
    ) -> tuple[Tensor, Tensor]:
        x = self.conv(self.up(x, styles[0], reference=reference), styles[1], reference=reference)
        rgb = self.to_rgb
        own = _on_pixels(x, lambda rows: modulated(rows, rgb.weight, styles[2], rgb.bias, demodulate=False)).float()
        own = own if self.clamp is None else own.clamp(-self.clamp, self.clamp)
        return x, (upsample_reference if reference else upsample)(image, self.taps) + own
