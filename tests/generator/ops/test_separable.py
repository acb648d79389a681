"""The fast separable convolution is the reference, in values and gradients."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.ops.separable import modulated_separable, modulated_separable_reference
from tests.odd_models import seeded

LEAK = 0.2
Convolve = Callable[..., Tensor]


@dataclass(frozen=True)
class _Case:
    x: Tensor
    style: Tensor
    noise: Tensor | None
    depthwise: Tensor
    pointwise: Tensor
    bias: Tensor
    grad: Tensor

    def run(self, convolve: Convolve) -> dict[str, Tensor]:
        """The output, and the gradients of what may need one."""
        x, style = self.x.clone().requires_grad_(), self.style.clone().requires_grad_()
        noise = None if self.noise is None else self.noise.clone().requires_grad_()
        out = convolve(x, style, self.depthwise, self.pointwise, self.bias, noise, LEAK)
        out.backward(self.grad)
        results = {"out": out.detach(), "x": x.grad, "style": style.grad}
        if noise is not None:
            results["noise"] = noise.grad
        assert all(value is not None for value in results.values())
        return results  # type: ignore[return-value]


def _case(batch: int, noise: str, dtype: torch.dtype = torch.float32, *, exact: bool = False) -> _Case:
    """``exact`` gives the values of ``dtype``, computed with in float32."""

    def rounded(tensor: Tensor) -> Tensor:
        return tensor.to(dtype).float() if exact else tensor.to(dtype)

    with seeded(batch):
        maps = {"none": None, "shared": torch.randn(1, 1, 6, 9), "own": torch.randn(batch, 1, 6, 9)}
        return _Case(
            x=rounded(torch.randn(batch, 7, 6, 9)),
            style=1 + 0.3 * torch.randn(batch, 7),
            noise=maps[noise],
            depthwise=rounded(torch.randn(7, 1, 3, 3) / 3),
            pointwise=rounded(torch.randn(11, 7) / 7**0.5),
            bias=torch.randn(11),
            grad=rounded(torch.randn(batch, 11, 6, 9)),
        )


@pytest.mark.parametrize("noise", ["none", "shared", "own"])
@pytest.mark.parametrize("batch", [1, 3])
def test_fast_equals_reference_in_float32(batch: int, noise: str) -> None:
    case = _case(batch, noise)
    fast, plain = case.run(modulated_separable), case.run(modulated_separable_reference)
    for name, expected in plain.items():
        torch.testing.assert_close(
            fast[name], expected, rtol=1e-5, atol=1e-5, msg=lambda text, n=name: f"{n}: {text}"
        )


@pytest.mark.parametrize("noise", ["none", "shared", "own"])
@pytest.mark.parametrize("batch", [1, 3])
def test_fast_is_near_reference_in_bfloat16(batch: int, noise: str) -> None:
    fast = _case(batch, noise, torch.bfloat16).run(modulated_separable)
    exact = _case(batch, noise, torch.bfloat16, exact=True).run(modulated_separable_reference)
    assert fast["out"].dtype == fast["x"].dtype == torch.bfloat16
    assert fast["style"].dtype == torch.float32
    for name, expected in exact.items():
        # A value near zero may fall on the other side of the leaky ReLU, so gradients are judged as a whole.
        assert (fast[name].float() - expected).norm() < 0.05 * expected.norm(), name


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_memory_layout_of_the_input_changes_nothing(layout: torch.memory_format) -> None:
    case = _case(3, "shared")
    other = _Case(**{**vars(case), "x": case.x.contiguous(memory_format=layout)})
    for a, b in zip(other.run(modulated_separable).values(), case.run(modulated_separable).values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("noise_samples", [0, 1, 2])
def test_gradcheck_in_float64(noise_samples: int) -> None:
    with seeded(noise_samples):
        x = torch.randn(2, 3, 3, 4, dtype=torch.float64, requires_grad=True)
        style = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
        depthwise = torch.randn(3, 1, 3, 3, dtype=torch.float64)
        pointwise, bias = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
        noise = torch.randn(max(noise_samples, 1), 1, 3, 4, dtype=torch.float64, requires_grad=True)

    def fast(x: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        return modulated_separable(x, style, depthwise, pointwise, bias, noise, LEAK)

    inputs = (x, style, noise) if noise_samples else (x, style)
    assert torch.autograd.gradcheck(fast, inputs)
    expected = modulated_separable_reference(
        x, style, depthwise, pointwise, bias, noise if noise_samples else None, LEAK
    )
    torch.testing.assert_close(fast(*inputs), expected, rtol=1e-12, atol=1e-12)


def test_only_the_gradients_that_are_asked_for() -> None:
    case = _case(2, "own")
    style = case.style.clone().requires_grad_()
    out = modulated_separable(case.x, style, case.depthwise, case.pointwise, case.bias, case.noise, LEAK)
    out.backward(case.grad)
    torch.testing.assert_close(style.grad, case.run(modulated_separable_reference)["style"], rtol=1e-5, atol=1e-5)
    assert case.x.grad is None


def test_a_second_derivative_is_refused_not_wrong() -> None:
    case = _case(1, "none")
    x = case.x.clone().requires_grad_()
    out = modulated_separable(x, case.style, case.depthwise, case.pointwise, case.bias, None, LEAK)
    (grad,) = torch.autograd.grad(out.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


def _weight_grads(case: _Case, convolve: Convolve, which: list[str]) -> list[Tensor]:
    weights = {name: getattr(case, name).clone() for name in _WEIGHTS}
    for name in which:
        weights[name].requires_grad_()
    convolve(case.x, case.style, *weights.values(), case.noise, LEAK).backward(case.grad)
    grads = [weights[name].grad for name in which]
    assert all(grad is not None and grad.abs().max() > 0 for grad in grads)
    return grads  # type: ignore[return-value]


_WEIGHTS = ["depthwise", "pointwise", "bias"]
_BOTH: tuple[Convolve, Convolve] = (modulated_separable, modulated_separable_reference)


@pytest.mark.parametrize("which", [["depthwise"], ["pointwise"], ["bias"], _WEIGHTS])
@pytest.mark.parametrize("batch", [1, 3])
def test_weights_gradients_equal_the_references(which: list[str], batch: int) -> None:
    case = _case(batch, "shared")
    fast, plain = (_weight_grads(case, run, which) for run in _BOTH)
    for ours, expected in zip(fast, plain, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


def test_weights_gradients_are_near_the_references_in_bfloat16() -> None:
    fast = _weight_grads(_case(2, "own", torch.bfloat16), modulated_separable, _WEIGHTS)
    exact = _weight_grads(_case(2, "own", torch.bfloat16, exact=True), modulated_separable_reference, _WEIGHTS)
    for ours, expected in zip(fast, exact, strict=True):
        assert (ours.float() - expected).norm() < 0.05 * expected.norm()


def test_gradcheck_of_all_at_once_in_float64() -> None:
    with seeded(7):
        shapes = [(2, 3, 3, 4), (2, 3), (3, 1, 3, 3), (5, 3), (5,), (1, 1, 3, 4)]
        inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(lambda *values: modulated_separable(*values, LEAK), inputs)


@pytest.mark.parametrize("height", [1, 2])
def test_weights_gradients_of_maps_smaller_than_the_kernel(height: int) -> None:
    case = _case(1, "none")
    small = _Case(**{**vars(case), "x": case.x[:, :, :height, :1], "grad": case.grad[:, :, :height, :1]})
    fast, plain = (_weight_grads(small, run, _WEIGHTS) for run in _BOTH)
    for ours, expected in zip(fast, plain, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)
