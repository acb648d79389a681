import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.ops.modulated_convolution import (
    Activation,
    modulated_convolution,
    modulated_convolution_reference,
)

FILTERS = {"plain": None, "bilinear": (0.125, 0.375, 0.375, 0.125), "skew": (0.1, 0.2, 0.7), "pair": (0.5, 0.5)}
LONG = (0.02, 0.08, 0.1, 0.2, 0.3, 0.15, 0.1, 0.05)


def _inputs(n: int, size: int, up: bool, channels: int = 6) -> list[Tensor]:
    torch.manual_seed(n)
    side = 2 * size if up else size
    return [
        torch.randn(n, channels, size, size),
        torch.randn(5, channels, 3, 3),
        torch.randn(n, channels) + 1,
        torch.randn(5),
        torch.randn(1, 1, side, side),
    ]


@pytest.mark.parametrize("up", [*FILTERS.values(), LONG], ids=[*FILTERS, "long"])
@pytest.mark.parametrize(("n", "size"), [(1, 4), (3, 2), (3, 9)])
def test_fast_path_equals_the_definition(up: tuple[float, ...] | None, n: int, size: int) -> None:
    results = []
    activation = Activation(1.1, 0.9) if n == 3 else Activation()
    for function in (modulated_convolution_reference, modulated_convolution):
        leaves = [tensor.double().requires_grad_() for tensor in _inputs(n, size, up is not None)]
        out = function(*leaves, activation, up)
        weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        results.append((out, torch.autograd.grad((out * weights).sum(), leaves)))
    (expected, expected_grads), (out, grads) = results
    assert out.shape == expected.shape
    torch.testing.assert_close(out, expected, rtol=1e-9, atol=1e-9)
    for grad, expected_grad in zip(grads, expected_grads, strict=True):
        torch.testing.assert_close(grad, expected_grad, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("n", [1, 3])
def test_half_precision_is_close_and_keeps_large_styles_finite(dtype: torch.dtype, n: int) -> None:
    x, weight, style, bias, noise = _inputs(n, 4, up=False)
    expected = modulated_convolution_reference(x, weight, 1e5 * style, bias, noise, Activation())
    out = modulated_convolution(x.to(dtype), weight, 1e5 * style, bias, noise, Activation())
    assert out.dtype == dtype
    assert (out.float() - expected).norm() < 0.02 * expected.norm()
