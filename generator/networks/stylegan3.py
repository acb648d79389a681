"""The synthesis network of StyleGAN3-T and StyleGAN3-R. Their mapping network is StyleGAN2's.

Karras et al., "Alias-Free Generative Adversarial Networks", 2021. The equalised learning rate of training (a
constant factor on each weight) is folded into the weights of the fully connected layers, to-RGB and the input.
"""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.layers import Layer
from stylegan_latents.generator.networks.alias_free import StyleGAN3Config
from stylegan_latents.generator.networks.mapping import Linear, Mapping
from stylegan_latents.generator.networks.synthesis import FeatureMap, NoiseMaps, SynthesisNetwork
from stylegan_latents.generator.ops.filtered_leaky_relu import (
    Nonlinearity,
    filtered_leaky_relu,
    filtered_leaky_relu_reference,
)

__all__ = ["Mapping", "StyleGAN3Config", "Synthesis"]
_EPSILON = 1e-8


class FourierInput(nn.Module):
    """Waves of fixed frequencies, rotated and shifted by four numbers from w, then mixed."""

    def __init__(self, channels: int, w_dim: int, *, size: int, rate: int, bandwidth: float) -> None:
        super().__init__()
        self.size, self.rate, self.bandwidth = size, rate, bandwidth
        self.style = Linear(w_dim, 4)
        self.weight = nn.Parameter(torch.zeros(channels, channels))
        self.frequencies: Tensor
        self.phases: Tensor
        self.transform: Tensor
        self.register_buffer("frequencies", torch.zeros(channels, 2))
        self.register_buffer("phases", torch.zeros(channels))
        # From image to wave coordinates; the identity unless the model was saved with its image moved.
        self.register_buffer("transform", torch.eye(3))

    def forward(self, style: Tensor) -> Tensor:
        """``[N, 4]``, as ``move`` describes it, to waves ``[N, C, S, S]``."""
        rotation, shift = _normalised(style)
        # A pixel's source: its position moved back, first by the model's transform, then by that of w.
        inverse = torch.stack([rotation, torch.stack([-rotation[:, 1], rotation[:, 0]], dim=1)], dim=2)
        linear = inverse @ self.transform[:2, :2]
        offset = (inverse @ (self.transform[:2, 2] - shift).unsqueeze(2)).squeeze(2)
        phases = self.phases + offset @ self.frequencies.T
        frequencies = self.frequencies @ linear
        # A transform that shrinks the image can raise frequencies above what the sampling can represent.
        excess = (frequencies.norm(dim=2) - self.bandwidth) / (self.rate / 2 - self.bandwidth)
        amplitudes = (1 - excess).clamp(0, 1)
        at = (torch.arange(self.size, device=style.device) + (0.5 - self.size / 2)) / self.rate
        # [N, row, column, channel]: x is the first coordinate, y, downwards, the second.
        angles = at[:, None] * frequencies[:, None, None, :, 0] + (
            at[:, None, None] * frequencies[:, None, None, :, 1] + phases[:, None, None]
        )
        waves = torch.sin(2 * math.pi * angles) * amplitudes[:, None, None]
        mixed: Tensor = waves @ self.weight.T
        return mixed.permute(0, 3, 1, 2)


def _normalised(style: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the rotation, and the shift, ``[N, 2]`` each."""
    style = style / style[:, :2].norm(dim=1, keepdim=True)
    return style[:, :2], style[:, 2:]


def move(style: Tensor, translate: Tensor, rotate: Tensor) -> Tensor:
    """The input's style ``[N, 4]`` for the same image, rotated about its centre and then translated.

    Args:
        style: ``[N, 4]``: cosine and sine of the image's rotation, at any scale, and its shift, at the same scale.
        translate: ``[1 or N, 2]``, to the right and down, in sides of the image.
        rotate: ``[1 or N]``, counter-clockwise, in degrees.
    """
    rotation, shift = _normalised(style)
    radians = torch.deg2rad(rotate)
    cosine, sine = radians.cos(), radians.sin()
    parts = [
        rotation[:, 0] * cosine - rotation[:, 1] * sine,
        rotation[:, 0] * sine + rotation[:, 1] * cosine,
        shift[:, 0] * cosine + shift[:, 1] * sine + translate[:, 0],
        shift[:, 1] * cosine - shift[:, 0] * sine + translate[:, 1],
    ]
    return torch.stack(parts, dim=1)


class AliasFreeLayer(nn.Module):
    """Modulated convolution and a leaky ReLU between two filters; to-RGB has neither filters nor leaky ReLU."""

    def __init__(self, config: StyleGAN3Config, index: int) -> None:
        super().__init__()
        self.to_rgb = index == config.depth
        kernel = 1 if self.to_rgb else config.kernel
        before = config.channels[max(index - 1, 0)]
        self.resampling = config.resampling(index)
        self.nonlinearity = Nonlinearity(1, 1, config.clamp) if self.to_rgb else Nonlinearity(clamp=config.clamp)
        self.style = Linear(config.w_dim, before)
        self.weight = nn.Parameter(torch.zeros(config.channels[index], before, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(config.channels[index]))
        # The mean square of the input feature map, tracked during training.
        self.magnitude: Tensor
        self.register_buffer("magnitude", torch.ones(()))

    def factors(self, style: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The weight ``[O, I, K, K]``, and its factors for inputs ``[N, I]`` and outputs ``[N, O]``."""
        gain = self.magnitude.rsqrt()
        if self.to_rgb:
            return self.weight, style, gain.expand(style.shape[0], len(self.weight))
        weight = self.weight * self.weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
        style = style * style.square().mean(dim=1, keepdim=True).rsqrt()
        power = weight.square().sum(dim=(2, 3))
        demodulation = (style.square() @ power.T + _EPSILON).rsqrt() * gain
        return weight, style, demodulation

    def forward(self, x: Tensor, style: Tensor, *, reference: bool) -> Tensor:
        weight, inputs, outputs = self.factors(style)
        bias, padding = self.bias.to(x.dtype), self.weight.shape[-1] - 1
        needs_gradient = torch.is_grad_enabled() and style.requires_grad and not weight.requires_grad
        if torch.compiler.is_compiling() or (needs_gradient and not reference):
            # Factors on the maps cost two more passes, but avoid the weight's gradient, a convolution; an exported
            # graph with them takes any number of images.
            x = x * inputs[:, :, None, None].to(x.dtype)
            out = F.conv2d(x, weight.to(x.dtype, memory_format=torch.channels_last), padding=padding)
            out = torch.addcmul(bias[:, None, None], out, outputs[:, :, None, None].to(x.dtype))
            filtered = filtered_leaky_relu_reference if reference else filtered_leaky_relu
            return filtered(out, self.resampling, self.nonlinearity)
        kernels = (weight * inputs[:, None, :, None, None] * outputs[:, :, None, None, None]).to(x.dtype)
        if reference:
            n, out_channels = kernels.shape[:2]
            out = F.conv2d(x.flatten(0, 1)[None], kernels.flatten(0, 1), padding=padding, groups=n)
            out = out.reshape(n, out_channels, *out.shape[2:]) + bias[:, None, None]
            return filtered_leaky_relu_reference(out, self.resampling, self.nonlinearity)
        parts = [
            F.conv2d(x[i : i + 1], kernel.contiguous(memory_format=torch.channels_last), bias, padding=padding)
            for i, kernel in enumerate(kernels)
        ]
        out = parts[0] if len(parts) == 1 else torch.cat(parts)
        return filtered_leaky_relu(out, self.resampling, self.nonlinearity)


class Synthesis(SynthesisNetwork):
    """ws to styles to the image.

    Rows of ws: one for the input, then one for each layer. The first style holds no channel factors but the image's
    position; see ``move``.
    """

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        self.config = config
        self.resolution = config.resolution
        self.w_dim = config.w_dim
        self.image_channels = config.channels[-1]
        self.input = FourierInput(
            config.channels[0],
            config.w_dim,
            size=config.sizes[0],
            rate=config.rates[0],
            bandwidth=config.cutoffs[0],
        )
        self.convs = nn.ModuleList(AliasFreeLayer(config, i) for i in range(config.depth + 1))
        self.layers = self._layers()
        self.num_ws = len(self.layers)

    def _convs(self) -> list[AliasFreeLayer]:
        return cast(list[AliasFreeLayer], list(self.convs))

    def _layers(self) -> tuple[Layer, ...]:
        config = self.config
        layers = [Layer("input", config.rates[0], 0, 4, config.cutoffs[0])]
        for i, conv in enumerate(self._convs()):
            name = "to_rgb" if conv.to_rgb else f"layer{i}"
            layers.append(Layer(name, config.rates[i], i + 1, conv.style.out_features, config.cutoffs[i]))
        return tuple(layers)

    def feature_maps(self) -> list[FeatureMap]:
        layers = zip(self.config.rates, self.config.sizes, self._convs(), strict=True)
        last = {rate: FeatureMap(rate, size, conv) for rate, size, conv in layers if not conv.to_rgb}
        return [last[rate] for rate in sorted(last)]

    def styles(self, ws: Tensor) -> list[Tensor]:
        affines = [self.input.style, *(conv.style for conv in self._convs())]
        return [affine(ws[:, i]) for i, affine in enumerate(affines)]

    def move(self, styles: Sequence[Tensor], translate: Tensor, rotate: Tensor) -> list[Tensor]:
        return [move(styles[0], translate, rotate), *styles[1:]]

    def forward(
        self, styles: Sequence[Tensor], noise: NoiseMaps, *, size: int | None = None, reference: bool = False
    ) -> Tensor:
        if len(noise):
            raise ValueError("a StyleGAN3 has no noise")
        layout = torch.contiguous_format if reference else torch.channels_last
        x = self.input(styles[0]).to(self.dtype).contiguous(memory_format=layout)
        for conv, style in zip(self._convs(), styles[1:], strict=True):
            x = conv(x, style, reference=reference)
        image = x.float() * self.config.output_scale
        return image if size is None or size == self.resolution else F.avg_pool2d(image, self.resolution // size)
