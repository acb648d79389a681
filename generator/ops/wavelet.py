"""The modulated inverse Haar wavelet transform, which doubles the resolution of a feature map."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

# Values in a strip of bands: a megabyte or two with its intermediate results, which fits a core's cache.
_STRIP = 2**18


def inverse_haar_reference(bands: Tensor, style: Tensor | None = None) -> Tensor:
    """Scale the bands and transform them, written as the transposed convolution with the four basis images.

    Args:
        bands: ``[N, 4*C, H, W]``: C channels of the low band, then C each of the vertical detail (top minus
            bottom), the horizontal detail (left minus right) and the diagonal.
        style: ``[N, 4*C]``, a factor for each channel; None for none.

    Returns:
        ``[N, C, 2*H, 2*W]``. The mean of every 2x2 block is half the scaled low band.
    """
    _check(bands)
    if style is not None:
        bands = bands * style[:, :, None, None].to(bands.dtype)
    n, channels, height, width = bands.shape
    basis = 0.5 * bands.new_tensor(
        [[[1, 1], [1, 1]], [[1, 1], [-1, -1]], [[1, -1], [1, -1]], [[1, -1], [-1, 1]]]
    ).unsqueeze(1)
    by_channel = bands.reshape(n, 4, channels // 4, height, width).transpose(1, 2)
    blocks = F.conv_transpose2d(by_channel.reshape(-1, 4, height, width), basis, stride=2)
    return blocks.reshape(n, channels // 4, 2 * height, 2 * width)


def inverse_haar(bands: Tensor, style: Tensor | None = None) -> Tensor:
    """``inverse_haar_reference`` as sums and differences, channels-last, with its own backward pass."""
    _check(bands)
    if style is None:
        style = bands.new_ones(bands.shape[:2])
    out: Tensor = _ModulatedInverseHaar.apply(bands, style)
    return out


def _check(bands: Tensor) -> None:
    if bands.ndim != 4 or bands.shape[1] % 4:
        raise ValueError(f"bands needs the shape [N, 4*C, H, W], got {tuple(bands.shape)}")


class _ModulatedInverseHaar(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, bands: Tensor, style: Tensor) -> Tensor:
        ctx.save_for_backward(bands, style)
        # The transform's factor 1/2 is part of the style.
        style = (0.5 * style).to(bands.dtype)
        n, channels, height, width = bands.shape
        out = torch.empty(
            (n, channels // 4, 2 * height, 2 * width),
            dtype=bands.dtype,
            device=bands.device,
            memory_format=torch.channels_last,
        )
        for part, factor, drawn in _strips(bands, style, out):
            _butterfly(part * factor, drawn)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None]:
        (grad,) = grads
        bands, style = ctx.saved_tensors
        # The transform is orthonormal: its transpose is the forward Haar transform.
        top_left, top_right = grad[:, :, ::2, ::2], grad[:, :, ::2, 1::2]
        bottom_left, bottom_right = grad[:, :, 1::2, ::2], grad[:, :, 1::2, 1::2]
        out = torch.empty_like(bands, memory_format=torch.channels_last)
        low, vertical, horizontal, diagonal = out.chunk(4, dim=1)
        top, bottom = top_left + top_right, bottom_left + bottom_right
        torch.add(top, bottom, out=low)
        torch.sub(top, bottom, out=vertical)
        top, bottom = (torch.sub(top_left, top_right, out=top), torch.sub(bottom_left, bottom_right, out=bottom))
        torch.add(top, bottom, out=horizontal)
        torch.sub(top, bottom, out=diagonal)
        style_grad = None
        if ctx.needs_input_grad[1]:
            style_grad = 0.5 * channel_dot(out, bands).to(style.dtype)
        return out.mul_((0.5 * style)[:, :, None, None].to(out.dtype)), style_grad


def _strips(bands: Tensor, style: Tensor, out: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Matching strips of rows, channels-last: of the bands, their style, and of the output.

    On a CPU a strip fits the cache, which halves the time; on other devices one strip holds everything.
    """
    pixels, drawn = bands.permute(0, 2, 3, 1), out.permute(0, 2, 3, 1)
    if bands.device.type != "cpu":
        yield pixels, style[:, None, None], drawn
        return
    rows = max(1, _STRIP // (bands.shape[1] * bands.shape[3]))
    for sample, factor, picture in zip(pixels, style, drawn, strict=True):
        for top in range(0, len(sample), rows):
            yield sample[top : top + rows], factor, picture[2 * top : 2 * (top + rows)]


def _butterfly(scaled: Tensor, out: Tensor) -> None:
    """Bands ``[..., H, W, 4*C]`` to pixels, written into ``out [..., 2*H, 2*W, C]``."""
    low, vertical, horizontal, diagonal = scaled.chunk(4, dim=-1)
    rows = scaled.new_empty(2, *low.shape[:-1], 2, low.shape[-1])
    # Neighbours in a row first: rows are then contiguous.
    for row, mean, detail in ((rows[0], low, horizontal), (rows[1], vertical, diagonal)):
        torch.add(mean, detail, out=row[..., 0, :])
        torch.sub(mean, detail, out=row[..., 1, :])
    middle, half = rows.flatten(-3, -2)
    torch.add(middle, half, out=out[..., ::2, :, :])
    torch.sub(middle, half, out=out[..., 1::2, :, :])


def channel_dot(a: Tensor, b: Tensor) -> Tensor:
    """Sum over pixels of a product: two ``[N, C, H, W]`` to ``[N, C]`` in ``at_least_float32``."""
    # In two steps, so that summing a quarter of a million bfloat16 values keeps float32's precision.
    n, channels, height, _ = a.shape
    rows = (a * b).permute(0, 2, 3, 1).sum(dim=2)
    return rows.to(at_least_float32(rows)).reshape(n, height, channels).sum(dim=1)


def at_least_float32(x: Tensor) -> torch.dtype:
    """The precision for sums over many values of ``x``."""
    return torch.promote_types(x.dtype, torch.float32)
