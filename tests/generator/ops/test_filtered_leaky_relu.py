from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.ops import filtered_leaky_relu as ops
from stylegan_latents.generator.ops.filtered_leaky_relu import (
    Nonlinearity,
    Resampling,
    filtered_leaky_relu,
    filtered_leaky_relu_reference,
)
from stylegan_latents.generator.ops.lowpass import radial_lowpass

SKEW = (0.05, 0.1, 0.2, 0.3, 0.25, 0.1)
GRID = tuple(
    tuple(float(value) for value in row) for row in torch.rand(4, 4, generator=torch.Generator().manual_seed(0))
)
CASES = {
    "same rate": Resampling(2, 2, SKEW, SKEW, (6, 5)),
    "doubling": Resampling(4, 2, (*SKEW, *SKEW), SKEW, (9, 8)),
    "halving": Resampling(2, 4, SKEW, (*SKEW, 0.1), (3, 5)),
    "cropping": Resampling(2, 2, SKEW, SKEW, (-3, -2)),
    "margin": Resampling(2, 2, SKEW, SKEW, (40, 30)),
    "any grid": Resampling(2, 2, SKEW, GRID, (4, 3)),
    "radial": Resampling(2, 2, SKEW, radial_lowpass(12, 4.0, 8.0, 32.0), (9, 8)),
    "filter down only": Resampling(1, 1, (1.0,), SKEW, (2, 3)),
    "zeros only": Resampling(2, 1, (1.0,), (1.0,), (0, 0)),
    "nothing": Resampling(1, 1, (1.0,), (1.0,), (0, 0)),
}


@pytest.mark.parametrize("bend", [Nonlinearity(), Nonlinearity(0.3, 1.7, 0.6)], ids=["open", "clamped"])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("small", [False, True], ids=["one part", "many parts"])
def test_fast_path_equals_the_definition(
    monkeypatch: pytest.MonkeyPatch, name: str, bend: Nonlinearity, small: bool
) -> None:
    if small:
        monkeypatch.setattr(ops, "_CPU_TILE", 5)
        monkeypatch.setattr(ops, "_CPU_PART", 800)
    results = []
    for function in (filtered_leaky_relu_reference, filtered_leaky_relu):
        source = torch.Generator().manual_seed(0)
        x = torch.randn(2, 5, 13, 13, generator=source, dtype=torch.float64).requires_grad_()
        out = function(x, CASES[name], bend)
        probe = torch.randn(out.shape, generator=source, dtype=torch.float64)
        results.append((out.detach(), *torch.autograd.grad((out * probe).sum(), x)))
    assert results[0][0].shape[-1] == CASES[name].out_size(13)
    torch.testing.assert_close(results[1], results[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("function", [filtered_leaky_relu, filtered_leaky_relu_reference])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_close(function: Callable[..., Tensor], dtype: torch.dtype) -> None:
    x = torch.randn(1, 8, 40, 40, generator=torch.Generator().manual_seed(0))
    long = Resampling(4, 2, (*SKEW, *SKEW, *SKEW, *SKEW), (*SKEW, *SKEW, *SKEW), (9, 8))
    wanted = filtered_leaky_relu_reference(x, long, Nonlinearity())
    out = function(x.to(dtype), long, Nonlinearity())
    assert out.dtype == dtype
    assert (out.float() - wanted).norm() < 0.02 * wanted.norm()
