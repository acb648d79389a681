"""StyleGAN2's layer: modulated convolution, demodulation, up-sampling, noise, bias, leaky ReLU, clamp.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, section 2.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.ops.fir import filter_reference, fir_kernel

LEAK = 0.2
_EPSILON = 1e-8


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
    """The layer by its definition.

    Args:
        x: ``[N, I, H, W]``.
        weight: float32 ``[O, I, K, K]``, K odd.
        style: float32 ``[N, I]``, a factor for each input channel.
        bias: ``[O]``.
        noise: ``[1 or N, 1, H, W]`` of the output's size, added to every output channel, or None.
        activation: gain and clamp after the leaky ReLU.
        up: taps, with the sum 1, of the filter for doubling the size; None keeps the size.

    Returns:
        ``[N, O, H, W]`` or, doubled, ``[N, O, 2*H, 2*W]``, in the precision of ``x``.
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
    """``modulated_convolution_reference``, fast: channels-last, with every factor folded into the smaller operand.

    The leaky ReLU is homogeneous, so its gain moves before it, into demodulation, noise and bias.
    """
    n, channels, height, width = x.shape
    # The sum over kernel positions does not depend on the style: demodulation is one small matrix product.
    power = weight.square().sum(dim=(2, 3))
    demodulation = activation.gain * (style.square() @ power.T + _EPSILON).rsqrt()
    offset = (activation.gain * bias).to(x.dtype)
    # Channel factors can multiply the feature map or, for each sample, the kernel; on the kernel, a gradient of the
    # style would need the kernel's gradient, a convolution of its own. With factors on the map, an exported graph
    # takes any number of samples.
    on_map = torch.compiler.is_compiling() or (torch.is_grad_enabled() and style.requires_grad)
    if not on_map and (n == 1 or height * width * (channels + len(weight)) > weight.numel()):
        parts = []
        for i in range(n):
            factors = demodulation[i, :, None, None, None] * style[i, None, :, None, None]
            parts.append(_convolve(x[i : i + 1], (weight * factors).to(x.dtype), offset, up))
        out = parts[0] if n == 1 else torch.cat(parts)
    else:
        # Divided by its largest factor, so that no feature map leaves float16's range.
        largest = style.detach().abs().amax(dim=1, keepdim=True).clamp_min(_EPSILON)
        scaled = x * (style / largest)[:, :, None, None].to(x.dtype)
        out = _convolve(scaled, weight.to(x.dtype), None, up)
        out = torch.addcmul(offset[:, None, None], out, (demodulation * largest)[:, :, None, None].to(x.dtype))
    if noise is not None:
        out += (activation.gain * noise).to(out.dtype)
    out = F.leaky_relu_(out, LEAK)
    return out if activation.clamp is None else out.clamp(-activation.clamp, activation.clamp)


def _convolve(x: Tensor, kernel: Tensor, bias: Tensor | None, up: Sequence[float] | None) -> Tensor:
    """Convolution that keeps the size or, with ``up``, a transposed one by two, then filtered.

    A single kernel for both steps needs four times the arithmetic and takes two to three times as long.
    """
    if up is None:
        return F.conv2d(x, kernel, bias, padding=kernel.shape[-1] // 2)
    doubled = F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2)
    before, after = _doubling_pads(kernel.shape[-1], len(up))
    if before != after or before < 0:
        doubled, before = F.pad(doubled, (before, after, before, after)), 0
    fir = (4 * fir_kernel(up, doubled)).expand(doubled.shape[1], 1, -1, -1)
    return F.conv2d(doubled, fir, bias, padding=before, groups=doubled.shape[1])


def _doubling_pads(side: int, taps: int) -> tuple[int, int]:
    """Zeros before and after the transposed convolution's output that keep the filtered image in place."""
    return side // 2 + (taps + 1) // 2 - (side - 1), side // 2 + (taps - 2) // 2 - (side - 2)
