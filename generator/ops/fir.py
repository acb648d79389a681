"""Up- and down-sampling by two with a FIR filter: StyleGAN2's resampling of images and skip connections.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, section 4.1. Images are zero outside
their border.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def normalised(taps: Sequence[float]) -> tuple[float, ...]:
    """The taps of a one-dimensional filter, scaled to the sum 1."""
    total = math.fsum(taps)
    return tuple(tap / total for tap in taps)


def fir_kernel(taps: Sequence[float], like: Tensor) -> Tensor:
    """The two-dimensional correlation kernel ``[K, K]`` of a separable filter: the outer product, reversed."""
    line = torch.tensor(tuple(reversed(taps)), dtype=torch.float64)
    return torch.outer(line, line).to(like)


def fir_filter(x: Tensor, taps: Sequence[float], before: int, after: int, stride: int = 1) -> Tensor:
    """``filter_reference``, fast: padding in the convolution, and only every ``stride``-th pixel is computed."""
    kernel = fir_kernel(taps, x).expand(x.shape[1], 1, -1, -1)
    if before == after and before >= 0:
        return F.conv2d(x, kernel, stride=stride, padding=before, groups=x.shape[1])
    return F.conv2d(F.pad(x, (before, after, before, after)), kernel, stride=stride, groups=x.shape[1])


def filter_reference(x: Tensor, taps: Sequence[float], before: int, after: int) -> Tensor:
    """Pad each side of ``[N, C, H, W]`` with zeros (negative: crop), then convolve without further padding."""
    x = F.pad(x, (before, after, before, after))
    kernel = fir_kernel(taps, x).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(x, kernel, groups=x.shape[1])


def upsample_reference(x: Tensor, taps: Sequence[float]) -> Tensor:
    """Double the side of ``[N, C, H, W]``: insert zeros between the pixels, filter, and multiply by 4.

    ``taps`` are those of the one-dimensional filter, at least two, with the sum 1.
    """
    n, channels, height, width = x.shape
    spread = x.new_zeros(n, channels, height, 2, width, 2)
    spread[:, :, :, 0, :, 0] = 4 * x
    spread = spread.reshape(n, channels, 2 * height, 2 * width)
    return filter_reference(spread, taps, (len(taps) + 1) // 2, (len(taps) - 2) // 2)


def upsample(x: Tensor, taps: Sequence[float]) -> Tensor:
    """``upsample_reference``, fast."""
    if _is_bilinear(taps):
        # The filter of every published model; zeros lie beyond the border, not the last pixel repeated.
        doubled = F.interpolate(F.pad(x, (1, 1, 1, 1)), scale_factor=2, mode="bilinear", align_corners=False)
        return doubled[:, :, 2:-2, 2:-2]
    kernel = (4 * fir_kernel(taps, x).flip(0, 1)).expand(x.shape[1], 1, -1, -1)
    whole = F.conv_transpose2d(x, kernel, stride=2, groups=x.shape[1])
    # Output m is output m + skipped of the transposed convolution.
    skipped = len(taps) - 1 - (len(taps) + 1) // 2
    short = skipped + 2 * x.shape[-1] - whole.shape[-1]
    return F.pad(whole, (-skipped, short, -skipped, short))


def downsample_reference(x: Tensor, taps: Sequence[float]) -> Tensor:
    """Halve the side: filter, then keep every second pixel. ``[N, C, 2*H, 2*W]`` to ``[N, C, H, W]``."""
    return filter_reference(x, taps, (len(taps) - 1) // 2, (len(taps) - 2) // 2)[:, :, ::2, ::2]


def downsample(x: Tensor, taps: Sequence[float]) -> Tensor:
    """``downsample_reference``, fast: only the pixels that are kept are computed."""
    return fir_filter(x, taps, (len(taps) - 1) // 2, (len(taps) - 2) // 2, stride=2)


def _is_bilinear(taps: Sequence[float]) -> bool:
    pairs = zip(taps, (0.125, 0.375, 0.375, 0.125), strict=False)
    return len(taps) == 4 and all(abs(a - b) < 1e-7 for a, b in pairs)
