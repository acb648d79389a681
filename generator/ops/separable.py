"""MobileStyleGAN's layer: modulated depthwise-separable convolution with noise, bias and leaky ReLU."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from stylegan_latents.generator.ops.wavelet import at_least_float32, channel_dot


def modulated_separable_reference(
    x: Tensor, style: Tensor, depthwise: Tensor, pointwise: Tensor, bias: Tensor, noise: Tensor | None, leak: float
) -> Tensor:
    """The layer by its definition.

    Args:
        x: ``[N, C, H, W]``.
        style: ``[N, C]``, a factor for each input channel.
        depthwise: ``[C, 1, 3, 3]``.
        pointwise: ``[O, C]``.
        bias: ``[O]``.
        noise: ``[1 or N, 1, H, W]``, added to every output channel, or None.
        leak: slope of the leaky ReLU below zero, above 0.

    Returns:
        ``[N, O, H, W]``, in the precision of ``x``.
    """
    x = x * style[:, :, None, None].to(x.dtype)
    x = F.conv2d(x, depthwise, padding=1, groups=x.shape[1])
    x = F.conv2d(x, pointwise[:, :, None, None])
    x = x + bias[:, None, None].to(x.dtype)
    if noise is not None:
        x = x + noise.to(x.dtype)
    return F.leaky_relu(x, leak)


def modulated_separable(
    x: Tensor, style: Tensor, depthwise: Tensor, pointwise: Tensor, bias: Tensor, noise: Tensor | None, leak: float
) -> Tensor:
    """``modulated_separable_reference``, fast: channels-last, as matrix products, in few passes over memory.

    Its backward pass computes only the gradients that are needed; those of weights are summed in the precision of
    the weights, float32 at least.
    """
    out: Tensor = _ModulatedSeparable.apply(x, style, depthwise, pointwise, bias, noise, leak)
    return out


def mix_channels(x: Tensor, weight: Tensor, bias: Tensor, noise: Tensor | None = None) -> Tensor:
    """A pointwise convolution with weights for each sample, and noise; channels-last.

    Args:
        x: ``[N, C, H, W]``.
        weight: ``[N, O, C]``, in the precision of ``x``, as the bias.
        bias: ``[O]``.
        noise: ``[1 or N, 1, H, W]``, added to every output channel, or None.
    """
    n, channels, height, width = x.shape
    base = bias
    if noise is not None:  # usually one map for all samples, so that adding it to the bias is cheaper
        base = base + noise.to(x.dtype).reshape(len(noise), -1, 1)
    pixels = x.permute(0, 2, 3, 1).reshape(n, height * width, channels)
    if n == 1 and noise is None:
        out = F.linear(pixels, weight[0], bias)
    else:
        out = torch.baddbmm(base, pixels, weight.transpose(1, 2))
    return out.reshape(n, height, width, -1).permute(0, 3, 1, 2)


def _pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A pointwise convolution with one weight ``[O, C]`` for all samples; channels-last, without a gradient."""
    kernel = weight[:, :, None, None]
    onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if onednn and x.device.type == "cpu" and x.dtype == torch.float32:
        # With one thread PyTorch takes BLAS, whose products of these shapes take up to a third longer.
        return torch.mkldnn_convolution(x, kernel, bias, (0, 0), (1, 1), (1, 1), 1)
    return F.conv2d(x, kernel, bias)


class _ModulatedSeparable(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        style: Tensor,
        depthwise: Tensor,
        pointwise: Tensor,
        bias: Tensor,
        noise: Tensor | None,
        leak: float,
    ) -> Tensor:
        # Channel factors commute with a depthwise convolution, so the style multiplies the smaller operand: the
        # pixels of small maps, the pointwise matrix of large ones.
        filtered = F.conv2d(x, depthwise, padding=1, groups=x.shape[1])
        n, channels, height, width = filtered.shape
        if height * width < len(pointwise):
            pixels = filtered.permute(0, 2, 3, 1).reshape(n, height * width, channels)
            base = bias.to(x.dtype)
            if noise is not None:
                base = base + noise.to(x.dtype).reshape(len(noise), -1, 1)
            out = F.linear(pixels * style.to(x.dtype).unsqueeze(1), pointwise.to(x.dtype))
            out += base
        else:
            weight = (pointwise.to(at_least_float32(x)) * style.unsqueeze(1)).to(x.dtype)
            if n == 1:  # a convolution adds the bias itself; a product with noise needs a map of it first
                out = _pointwise(filtered, weight[0], bias.to(x.dtype))
                out = out if noise is None else out.add_(noise.to(x.dtype))
            else:
                out = mix_channels(filtered, weight, bias.to(x.dtype), noise)
            out = out.permute(0, 2, 3, 1).reshape(n, height * width, -1)
        F.leaky_relu_(out, leak)
        # Only the gradient of the depthwise weight needs x.
        kept = x if ctx.needs_input_grad[2] else None
        ctx.save_for_backward(filtered, out, style, depthwise, pointwise, kept)
        ctx.leak, ctx.bias_dtype = leak, bias.dtype
        ctx.noise_samples = None if noise is None else len(noise)
        return out.reshape(n, height, width, -1).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        filtered, out, style, depthwise, pointwise, x = ctx.saved_tensors
        n, channels, height, width = filtered.shape
        grad = grads[0].permute(0, 2, 3, 1).reshape(out.shape)
        # A leaky ReLU keeps the sign, so its output is enough.
        grad = torch.ops.aten.leaky_relu_backward(grad, out, ctx.leak, True)
        noise_grad = None
        if ctx.needs_input_grad[5]:
            noise_grad = grad.sum(dim=2, dtype=at_least_float32(grad)).reshape(n, 1, height, width)
            if ctx.noise_samples == 1:
                noise_grad = noise_grad.sum(dim=0, keepdim=True)
        pointwise_grad = bias_grad = depthwise_grad = x_grad = style_grad = None
        if ctx.needs_input_grad[3]:
            pixels = filtered.permute(0, 2, 3, 1).reshape(n, height * width, channels)
            # One product for each sample, as a batched one would copy the transposed map.
            each = torch.stack([ours.T @ theirs for ours, theirs in zip(grad, pixels, strict=True)])
            each = each.to(at_least_float32(grad))
            pointwise_grad = (each * style.unsqueeze(1)).sum(dim=0).to(pointwise.dtype)
        if ctx.needs_input_grad[4]:
            bias_grad = grad.sum(dim=(0, 1), dtype=at_least_float32(grad)).to(ctx.bias_dtype)
        if not any(ctx.needs_input_grad[:3]):
            return None, None, None, pointwise_grad, bias_grad, noise_grad, None
        pixels_grad = _pointwise(grad.reshape(n, height, width, -1).permute(0, 3, 1, 2), pointwise.T)
        if ctx.needs_input_grad[1]:
            style_grad = channel_dot(pixels_grad, filtered).to(style.dtype)
        if n == 1 and not ctx.needs_input_grad[2]:
            # A single sample's style can multiply the few depthwise weights.
            depthwise = depthwise * style.reshape(-1, 1, 1, 1).to(depthwise.dtype)
        elif ctx.needs_input_grad[0] or ctx.needs_input_grad[2]:
            pixels_grad = pixels_grad.mul_(style[:, :, None, None].to(pixels_grad.dtype))
        if ctx.needs_input_grad[2]:
            _, depthwise_grad, _ = torch.ops.aten.convolution_backward(
                pixels_grad,
                x,
                depthwise,
                None,
                (1, 1),
                (1, 1),
                (1, 1),
                False,
                (0, 0),
                channels,
                (False, True, False),
            )
        if ctx.needs_input_grad[0]:
            x_grad = F.conv_transpose2d(pixels_grad, depthwise, padding=1, groups=channels)
        return x_grad, style_grad, depthwise_grad, pointwise_grad, bias_grad, noise_grad, None
