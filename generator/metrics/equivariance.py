"""EQ-T and EQ-R: translation and rotation equivariance (Karras et al. 2021, section 2 and appendix E).

Both are peak signal-to-noise ratios in decibels, between the image that the network draws moved and the moved
image, over the pixels that are inside both. Higher is better.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from stylegan_latents.generator.metrics.resampling import limit_as_turned, shift, shift_pixels, turn

_RANGE = 2.0  # of pixels, -1 to 1


class MovingSynthesis(Protocol):
    """Draws a moved image, such as a StyleGAN3's ``Generator.synthesize``."""

    def __call__(self, ws: Tensor, *, translate: Sequence[float] = ..., rotate: float = ...) -> Tensor:
        """ws to images ``[N, C, S, S]``, rotated counter-clockwise by ``rotate`` degrees about their centre, then
        moved right and down by ``translate`` sides of the image."""


@torch.no_grad()
def translation_equivariance(
    synthesize: MovingSynthesis,
    codes: Iterable[Tensor],
    *,
    fractional: bool = False,
    largest: float = 0.125,
    seed: int = 0,
) -> float:
    """EQ-T, or with ``fractional`` EQ-T_frac, in decibels.

    Args:
        synthesize: see ``MovingSynthesis``.
        codes: batches of ws, such as those of ``draw_codes``; 50,000 in publications. Each batch has its own shift.
        fractional: whether to shift by fractions of pixels.
        largest: shift in each direction, in sides of the image.
        seed: of the shifts.

    Raises:
        ValueError: there are no codes.
    """
    source = torch.Generator().manual_seed(seed)
    error = _Error()
    for ws in codes:
        still = synthesize(ws)
        side = still.shape[-1]
        right, down = ((2 * torch.rand(2, generator=source, dtype=torch.float64) - 1) * largest * side).tolist()
        if fractional:
            wanted, inside = shift(still, right, down)
        else:
            right, down = round(right), round(down)
            wanted, inside = shift_pixels(still, right, down)
        error.add(synthesize(ws, translate=(right / side, down / side)) - wanted, inside)
    return error.decibels()


@torch.no_grad()
def rotation_equivariance(
    synthesize: MovingSynthesis, codes: Iterable[Tensor], *, largest: float = 180.0, seed: int = 0
) -> float:
    """EQ-R, in decibels; see ``translation_equivariance``.

    The compared images keep only the frequencies that both the pixel grid and the rotated grid can represent.

    Args:
        synthesize, codes, seed: as there; each batch has its own angle.
        largest: angle in each direction, in degrees.
    """
    source = torch.Generator().manual_seed(seed)
    error = _Error()
    for ws in codes:
        degrees = float((2 * torch.rand((), generator=source, dtype=torch.float64) - 1) * largest)
        wanted, inside = turn(synthesize(ws), degrees)
        drawn, also_inside = limit_as_turned(synthesize(ws, rotate=degrees), degrees)
        error.add(drawn - wanted, inside & also_inside)
    return error.decibels()


class _Error:
    """Mean squared error over the valid pixels."""

    def __init__(self) -> None:
        self._total, self._pixels = 0.0, 0

    def add(self, difference: Tensor, inside: Tensor) -> None:
        valid = difference[..., inside.to(difference.device)]
        self._total += float(valid.cpu().double().square().sum())  # MPS has no doubles
        self._pixels += valid.numel()

    def decibels(self) -> float:
        if not self._pixels:
            raise ValueError("equivariance needs a code, and an image larger than the margins of its filters")
        mean = self._total / self._pixels
        return 10 * math.log10(_RANGE**2 / mean) if mean else math.inf
