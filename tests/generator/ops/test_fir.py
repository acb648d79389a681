from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.ops.fir import (
    downsample,
    downsample_reference,
    normalised,
    upsample,
    upsample_reference,
)

FILTERS = [(1, 3, 3, 1), (1, 2, 1), (1, 1), (3, 1), (1, 4, 2, 7, 3), (1, 2, 5, 6, 6, 5, 2, 1)]
Resample = Callable[[Tensor, Sequence[float]], Tensor]


@pytest.mark.parametrize("taps", FILTERS)
@pytest.mark.parametrize(
    ("fast", "reference"), [(upsample, upsample_reference), (downsample, downsample_reference)]
)
def test_fast_path_equals_the_definition(taps: tuple[float, ...], fast: Resample, reference: Resample) -> None:
    results = []
    for function in (reference, fast):
        x = torch.randn(2, 3, 8, 6, generator=torch.Generator().manual_seed(0)).double().requires_grad_()
        out = function(x, normalised(taps))
        results.append((out, torch.autograd.grad(out.square().sum(), x)[0]))
    torch.testing.assert_close(results[1], results[0], rtol=1e-6, atol=1e-6)


def test_a_flat_image_stays_flat_inside() -> None:
    flat = torch.ones(1, 1, 8, 8)
    assert upsample(flat, normalised((1, 3, 3, 1))).shape == (1, 1, 16, 16)
    torch.testing.assert_close(upsample(flat, normalised((1, 3, 3, 1)))[..., 2:-2, 2:-2], torch.ones(1, 1, 12, 12))
    torch.testing.assert_close(downsample(flat, normalised((1, 3, 3, 1)))[..., 1:-1, 1:-1], torch.ones(1, 1, 2, 2))
