"""MobileStyleGAN: its two paths agree on any sizes, and the default model draws what OpenVINO draws."""

import copy
import json

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents import generator
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.mobile import Mapping, MobileConfig
from stylegan_latents.generator.networks.mobile_layers import SeparableConv
from tests.generator.fixtures.make_ffhq_openvino import FIXTURE, SEEDS, W_VALUES
from tests.odd_models import ODD, ODD_SIZES, odd_generator, seeded


def _codes(G: Generator, batch: int) -> Tensor:
    """W+ codes whose rows differ."""
    with seeded(batch):
        return torch.randn(batch, G.num_ws, G.w_dim)


# Any sizes


@pytest.mark.parametrize("size", [64, 16])
@pytest.mark.parametrize("batch", [1, 3])
def test_gradients_equal_references(batch: int, size: int) -> None:
    """With regard to the code, every style and every noise map."""
    G = odd_generator()
    results = []
    for reference in (False, True):
        ws = _codes(G, batch).requires_grad_()
        styles = G.styles(ws)
        for style in styles:
            style.retain_grad()
        noise = [map.clone().requires_grad_() for map in G.noise_constants()]
        image = G.synthesize_styles(styles, noise, size=size, reference=reference)
        with seeded(5):
            image.backward(torch.randn(image.shape))
        results.append([ws.grad, *(style.grad for style in styles), *(map.grad for map in noise)])
    for i, (fast, plain) in enumerate(zip(*results, strict=True)):
        assert fast is not None
        assert plain is not None
        assert (fast - plain).norm() <= 1e-5 * plain.norm(), i
    assert results[1][0].norm() > 0  # type: ignore[union-attr]


@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize("sizes", ODD_SIZES)
def test_every_size_is_the_exact_area_average(sizes: str, reference: bool) -> None:
    G = odd_generator(ODD_SIZES[sizes])
    ws = _codes(G, 2)
    full = G.synthesize(ws, reference=True)
    size = G.resolution
    while size >= 1:
        image = G.synthesize(ws, size=size, reference=reference)
        assert image.shape[-2:] == (size, size)
        torch.testing.assert_close(image, F.avg_pool2d(full, G.resolution // size), rtol=1e-5, atol=1e-5)
        size //= 2


def test_noise_that_rounding_hides_is_left_out() -> None:
    conv = SeparableConv(8, 4, 6, 16)
    with seeded(1):
        x, style, maps = torch.randn(1, 4, 16, 16), 1 + 0.1 * torch.randn(1, 4), torch.randn(1, 1, 16, 16)
    conv.bias.data.fill_(1.0)
    for strength, dtype, counts in (
        (3e-4, torch.bfloat16, False),
        (3e-4, torch.float32, True),
        (0.1, torch.bfloat16, True),
    ):
        conv.noise.data = strength * maps
        conv.set_precision(dtype)
        lower = x.to(dtype)
        without = conv(lower, style, None, reference=False)
        assert torch.equal(conv(lower, style, conv.noise, reference=False), without) != counts
        # A map that the caller brings is drawn with, whatever it is.
        brought = torch.full_like(conv.noise, 0.5)
        assert not torch.equal(conv(lower, style, brought, reference=False), without)


def test_weights_get_the_references_gradients() -> None:
    """Pivotal tuning asks for these."""
    ws = _codes(odd_generator(), 2)
    grads = []
    for reference in (False, True):
        G = odd_generator()
        G.synthesis.requires_grad_(True)
        G.synthesize(ws, reference=reference).square().sum().backward()
        grads.append({name: parameter.grad for name, parameter in G.synthesis.named_parameters()})
    for name, plain in grads[1].items():
        assert plain is not None, name
        fast = grads[0][name]
        assert fast is not None, name
        assert (fast - plain).norm() <= 1e-4 * plain.norm(), name


def test_noise_has_the_sides_of_the_layers() -> None:
    G = odd_generator()
    assert [map.shape[-1] for map in G.noise_constants()] == [4, 8, 8, 16, 16, 32, 32]
    assert G.resolution == 64


def test_mapping_normalises_z() -> None:
    with seeded(0):
        mapping = Mapping(ODD)
        z = torch.randn(4, ODD.z_dim)
    torch.testing.assert_close(mapping(5 * z), mapping(z), rtol=1e-4, atol=1e-5)
    assert torch.isfinite(mapping(torch.zeros(1, ODD.z_dim))).all()
    x = z / z.square().mean(dim=1, keepdim=True).sqrt()
    for layer in mapping.layers:
        x = 2**0.5 * F.leaky_relu(x @ layer.weight.T + layer.bias, 0.2)
    torch.testing.assert_close(mapping(z), x, rtol=1e-5, atol=1e-5)


def test_resolution_follows_from_the_channels() -> None:
    for count in (1, 2, 5, 8):
        assert MobileConfig(1, 1, 1, channels=(4,) * count).resolution == 4 * 2**count


# The default model


@pytest.fixture(scope="module")
def ffhq() -> Generator:
    return generator.load("ffhq")


@pytest.fixture(scope="module")
def images(ffhq: Generator) -> dict[int, tuple[Tensor, Tensor]]:
    """For each recorded seed the ws and the image in float32."""
    results = {}
    with torch.inference_mode():
        for seed in SEEDS:
            z = np.random.RandomState(seed).randn(1, ffhq.z_dim).astype(np.float32)
            ws = ffhq.map(torch.from_numpy(z))
            results[seed] = ws, ffhq.synthesize(ws)
    return results


@pytest.mark.parametrize("seed", SEEDS)
def test_default_model_draws_what_openvino_draws(images: dict[int, tuple[Tensor, Tensor]], seed: int) -> None:
    """Issue 2, point 3: within 1e-3 of OpenVINO in float32. Measured over every pixel: 7.3e-5."""
    recorded = json.loads(FIXTURE.read_text(encoding="utf-8"))
    expected = recorded["samples"][str(seed)]
    ws, image = images[seed]
    torch.testing.assert_close(ws[0, :, :W_VALUES], torch.tensor(expected["w"]).expand(ws.shape[1], -1),
                               rtol=1e-4, atol=1e-5)  # fmt: skip
    rows, columns = torch.tensor(recorded["rows_and_columns"]).T
    torch.testing.assert_close(image[0, :, rows, columns].T, torch.tensor(expected["pixels"]), rtol=0, atol=1e-3)
    std, mean = torch.std_mean(image[0].double(), dim=(1, 2), correction=0)
    torch.testing.assert_close(mean.float(), torch.tensor(expected["mean"]), rtol=0, atol=1e-4)
    torch.testing.assert_close(std.float(), torch.tensor(expected["std"]), rtol=0, atol=1e-4)


def test_default_model_in_bfloat16_within_40_decibels(
    ffhq: Generator, images: dict[int, tuple[Tensor, Tensor]]
) -> None:
    """Measured: 52.9 and more. The small image that a search looks at, too."""
    lower = copy.deepcopy(ffhq).to(dtype=torch.bfloat16)
    ws, image = images[SEEDS[0]]
    with torch.inference_mode():
        for drawn, expected in (
            (lower.synthesize(ws), image),
            (lower.synthesize(ws, size=256), F.avg_pool2d(image, image.shape[-1] // 256)),
        ):
            assert 10 * torch.log10(4 / F.mse_loss(drawn, expected)) >= 40


def test_default_model_at_a_quarter_is_the_area_average(
    ffhq: Generator, images: dict[int, tuple[Tensor, Tensor]]
) -> None:
    ws, image = images[SEEDS[0]]
    with torch.inference_mode():
        quarter = ffhq.synthesize(ws, size=ffhq.resolution // 4)
    torch.testing.assert_close(quarter, F.avg_pool2d(image, 4), rtol=0, atol=1e-4)


def test_default_model_sketches_what_it_draws(ffhq: Generator, images: dict[int, tuple[Tensor, Tensor]]) -> None:
    """Measured: 34 decibels and more."""
    lower = copy.deepcopy(ffhq).to(dtype=torch.bfloat16)
    for ws, image in images.values():
        with torch.inference_mode():
            sketch = lower.sketch(ws, size=256)
        assert 10 * torch.log10(4 / F.mse_loss(sketch, F.avg_pool2d(image, 4))) >= 30


@pytest.mark.slow
def test_default_model_reference_path(ffhq: Generator, images: dict[int, tuple[Tensor, Tensor]]) -> None:
    ws, image = images[SEEDS[0]]
    with torch.inference_mode():
        torch.testing.assert_close(ffhq.synthesize(ws, reference=True), image, rtol=0, atol=1e-4)
