"""The fast inverse wavelet is the reference, in values and gradients, and keeps what its docstring promises."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.ops import wavelet
from stylegan_latents.generator.ops.wavelet import channel_dot, inverse_haar, inverse_haar_reference
from tests.odd_models import seeded


def _inputs(batch: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    """Bands, style, and a gradient for the output."""
    with seeded(batch):
        bands, style = torch.randn(batch, 20, 6, 10), 1 + 0.3 * torch.randn(batch, 20)
        return bands.to(dtype), style, torch.randn(batch, 5, 12, 20).to(dtype)


def _gradients(function: object, bands: Tensor, style: Tensor, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    bands, style = bands.clone().requires_grad_(), style.clone().requires_grad_()
    out = function(bands, style)  # type: ignore[operator]
    out.backward(grad)
    assert bands.grad is not None
    assert style.grad is not None
    return out.detach(), bands.grad, style.grad


@pytest.mark.parametrize("batch", [1, 3])
def test_fast_equals_reference_in_float32(batch: int) -> None:
    inputs = _inputs(batch)
    for fast, plain in zip(
        _gradients(inverse_haar, *inputs), _gradients(inverse_haar_reference, *inputs), strict=True
    ):
        torch.testing.assert_close(fast, plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
def test_fast_is_near_reference_in_bfloat16(batch: int) -> None:
    bands, style, grad = _inputs(batch, torch.bfloat16)
    fast = _gradients(inverse_haar, bands, style, grad)
    exact = _gradients(inverse_haar_reference, bands.float(), style, grad.float())
    assert fast[0].dtype == fast[1].dtype == torch.bfloat16
    assert fast[2].dtype == torch.float32
    for ours, plain in zip(fast, exact, strict=True):
        assert (ours.float() - plain).norm() < 0.01 * plain.norm()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_memory_layout_of_the_input_changes_nothing(layout: torch.memory_format) -> None:
    bands, style, grad = _inputs(3)
    expected = _gradients(inverse_haar, bands, style, grad)
    again = _gradients(
        inverse_haar, bands.contiguous(memory_format=layout), style, grad.contiguous(memory_format=layout)
    )
    for a, b in zip(again, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)


def test_strips_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bands, style, _ = _inputs(3)
    whole = inverse_haar(bands, style)
    for size in (1, 20 * 10 * 4):  # one row at a time, and four with two left over
        monkeypatch.setattr(wavelet, "_STRIP", size)
        assert torch.equal(inverse_haar(bands, style), whole)


def test_gradcheck_in_float64() -> None:
    with seeded(0):
        bands = torch.randn(2, 8, 2, 3, dtype=torch.float64, requires_grad=True)
        style = torch.randn(2, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(inverse_haar, (bands, style))
    expected = inverse_haar_reference(bands, style)
    torch.testing.assert_close(inverse_haar(bands, style), expected, rtol=1e-12, atol=1e-12)


def test_a_second_derivative_is_refused_not_wrong() -> None:
    bands = torch.randn(1, 4, 2, 2, requires_grad=True)
    (grad,) = torch.autograd.grad(inverse_haar(bands).square().sum(), bands, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


def test_without_style_it_is_the_plain_transform() -> None:
    bands, _, _ = _inputs(2)
    torch.testing.assert_close(inverse_haar(bands), inverse_haar_reference(bands), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(inverse_haar(bands), inverse_haar(bands, torch.ones(2, 20)), rtol=0, atol=0)


@pytest.mark.parametrize("haar", [inverse_haar, inverse_haar_reference])
def test_bands_are_low_vertical_horizontal_diagonal(haar: object) -> None:
    """Each band alone gives its basis image, and the four together are orthonormal."""
    expected = {
        0: [[1, 1], [1, 1]],
        1: [[1, 1], [-1, -1]],
        2: [[1, -1], [1, -1]],
        3: [[1, -1], [-1, 1]],
    }
    for band, block in expected.items():
        bands = torch.zeros(1, 4, 1, 1)
        bands[0, band] = 2
        assert haar(bands)[0, 0].tolist() == block  # type: ignore[operator]
    bands, _, _ = _inputs(1)
    assert float(haar(bands).square().sum()) == pytest.approx(float(bands.square().sum()))  # type: ignore[operator]


def test_the_mean_of_each_block_is_half_the_scaled_low_band() -> None:
    bands, style, _ = _inputs(3)
    low = 0.5 * (bands * style[:, :, None, None])[:, :5]
    torch.testing.assert_close(F.avg_pool2d(inverse_haar(bands, style), 2), low, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("haar", [inverse_haar, inverse_haar_reference])
@pytest.mark.parametrize("shape", [(1, 6, 2, 2), (4, 2, 2)])
def test_channels_that_are_no_multiple_of_four_are_refused(haar: object, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\[N, 4\*C, H, W\]"):
        haar(torch.zeros(shape))  # type: ignore[operator]


def test_channel_dot_adds_up_in_float32() -> None:
    """A quarter of a million ones: a running sum in bfloat16 would stop at 256."""
    ones = torch.ones(1, 2, 512, 512, dtype=torch.bfloat16)
    total = channel_dot(ones, ones)
    assert total.dtype == torch.float32
    assert total.tolist() == [[512.0**2, 512.0**2]]
    double = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(channel_dot(double, double), double.square().sum((2, 3)))
