"""A convolution over blocks is the one with a stride, in values and gradients."""

import pytest
import torch
from torch.nn import functional as F

from stylegan_latents.generator.perceptual import strided_convolution
from tests.odd_models import seeded


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(11, 4, 2), (7, 2, 0), (3, 3, 1), (4, 2, 1)])
@pytest.mark.parametrize("size", [(32, 32), (33, 40), (34, 19), (35, 64)])
def test_equals_the_plain_convolution(kernel: int, stride: int, padding: int, size: tuple[int, int]) -> None:
    with seeded(kernel):
        x = torch.randn(2, 3, *size, requires_grad=True)
        weight, bias = torch.randn(5, 3, kernel, kernel), torch.randn(5)
    plain = F.conv2d(x, weight, bias, stride=stride, padding=padding)
    fast = strided_convolution(x, weight, bias, stride, padding)
    torch.testing.assert_close(fast, plain, rtol=1e-4, atol=1e-4)
    with seeded(1):
        grad = torch.randn_like(plain)
    (expected,) = torch.autograd.grad(plain, x, grad)
    (found,) = torch.autograd.grad(fast, x, grad)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
