"""LPIPS in the numbers of the package ``lpips``; features give the same distance; resizing averages."""

from typing import Any, get_args

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.perceptual import strided_convolution
from stylegan_latents.generator.weights import zoo
from stylegan_latents.invert.search.loss import LPIPS, Trunk, area_resize
from tests.odd_models import seeded, tiny_lpips

TRUNKS = get_args(Trunk)

# lpips 0.1.4 with the zoo's trunks, on ``_recorded_pair``.
RECORDED = {"alex": [0.0158803, 0.01512], "vgg": [0.0627148, 0.0531795]}


def _recorded_pair() -> tuple[Tensor, Tensor]:
    """Two smooth pictures with noise, and two others near them; ``RandomState`` never changes its numbers."""
    source = np.random.RandomState(0)
    a, noise = (source.uniform(-1, 1, (2, 3, 64, 64)).astype(np.float32) for _ in range(2))
    y, x = np.mgrid[0:64, 0:64].astype(np.float32) / 64
    smooth = np.stack([np.sin(6 * x + 3 * y), np.cos(5 * y), np.sin(4 * x * y)])[None].astype(np.float32)
    a = 0.5 * a + 0.5 * smooth
    return torch.from_numpy(a), torch.from_numpy(0.8 * a + 0.2 * noise)


def _random_pair(height: int, width: int) -> tuple[Tensor, Tensor]:
    with seeded(height):
        a, b = (torch.rand(2, 3, height, width) * 2 - 1 for _ in range(2))
    return a, 0.7 * a + 0.3 * b


@pytest.fixture(scope="module", params=TRUNKS)
def measure(request: pytest.FixtureRequest) -> LPIPS:
    """With the published weights."""
    return LPIPS.load(request.param)


def _reference(trunk: Trunk) -> Any:
    """The package ``lpips`` with the zoo's trunk, its own being where this machine may not reach."""
    try:
        import lpips
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError) as error:  # RuntimeError: a torchvision made for another torch
        pytest.skip(f"the packages lpips and torchvision are needed for comparison: {error}")
    theirs = lpips.LPIPS(net=trunk, pretrained=True, pnet_rand=True, verbose=False)
    ours = load_file(zoo.fetch(f"lpips-{trunk}"))
    convolutions = [module for module in theirs.net.modules() if isinstance(module, torch.nn.Conv2d)]
    assert len(convolutions) == sum(name.startswith("conv") for name in ours) // 2
    for i, convolution in enumerate(convolutions):
        convolution.weight.data = ours[f"conv{i}.weight"]
        convolution.bias.data = ours[f"conv{i}.bias"]
    return theirs


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("trunk", TRUNKS)
def test_equals_the_package(trunk: Trunk) -> None:
    theirs, ours = _reference(trunk), LPIPS.load(trunk)
    for height, width in ((64, 64), (65, 97), (32, 32)):
        a, b = _random_pair(height, width)
        a.requires_grad_()
        expected, distance = theirs(a, b).flatten(), ours(a, b)
        torch.testing.assert_close(distance, expected, rtol=1e-4, atol=1e-5)
        assert expected.min() > 1e-3
        (expected_grad,) = torch.autograd.grad(expected.sum(), a)
        (grad,) = torch.autograd.grad(distance.sum(), a)
        assert (grad - expected_grad).norm() < 5e-3 * expected_grad.norm()


def test_recorded_numbers(measure: LPIPS) -> None:
    with torch.no_grad():
        distance = measure(*_recorded_pair())
    torch.testing.assert_close(distance, torch.tensor(RECORDED[measure.trunk]), rtol=0, atol=1e-5)


def test_is_zero_for_equals_and_symmetric(measure: LPIPS) -> None:
    a, b = _random_pair(64, 64)
    assert measure(a, a.clone()).tolist() == [0, 0]
    torch.testing.assert_close(measure(a, b), measure(b, a))


def test_features_give_the_distance(measure: LPIPS) -> None:
    a, b = _random_pair(64, 48)
    ours, theirs = measure.features(a), measure.features(b)
    assert len(ours) == 5
    assert all(tap.dtype == torch.float32 and len(tap) == 2 for tap in ours)
    parts = [(x - y).square().sum(1).mean((1, 2)) for x, y in zip(ours, theirs, strict=True)]
    torch.testing.assert_close(measure.distance(ours, theirs), torch.stack(parts).sum(0))
    torch.testing.assert_close(measure.distance(ours, theirs), measure(a, b))
    alone = torch.cat([measure(x, y) for x, y in zip(a.split(1), b.split(1), strict=True)])
    torch.testing.assert_close(measure(a, b), alone, rtol=1e-4, atol=1e-6)


def test_bfloat16_is_near() -> None:
    for trunk in TRUNKS:
        exact, lower = LPIPS.load(trunk), LPIPS.load(trunk).in_precision(torch.bfloat16)
        a, b = _random_pair(64, 64)
        features = lower.features(a)
        assert all(tap.dtype == torch.bfloat16 for tap in features)
        distance = lower(a, b)
        assert distance.dtype == torch.float32
        torch.testing.assert_close(distance, exact(a, b), rtol=0.03, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_flat_images_have_finite_gradients(value: float, dtype: torch.dtype) -> None:
    measure = tiny_lpips().in_precision(dtype)
    measure.get_buffer("conv4_bias").fill_(-1000)  # nothing passes the last ReLU
    image = torch.full((1, 3, 64, 64), value, requires_grad=True)
    measure(image, _random_pair(64, 64)[0][:1]).backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
    assert image.grad.abs().max() > 0


def test_nothing_of_it_is_trained() -> None:
    measure = tiny_lpips()
    assert not list(measure.parameters())
    a, b = _random_pair(64, 64)
    assert not measure(a, b).requires_grad


def test_input_is_left_as_it_is() -> None:
    measure = tiny_lpips()
    a, b = _random_pair(64, 64)
    before = a.clone()
    measure(a, b)
    assert torch.equal(a, before)


# Resizing


def test_shrinking_is_the_area_average() -> None:
    image = torch.arange(2 * 3 * 8 * 8.0).reshape(2, 3, 8, 8)
    expected = image.reshape(2, 3, 4, 2, 4, 2).mean((3, 5))
    torch.testing.assert_close(area_resize(image, 4), expected)
    assert torch.equal(area_resize(image, 8), image)
    odd = torch.rand(1, 3, 100, 60)
    assert area_resize(odd, 48).shape == (1, 3, 48, 48)


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (20, 7), (7, 20)])
def test_enlarging_keeps_a_flat_image_flat(shape: tuple[int, int]) -> None:
    resized = area_resize(torch.full((1, 3, *shape), 0.25), 16)
    torch.testing.assert_close(resized, torch.full((1, 3, 16, 16), 0.25))


def test_enlarging_is_between_its_neighbours() -> None:
    image = torch.tensor([[-1.0, 1.0], [-1.0, 1.0]]).expand(1, 3, 2, 2)
    row = area_resize(image, 8)[0, 0, 3]
    assert (row.diff() >= 0).all()
    assert (row[0], row[-1]) == (-1, 1)


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
