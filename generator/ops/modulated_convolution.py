"""StyleGAN2's one layer: modulated convolution, demodulation, up-sampling, noise, bias, leaky ReLU, clamp.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, section 2.2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from generator.ops.fir import filter_reference, fir_kernel

LEAK = 0.2
_EPSILON = 1e-8

# From so many pixels for each channel on, doubling in one step pays: its kernel is small beside the feature map.
PIXELS_FOR_EACH_CHANNEL = 32


@dataclass(frozen=True)
class Activation:
    """What follows the convolution.

    Attributes:
        gain: factor after the leaky ReLU, above 0.
        clamp: bound on the magnitude after the gain; None for none.
    """

    gain: float = 2**0.5
    clamp: float | None = None


def modulated_convolution_reference(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    bias: Tensor,
    noise: Tensor | None,
    activation: Activation,
    up: Sequence[float] | None = None,
) -> Tensor:
    """The layer as its definition reads.

    Args:
        x: ``[N, I, H, W]``.
        weight: float32 ``[O, I, K, K]``, K odd.
        style: float32 ``[N, I]``, a factor for each input channel.
        bias: ``[O]``.
        noise: ``[1 or N, 1, H, W]`` of the output's size, added to every output channel, or None.
        activation: what follows.
        up: taps of the filter, of sum 1, that the image is doubled with; None keeps the size.

    Returns:
        ``[N, O, H, W]`` or, doubled, ``[N, O, 2*H, 2*W]``, of x's precision.
    """
    n, channels, height, width = x.shape
    out_channels, _, side, _ = weight.shape
    modulated = weight.unsqueeze(0) * style[:, None, :, None, None]
    modulated = modulated * (modulated.square().sum(dim=(2, 3, 4), keepdim=True) + _EPSILON).rsqrt()
    modulated = modulated.to(x.dtype)
    # One group of channels for each sample.
    grouped = x.reshape(1, n * channels, height, width)
    if up is None:
        kernels = modulated.reshape(n * out_channels, channels, side, side)
        out = F.conv2d(grouped, kernels, padding=side // 2, groups=n)
    else:
        kernels = modulated.transpose(1, 2).reshape(n * channels, out_channels, side, side)
        out = F.conv_transpose2d(grouped, kernels, stride=2, groups=n)
        before, after = _doubling_pads(side, len(up))
        out = 4 * filter_reference(out, up, before, after)
    out = out.reshape(n, out_channels, *out.shape[2:])
    if noise is not None:
        out = out + noise.to(out.dtype)
    out = F.leaky_relu(out + bias[:, None, None].to(out.dtype), LEAK) * activation.gain
    return out if activation.clamp is None else out.clamp(-activation.clamp, activation.clamp)


def modulated_convolution(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    bias: Tensor,
    noise: Tensor | None,
    activation: Activation,
    up: Sequence[float] | None = None,
) -> Tensor:
    """:func:`modulated_convolution_reference`, fast: channels-last, with every factor folded into what is smaller.

    The leaky ReLU is homogeneous, so its gain moves before it, into demodulation, noise and bias.
    """
    n, channels, height, width = x.shape
    # The sum over kernel positions does not depend on the style: demodulation is one small matrix product.
    power = weight.square().sum(dim=(2, 3))
    demodulation = activation.gain * (style.square() @ power.T + _EPSILON).rsqrt()
    convolve: Callable[[Tensor, Tensor, Sequence[float] | None], Tensor]
    convolve, out_factors = _convolve if up is None else _convolve_doubling, demodulation
    if up is not None and height * width >= PIXELS_FOR_EACH_CHANNEL * channels:
        weight = doubling_kernel(weight, up)
        convolve, out_factors = _convolve_phases, demodulation.repeat(1, 4)
    # Factors of channels may sit on the feature map or, once for each sample, on the kernel; there a gradient for
    # the style would cost a convolution of its own, the kernel's gradient.
    follows = torch.is_grad_enabled() and style.requires_grad
    if not follows and (n == 1 or height * width * (channels + len(weight)) > weight.numel()):
        parts = []
        for i in range(n):
            factors = out_factors[i, :, None, None, None] * style[i, None, :, None, None]
            parts.append(convolve(x[i : i + 1], (weight * factors).to(x.dtype), up))
        out = parts[0] if n == 1 else torch.cat(parts)
    else:
        # Scaled by its largest factor, so that no feature map leaves float16's range.
        largest = style.detach().abs().amax(dim=1, keepdim=True).clamp_min(_EPSILON)
        scaled = x * (style / largest)[:, :, None, None].to(x.dtype)
        out = convolve(scaled, weight.to(x.dtype), up)
        out = out * (demodulation * largest)[:, :, None, None].to(x.dtype)
    out += (activation.gain * bias)[:, None, None].to(out.dtype)
    if noise is not None:
        out += (activation.gain * noise).to(out.dtype)
    out = F.leaky_relu_(out, LEAK)
    return out if activation.clamp is None else out.clamp(-activation.clamp, activation.clamp)


def _convolve(x: Tensor, kernel: Tensor, _up: Sequence[float] | None) -> Tensor:
    return F.conv2d(x, kernel, padding=kernel.shape[-1] // 2)


def _convolve_doubling(x: Tensor, kernel: Tensor, up: Sequence[float] | None) -> Tensor:
    """The definition's two steps: least arithmetic, and one more pass over the doubled feature map."""
    taps = up or ()
    doubled = F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2)
    before, after = _doubling_pads(kernel.shape[-1], len(taps))
    if before != after or before < 0:
        doubled, before = F.pad(doubled, (before, after, before, after)), 0
    fir = (4 * fir_kernel(taps, doubled)).expand(doubled.shape[1], 1, -1, -1)
    return F.conv2d(doubled, fir, padding=before, groups=doubled.shape[1])


def _convolve_phases(x: Tensor, kernel: Tensor, _up: Sequence[float] | None) -> Tensor:
    """Both steps in one kernel: more arithmetic, in one pass."""
    return _interleave(_convolve(x, kernel, None))


def doubling_kernel(weight: Tensor, taps: Sequence[float]) -> Tensor:
    """The kernel, at the small size, of a convolution that follows putting zeros between pixels, and of the filter.

    Both are linear: for each of the four phases of the doubled image (row, then column) they are one convolution.

    Args:
        weight: ``[O, I, K, K]`` of the transposed convolution.
        taps: of the filter.

    Returns:
        ``[4*O, I, D, D]``, D odd, phase by phase.
    """
    side = weight.shape[-1]
    before, _ = _doubling_pads(side, len(taps))
    shift = len(taps) - 1 - before
    # In one dimension, output m is the sum over j and k of taps[j] weight[k] spread[m + shift - j - k],
    # and spread is zero but for the even positions, where it is the image.
    reached = [
        (phase, (phase + shift - j - k) // 2, j, k)
        for phase in range(2)
        for j in range(len(taps))
        for k in range(side)
        if (phase + shift - j - k) % 2 == 0
    ]
    radius = max(abs(offset) for _, offset, _, _ in reached)
    table = torch.zeros(2, 2 * radius + 1, side, dtype=torch.float64)
    for phase, offset, j, k in reached:
        table[phase, offset + radius, k] += 2 * taps[j]
    wide = 2 * radius + 1
    # [row phase, column phase, row, column] by [kernel row, kernel column]
    both = torch.einsum("adk,bel->abdekl", table, table).reshape(4 * wide * wide, side * side)
    flat = weight.reshape(-1, side * side) @ both.to(weight).T
    phases = flat.reshape(*weight.shape[:2], 4, wide, wide).permute(2, 0, 1, 3, 4)
    return phases.reshape(4 * weight.shape[0], weight.shape[1], wide, wide)


def _doubling_pads(side: int, taps: int) -> tuple[int, int]:
    """Zeros before and after the transposed convolution's output, so that the filter keeps the image in place."""
    return side // 2 + (taps + 1) // 2 - (side - 1), side // 2 + (taps - 2) // 2 - (side - 2)


def _interleave(phases: Tensor) -> Tensor:
    """``[N, 4*O, H, W]``, phase by phase, to ``[N, O, 2*H, 2*W]``, channels-last."""
    n, channels, height, width = phases.shape
    pixels = phases.permute(0, 2, 3, 1).reshape(n, height, width, 2, 2, channels // 4)
    whole = pixels.permute(0, 1, 3, 2, 4, 5).reshape(n, 2 * height, 2 * width, channels // 4)
    return whole.permute(0, 3, 1, 2)
