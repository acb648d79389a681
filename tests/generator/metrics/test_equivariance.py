"""Equivariance of waves that are drawn exactly where they are asked for, and of a picture that never moves."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.metrics.equivariance import rotation_equivariance, translation_equivariance
from stylegan_latents.generator.metrics.resampling import limit_as_turned, shift, shift_pixels, turn, turned_filter
from tests.generator.metrics.without_doubles import WithoutDoubles

SIDE = 48


def _waves(ws: Tensor, *, translate: Sequence[float] = (0.0, 0.0), rotate: float = 0.0) -> Tensor:
    """Waves of up to a quarter of the sampling rate, drawn turned and moved."""
    at = (torch.arange(SIDE, dtype=torch.float64) + 0.5) / SIDE - 0.5
    down, right = torch.meshgrid(at - translate[1], at - translate[0], indexing="ij")
    cosine, sine = math.cos(math.radians(rotate)), math.sin(math.radians(rotate))
    # A point that is turned counter-clockwise comes from where it is turned back to; down is the second axis.
    right, down = cosine * right - sine * down, sine * right + cosine * down
    frequencies = torch.randn(6, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    frequencies = frequencies / frequencies.norm(dim=1, keepdim=True) * torch.linspace(2, SIDE / 4, 6)[:, None]
    images = [torch.sin(2 * math.pi * (fx * right + fy * down) + 1) for fx, fy in frequencies.tolist()]
    return torch.stack(images).reshape(2, 3, SIDE, SIDE)[: len(ws)]


def _still(ws: Tensor, **_move: object) -> Tensor:
    return _waves(ws)


CODES = [torch.zeros(2, 1, 1)] * 6


def test_what_moves_as_a_whole_scores_high() -> None:
    assert translation_equivariance(_waves, CODES) > 200  # float64
    # The filters' quality bounds these; what never moves scores far below.
    assert translation_equivariance(_waves, CODES, fractional=True) > 40
    assert rotation_equivariance(_waves, CODES) > 40


def test_what_never_moves_scores_low() -> None:
    assert translation_equivariance(_still, CODES) < 15
    assert translation_equivariance(_still, CODES, fractional=True) < 15
    assert rotation_equivariance(_still, CODES) < 15


def test_no_double_reaches_a_device_without_them() -> None:
    def drawn(ws: Tensor, **move: Any) -> Tensor:
        return _waves(ws, **move).float().as_subclass(WithoutDoubles)

    assert translation_equivariance(drawn, CODES[:1], fractional=True) > 40
    assert rotation_equivariance(drawn, CODES[:1]) > 40


def test_a_wrong_direction_scores_low() -> None:
    def mirrored(ws: Tensor, *, translate: Sequence[float] = (0.0, 0.0), rotate: float = 0.0) -> Tensor:
        return _waves(ws, translate=(translate[0], -translate[1]), rotate=-rotate)

    assert translation_equivariance(mirrored, CODES) < 15
    assert rotation_equivariance(mirrored, CODES) < 15


def test_the_decibels_are_those_of_the_pixels_that_count() -> None:
    moves: list[tuple[float, ...]] = []

    def noisy(ws: Tensor, *, translate: Sequence[float] = (0.0, 0.0), **_move: object) -> Tensor:
        moves.append(tuple(translate))
        return _waves(ws, translate=translate) + (0.1 if any(translate) else 0.0)

    # An error of 0.1 everywhere, of a range of 2.
    assert translation_equivariance(noisy, CODES) == pytest.approx(20 * math.log10(2 / 0.1), abs=1e-6)
    shifts = SIDE * np.array(moves[1::2])
    assert np.allclose(shifts, shifts.round())
    assert 1 < np.abs(shifts).max() <= 0.125 * SIDE
    with pytest.raises(ValueError, match="needs a code"):
        translation_equivariance(_waves, [])


def test_whole_pixels() -> None:
    images = torch.arange(12.0).reshape(1, 1, 3, 4)
    moved, inside = shift_pixels(images, 1, -1)
    assert moved[0, 0].tolist() == [[0, 4, 5, 6], [0, 8, 9, 10], [0, 0, 0, 0]]
    assert inside.tolist() == [[False, True, True, True]] * 2 + [[False] * 4]
    for right, down in ((0, 0), (7, 0), (0, -9)):
        moved, inside = shift_pixels(images, right, down)
        assert torch.equal(moved, images if not (right or down) else torch.zeros_like(images))
        assert bool(inside.all()) == (not (right or down))


def test_parts_of_pixels_against_a_convolution_in_numpy() -> None:
    line = np.random.default_rng(0).normal(size=20)
    images = torch.from_numpy(np.tile(line, (20, 1)))[None, None]
    moved, inside = shift(images, 2.3, 0)
    at = np.arange(20)[:, None] - np.arange(20)[None, :] - 2.3
    weights = np.where(np.abs(at) < 3, np.sinc(at) * np.sinc(at / 3), 0)
    total = weights[10].sum()
    columns = inside.any(dim=0).numpy()
    np.testing.assert_allclose(moved[0, 0, 8].numpy()[columns], (weights @ line / total)[columns], rtol=1e-9)
    assert columns.tolist() == [False] * 5 + [True] * 15
    whole, mask = shift(images, 3.0, -2.0)
    assert torch.allclose(whole[0, 0][mask], shift_pixels(images, 3, -2)[0][0, 0][mask], atol=1e-12)


def test_quarter_turns_are_those_of_the_array() -> None:
    images = torch.rand(1, 2, 32, 32, dtype=torch.float64)
    for quarters in (1, 2, 3):
        turned, inside = turn(images, 90.0 * quarters)
        wanted = torch.rot90(images, quarters, (2, 3))
        # The two grids are one, so the filter leaves all; it is sampled four times a pixel, which costs a little.
        assert torch.allclose(turned[..., inside], wanted[..., inside], atol=0.01)
        same, _ = limit_as_turned(wanted, 90.0 * quarters)
        assert torch.allclose(same[..., inside], wanted[..., inside], atol=1e-9)
    assert int(turn(images, 30.0)[1].sum()) > 200


def test_the_filter_passes_what_both_grids_hold_and_little_else() -> None:
    kernel = turned_filter(30.0, 1)[0, 0]
    assert kernel.shape == (12, 12)
    assert float(kernel.sum()) == pytest.approx(1)
    at = torch.arange(12, dtype=torch.float64) - 6

    def gain(fx: float, fy: float) -> float:
        wave = torch.cos(2 * math.pi * (fx * at[None, :] + fy * at[:, None]))
        return float((kernel * wave).sum())

    assert gain(0.2, 0.1) == pytest.approx(1, abs=0.05)
    # The corner of one grid's band is outside of the other's.
    assert abs(gain(0.5, 0.5)) < 0.1
