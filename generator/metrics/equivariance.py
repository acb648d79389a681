"""EQ-T and EQ-R: whether an image moves and turns as a whole (Karras et al. 2021, section 2 and appendix E).

Both are peak signal-to-noise ratios, in decibels, between what the network draws when it is told to move the image
and the moved image, over the pixels that are inside of both. Higher is better.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from stylegan_latents.generator.metrics.resampling import limit_as_turned, shift, shift_pixels, turn

_RANGE = 2.0  # of pixels, -1 to 1


class MovingSynthesis(Protocol):
    """What draws an image elsewhere, such as a StyleGAN3's ``Generator.synthesize``."""

    def __call__(self, ws: Tensor, *, translate: Sequence[float] = ..., rotate: float = ...) -> Tensor:
        """ws to images ``[N, C, S, S]``, turned counter-clockwise by ``rotate`` degrees about their centre, then
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
        synthesize: draws the image elsewhere.
        codes: batches of ws, such as ``draw_codes`` gives; 50,000 in publications. Each
            batch has a shift of its own.
        fractional: shift by parts of pixels, too.
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

    Pixels hold what a square grid can; turned images hold what the turned grid can. So both are compared with the
    frequencies that are in both.

    Args:
        synthesize, codes, seed: as there; each batch has an angle of its own.
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
    """The mean squared error over the pixels that count."""

    def __init__(self) -> None:
        self._total, self._pixels = 0.0, 0

    def add(self, difference: Tensor, inside: Tensor) -> None:
        valid = difference[..., inside.to(difference.device)]
        self._total += float(valid.cpu().double().square().sum())
        self._pixels += valid.numel()

    def decibels(self) -> float:
        if not self._pixels:
            raise ValueError("equivariance needs a code, and an image larger than the margins of its filters")
        mean = self._total / self._pixels
        return 10 * math.log10(_RANGE**2 / mean) if mean else math.inf
