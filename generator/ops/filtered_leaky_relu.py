"""Alias-free leaky ReLU: up-sample, apply it, low-pass filter, down-sample.

Karras et al., "Alias-Free Generative Adversarial Networks", 2021, section 3.1 and appendix C.3. Feature maps are
zero outside their border.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from stylegan_latents.generator.ops.lowpass import Grid, Taps

# Side in pixels of an output tile, and values of a tile at the high rate: sized for a CPU cache and a busy GPU.
_CPU_TILE, _CPU_PART = 24, 1 << 19
_GPU_TILE, _GPU_PART = 128, 1 << 27

# A radial filter is a sum of separable ones; those below this share of the strongest are lost in float32.
_WEAKEST = 1e-8


@dataclass(frozen=True)
class Resampling:
    """Up-sampling before the non-linearity and down-sampling after it, the same along both axes.

    Attributes:
        up, down: integer factors.
        up_taps: the filter applied after zeros were inserted between the pixels, with the sum 1.
        down_taps: the filter applied before pixels are dropped: of one axis, or ``[K, K]`` for both.
        padding: zeros before and after the zero-inserted map; negative to crop.
    """

    up: int
    down: int
    up_taps: Taps
    down_taps: Taps | Grid
    padding: tuple[int, int]

    @property
    def changes_nothing(self) -> bool:
        return (self.up, self.down, self.up_taps, self.down_taps, self.padding) == (1, 1, (1.0,), (1.0,), (0, 0))

    def high_size(self, size: int) -> int:
        """Side of the map at the high rate, for an input of side ``size``."""
        return size * self.up + sum(self.padding) - (len(self.up_taps) - 1)

    def out_size(self, size: int) -> int:
        """Side of the output, for an input of side ``size``."""
        return (self.high_size(size) - len(self.down_taps)) // self.down + 1


@dataclass(frozen=True)
class Nonlinearity:
    """The non-linearity at the high rate.

    Attributes:
        slope: of the leaky ReLU below zero.
        gain: factor after it.
        clamp: bound on the magnitude after the gain; None for none.
    """

    slope: float = 0.2
    gain: float = 2**0.5
    clamp: float | None = None


def filtered_leaky_relu_reference(x: Tensor, resampling: Resampling, act: Nonlinearity) -> Tensor:
    """The operation by its definition: ``[N, C, S, S]``, bias added, to ``[N, C, T, T]``, T of ``out_size(S)``."""
    n, channels, side, _ = x.shape
    up = resampling.up
    spread = x.new_zeros(n, channels, side, up, side, up)
    spread[:, :, :, 0, :, 0] = up**2 * x
    before, after = resampling.padding
    spread = F.pad(spread.reshape(n, channels, side * up, side * up), (before, after, before, after))
    high = _filter(_filter(spread, resampling.up_taps, 0), resampling.up_taps, 1)
    high = _activate(high, act)
    if isinstance(resampling.down_taps[0], tuple):
        low = _correlate(high, torch.tensor(resampling.down_taps, dtype=torch.float64).flip(0, 1))
    else:
        taps = _line(resampling.down_taps)
        low = _filter(_filter(high, taps, 0), taps, 1)
    return low[:, :, :: resampling.down, :: resampling.down]


def filtered_leaky_relu(x: Tensor, resampling: Resampling, act: Nonlinearity) -> Tensor:
    """``filtered_leaky_relu_reference``, fast: tile by tile, channels-last, as matrix products.

    Inserted zeros are never stored, and the map at the high rate, the largest by far, never exists as a whole: the
    backward pass computes each tile of it again.
    """
    if resampling.changes_nothing:
        return _activate(x, act)
    out: Tensor = _FilteredLeakyReLU.apply(x, resampling, act)
    return out


def _line(taps: Taps | Grid) -> Taps:
    return tuple(tap for tap in taps if isinstance(tap, float))


def _filter(x: Tensor, taps: Taps, axis: int) -> Tensor:
    kernel = torch.tensor(tuple(reversed(taps)), dtype=torch.float64)
    return _correlate(x, kernel[:, None] if axis == 0 else kernel[None])


def _correlate(x: Tensor, kernel: Tensor) -> Tensor:
    """Each channel of ``[N, C, H, W]`` with the kernel ``[K, L]``, without padding."""
    if x.dtype == torch.float16:
        # On processors with AVX512-FP16, oneDNN never ends on such filters of float16 with 15 taps or more.
        return _correlate(x.float(), kernel).to(x.dtype)
    return F.conv2d(x, kernel.to(x).expand(x.shape[1], 1, -1, -1), groups=x.shape[1])


def _activate(x: Tensor, act: Nonlinearity) -> Tensor:
    out = x if act.slope == 1 else F.leaky_relu(x, act.slope)
    out = out if act.gain == 1 else out * act.gain
    return out if act.clamp is None else out.clamp(-act.clamp, act.clamp)


@dataclass(frozen=True)
class _Span:
    """One tile along one axis: its output pixels, the input pixels they depend on, and the matrices between them.

    Attributes:
        source, target: ranges of input and output pixels.
        up: ``[H, I]``, from the input to the high rate.
        rows_down: ``[O*R, H]``, from there to the output, by the row taps of each of R separable filters.
        columns_down: ``[O, R*H]``, the same by the column taps, summed over the filters.
    """

    source: slice
    target: slice
    up: Tensor
    rows_down: Tensor
    columns_down: Tensor


def _separable(taps: Taps | Grid) -> list[tuple[Tensor, Tensor]]:
    """The filter as a sum of outer products: pairs of row taps and column taps."""
    if not isinstance(taps[0], tuple):
        line = torch.tensor(_line(taps), dtype=torch.float64)
        return [(line, line)]
    left, strengths, right = torch.linalg.svd(torch.tensor(taps, dtype=torch.float64))
    count = int((strengths > _WEAKEST * strengths[0]).sum())
    return [(left[:, i] * strengths[i], right[i]) for i in range(count)]


@lru_cache(maxsize=256)
def _spans(
    resampling: Resampling, side: int, tile: int, device: torch.device, dtype: torch.dtype
) -> tuple[_Span, ...]:
    """The tiles along one axis of a map with this side."""
    up, down, before = resampling.up, resampling.down, resampling.padding[0]
    up_taps = torch.tensor(resampling.up_taps, dtype=torch.float64)
    pairs = _separable(resampling.down_taps)
    reach = len(resampling.down_taps)
    out = resampling.out_size(side)
    count = -(-out // tile)
    edges = [out * i // count for i in range(count + 1)]
    spans = []
    for start, end in pairwise(edges):
        high = torch.arange(down * start, down * (end - 1) + reach)
        # At the high rate, sample h is the sum over k of reversed tap k and pixel (h + k - before) / up.
        first = min(max(0, -((before - int(high[0])) // up)), side - 1)
        last = max(min(side, (int(high[-1]) + len(up_taps) - 1 - before) // up + 1), first + 1)
        offset = up * torch.arange(first, last) + before - high[:, None]
        rising = up * _picked(up_taps.flip(0), offset)
        offset = high - down * torch.arange(start, end)[:, None]
        falling = [(_picked(rows.flip(0), offset), _picked(columns.flip(0), offset)) for rows, columns in pairs]
        spans.append(
            _Span(
                slice(first, last),
                slice(start, end),
                rising.to(device, dtype),
                torch.stack([rows for rows, _ in falling], dim=1).flatten(0, 1).to(device, dtype),
                torch.cat([columns for _, columns in falling], dim=1).to(device, dtype),
            )
        )
    return tuple(spans)


def _picked(taps: Tensor, offset: Tensor) -> Tensor:
    """The taps at these positions; zero outside their range."""
    inside = (offset >= 0) & (offset < len(taps))
    return torch.where(inside, taps[offset.clamp(0, len(taps) - 1)], 0.0)


def _parts(x: Tensor, resampling: Resampling) -> Iterator[tuple[int, slice, _Span, _Span]]:
    """Sample, channels, rows and columns of each tile of a map ``[N, S, S, C]``."""
    tile, size = (_CPU_TILE, _CPU_PART) if x.device.type == "cpu" else (_GPU_TILE, _GPU_PART)
    spans = _spans(resampling, x.shape[1], tile, x.device, x.dtype)
    channels = x.shape[3]
    step = max(1, size // max(len(span.up) for span in spans) ** 2)
    step = -(-channels // -(-channels // step))
    for i in range(len(x)):
        for first in range(0, channels, step):
            for rows in spans:
                for columns in spans:
                    yield i, slice(first, first + step), rows, columns


def _to_high_rate(x: Tensor, rows: _Span, columns: _Span) -> Tensor:
    """Tile ``[I, J, C]`` to ``[H, K, C]``."""
    # Columns first, one product for each row, while the tile is small; then all rows in one product.
    wide = _columns(columns.up, x[rows.source, columns.source])
    return (rows.up @ wide.flatten(1)).reshape(len(rows.up), *wide.shape[1:])


def _columns(matrix: Tensor, x: Tensor) -> Tensor:
    """The matrix ``[O, I]`` applied to the second axis of ``[N, I, C]``."""
    return torch.bmm(matrix.expand(len(x), -1, -1), x)


class _FilteredLeakyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, resampling: Resampling, act: Nonlinearity) -> Tensor:
        x = x.permute(0, 2, 3, 1).contiguous()
        ctx.save_for_backward(x)
        ctx.resampling, ctx.act = resampling, act
        n, side, _, channels = x.shape
        size = resampling.out_size(side)
        out = x.new_empty(n, size, size, channels)
        for i, chosen, rows, columns in _parts(x, resampling):
            high = _to_high_rate(x[i, :, :, chosen], rows, columns)
            F.leaky_relu_(high, act.slope).mul_(act.gain)
            if act.clamp is not None:
                high.clamp_(-act.clamp, act.clamp)
            low = rows.rows_down @ high.flatten(1)  # [O*R, K*C], of which the next step takes [O, R*K, C]
            low = low.reshape(rows.target.stop - rows.target.start, columns.columns_down.shape[1], -1)
            out[i, rows.target, columns.target, chosen] = _columns(columns.columns_down, low)
        return out.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None, None]:
        (x,) = ctx.saved_tensors
        act: Nonlinearity = ctx.act
        grad = grad.permute(0, 2, 3, 1)
        out = torch.zeros_like(x)
        for i, chosen, rows, columns in _parts(x, ctx.resampling):
            high = _to_high_rate(x[i, :, :, chosen], rows, columns)
            low = grad[i, rows.target, columns.target, chosen]
            back = _columns(columns.columns_down.T, low).reshape(len(rows.rows_down), -1)
            back = (rows.rows_down.T @ back).reshape(high.shape)
            factor = torch.where(high >= 0, act.gain, act.gain * act.slope)
            if act.clamp is not None:
                factor = torch.where((high * factor).abs() <= act.clamp, factor, 0.0)
            back *= factor
            back = (rows.up.T @ back.flatten(1)).reshape(-1, *back.shape[1:])
            out[i, rows.source, columns.source, chosen] += _columns(columns.up.T, back)
        return out.permute(0, 3, 1, 2), None, None
