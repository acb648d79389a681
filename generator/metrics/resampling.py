"""High-quality translation and rotation of images: the references of EQ-T and EQ-R.

Karras et al., "Alias-Free Generative Adversarial Networks", 2021, appendix E. Every function also returns a mask of
the pixels that depend on the inside of the image alone.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

_LOBES = 3  # of the Lanczos window
_REACH = 2 * _LOBES  # of a rotated filter, in pixels
_OVERSAMPLING = 4
_PERIOD = 64  # half a side, in pixels, of the square in which filters are convolved


def shift_pixels(images: Tensor, right: int, down: int) -> tuple[Tensor, Tensor]:
    """Images ``[N, C, H, W]`` moved by whole pixels, with zeros in the gap; and the mask ``[H, W]``."""
    height, width = images.shape[2:]
    moved = _window(images, -right, -down)
    return moved, _inside(height, down, down)[:, None] & _inside(width, right, right)[None, :]


def shift(images: Tensor, right: float, down: float) -> tuple[Tensor, Tensor]:
    """Images ``[N, C, H, W]`` moved by fractions of pixels with a Lanczos filter (E.2); and the mask ``[H, W]``."""
    masks = []
    for axis, amount in ((3, right), (2, down)):
        whole = math.floor(amount)
        taps = range(whole + 1 - _LOBES, whole + 1 + _LOBES)
        weights = [_lanczos(tap - amount) for tap in taps]
        parts = [
            weight / sum(weights) * (_window(images, -tap, 0) if axis == 3 else _window(images, 0, -tap))
            for tap, weight in zip(taps, weights, strict=True)
        ]
        images = torch.stack(parts).sum(dim=0)
        masks.append(_inside(images.shape[axis], taps[0], taps[-1]))
    return images, masks[1][:, None] & masks[0][None, :]


def turn(images: Tensor, degrees: float) -> tuple[Tensor, Tensor]:
    """Square images ``[N, C, S, S]`` rotated counter-clockwise about their centre (E.3); and the mask ``[S, S]``.

    They keep the frequencies that both the pixel grid and the rotated grid can represent. The filter is sampled at
    a quarter of a pixel and interpolated linearly.
    """
    side = images.shape[-1]
    fine = F.pixel_shuffle(_filtered(images, degrees, _OVERSAMPLING), _OVERSAMPLING)
    # The source of each pixel: its centre, rotated back.
    at = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    down, right = torch.meshgrid(at, at, indexing="ij")
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    from_right, from_down = cosine * right - sine * down, sine * right + cosine * down
    # grid_sample's -1 and 1 are the outermost samples; `fine` has some beyond the last pixel's centre.
    last = (_OVERSAMPLING * side - 1) / _OVERSAMPLING
    grid = torch.stack([from_right, from_down], dim=2) + (side - 1) / 2
    grid = (2 * grid / last - 1).to(images.dtype).to(images.device)
    turned = F.grid_sample(fine, grid.expand(len(fine), -1, -1, -1), align_corners=True)
    limit = (side - 1) / 2 - _REACH
    mask = (from_right.abs() <= limit) & (from_down.abs() <= limit)
    return turned.reshape(images.shape), mask


def limit_as_turned(images: Tensor, degrees: float) -> tuple[Tensor, Tensor]:
    """Images ``[N, C, H, W]`` drawn rotated, with only the frequencies that ``turn`` keeps (E.3); and the mask."""
    height, width = images.shape[2:]
    margin = _REACH - 1
    mask = _inside(height, -margin, margin)[:, None] & _inside(width, -margin, margin)[None, :]
    return _filtered(images, -degrees, 1).reshape(images.shape), mask


def turned_filter(degrees: float, per_pixel: int) -> Tensor:
    """The low-pass filter of the pixel grid and of one rotated counter-clockwise, as convolution kernels.

    The ideal filter of both is the convolution of their sinc functions; its window is the convolution of their
    Lanczos windows. Both are computed numerically, in a periodic square.

    Returns:
        float64 ``[per_pixel, per_pixel, 2 * reach, 2 * reach]``: a kernel with the sum 1 for each position within a
        pixel.
    """
    steps = _PERIOD * per_pixel
    at = torch.arange(1 - steps, steps, dtype=torch.float64) / per_pixel
    down, right = torch.meshgrid(at, at, indexing="ij")
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turned_right, turned_down = cosine * right + sine * down, cosine * down - sine * right

    def both(line: Callable[[Tensor], Tensor]) -> Tensor:
        ours = line(right) * line(down)
        theirs = line(turned_right) * line(turned_down)
        spectra = [torch.fft.rfft2(torch.fft.ifftshift(values)) for values in (ours, theirs)]
        product: Tensor = torch.fft.fftshift(torch.fft.irfft2(spectra[0] * spectra[1], s=ours.shape))
        return product

    values = both(torch.sinc) * both(_lanczos_window)
    reach = _REACH * per_pixel
    values = values[steps - reach : steps + reach - 1, steps - reach : steps + reach - 1]
    # After a row and a column of zeros, entry i is at the position i / per_pixel - reach.
    kernels = F.pad(values, (1, 0, 1, 0)).reshape(2 * _REACH, per_pixel, 2 * _REACH, per_pixel).permute(1, 3, 0, 2)
    return kernels / kernels.sum(dim=(2, 3), keepdim=True)


def _lanczos_window(x: Tensor) -> Tensor:
    return torch.where(x.abs() < _LOBES, torch.sinc(x / _LOBES), 0.0)


def _filtered(images: Tensor, degrees: float, per_pixel: int) -> Tensor:
    """Every channel filtered, ``[N * C, per_pixel ** 2, H, W]``; the channels are the positions within a pixel."""
    n, channels, height, width = images.shape
    # conv2d is a correlation: the kernels are mirrored.
    kernels = turned_filter(degrees, per_pixel).flip(2, 3).reshape(-1, 1, 2 * _REACH, 2 * _REACH)
    padded = F.pad(images.reshape(n * channels, 1, height, width), (_REACH - 1, _REACH, _REACH - 1, _REACH))
    return F.conv2d(padded, kernels.to(images.dtype).to(images.device))


def _lanczos(x: float) -> float:
    if x == 0:
        return 1.0
    if abs(x) >= _LOBES:
        return 0.0
    angle = math.pi * x
    return _LOBES * math.sin(angle) * math.sin(angle / _LOBES) / angle**2


def _window(images: Tensor, right: int, down: int) -> Tensor:
    """The images after the frame moved; zeros beyond them."""
    height, width = images.shape[2:]
    right, down = max(-width, min(width, right)), max(-height, min(height, down))
    # Negative padding crops.
    return F.pad(images, (-right, right, -down, down))


def _inside(length: int, least: int, most: int) -> Tensor:
    """The positions whose sources, ``least`` to ``most`` positions before them, are all within ``length``."""
    at = torch.arange(length)
    return (at - most >= 0) & (at - least < length)
