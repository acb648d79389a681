"""What every architecture promises, on small random networks of each."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.formats.native import read_native, save_native
from stylegan_latents.generator.generator import Generator
from tests.generator.networks import eg3d_files, stylegan_t_files, stylenerf_files, test_stylegan1, test_stylegan2
from tests.generator.stylegan2_files import random_stylegan2
from tests.generator.stylegan3_files import R, T, random_stylegan3
from tests.odd_models import ODD_SIZES, odd_generator

_T, _NERF = stylegan_t_files.CONFIG, stylenerf_files.SMALL
_NETWORKS: dict[str, Callable[[], Generator]] = {
    **{f"1 {name}": lambda c=c: test_stylegan1.random_stylegan1(c) for name, c in test_stylegan1.CONFIGS.items()},
    **{f"2 {name}": lambda c=c: random_stylegan2(c) for name, c in test_stylegan2.CONFIGS.items()},
    "3-T": lambda: random_stylegan3(T),
    "3-R": lambda: random_stylegan3(R),
    "T": stylegan_t_files.random_stylegan_t,
    "T plain": lambda: stylegan_t_files.random_stylegan_t(
        replace(_T, pictures=False, clamp=None, has_noise=False, pairs=2)
    ),
    "EG3D": eg3d_files.random_eg3d,
    "StyleNeRF": stylenerf_files.random_stylenerf,
    "StyleNeRF shuffled": lambda: stylenerf_files.random_stylenerf(
        replace(_NERF, upsampling="shuffle", clamp=None, marching=replace(_NERF.marching, grid=32))
    ),
    **{f"Mobile {name}": lambda c=c: odd_generator(c) for name, c in ODD_SIZES.items()},
}


@pytest.fixture(params=_NETWORKS, name="G")
def _generator(request: pytest.FixtureRequest) -> Generator:
    return _NETWORKS[request.param]()


def _codes(G: Generator, count: int = 3) -> Tensor:
    """W+ codes whose rows differ."""
    return torch.randn(count, G.num_ws, G.w_dim, generator=torch.Generator().manual_seed(1))


def _apart(value: Tensor, wanted: Tensor) -> float:
    assert value.shape == wanted.shape
    return float((value - wanted).detach().abs().max() / wanted.detach().abs().max())


def test_fast_equals_reference_in_values_and_gradients(G: Generator) -> None:
    results = []
    for reference in (True, False):
        ws = _codes(G).requires_grad_()
        image = G.synthesize(ws, noise="random", seed=3, reference=reference)
        assert image.shape == (3, G.image_channels, G.resolution, G.resolution)
        results.append((image, torch.autograd.grad(image.square().sum(), ws)[0]))
    for fast, slow in zip(results[1], results[0], strict=True):
        assert _apart(fast, slow) < 2e-4


def test_images_of_a_batch_do_not_influence_one_another(G: Generator) -> None:
    ws = _codes(G)
    ws[1] *= 30
    assert _apart(G.synthesize(ws)[::2], torch.cat([G.synthesize(ws[:1]), G.synthesize(ws[2:])])) < 1e-4


def test_a_smaller_size_is_the_area_average(G: Generator) -> None:
    ws = _codes(G, 2)
    for size in (G.resolution // 2, G.resolution // 4):
        whole = F.avg_pool2d(G.synthesize(ws), G.resolution // size)
        assert _apart(G.synthesize(ws, size=size), whole) < 1e-4


def test_bfloat16_is_close(G: Generator) -> None:
    ws = _codes(G, 2)
    whole = G.synthesize(ws)
    half = G.to(torch.bfloat16).synthesize(ws)
    assert half.dtype == torch.float32
    assert 0 < (half - whole).norm() < 0.05 * whole.norm()


def test_each_row_of_ws_drives_the_layers_that_name_it(G: Generator) -> None:
    ws = _codes(G, 1)
    styles = G.styles(ws)
    assert [layer.channels for layer in G.layers] == [style.shape[1] for style in styles]
    assert len({layer.name for layer in G.layers}) == len(G.layers)
    for row in range(G.num_ws):
        other = ws.clone()
        other[:, row] += 1
        changed = [not torch.equal(a, b) for a, b in zip(G.styles(other), styles, strict=True)]
        assert changed == [layer.ws_index == row for layer in G.layers]
    torch.testing.assert_close(G.synthesize_styles(styles), G.synthesize(ws))


def test_given_noise_is_what_the_constants_are(G: Generator) -> None:
    ws, constants = _codes(G, 2), G.noise_constants()
    if not constants:
        assert torch.equal(G.synthesize(ws, noise="random"), G.synthesize(ws, noise="none"))
        return
    torch.testing.assert_close(G.synthesize(ws, noise=constants), G.synthesize(ws))
    zero = [torch.zeros_like(constant) for constant in constants]
    torch.testing.assert_close(G.synthesize(ws, noise=zero), G.synthesize(ws, noise="none"))
    assert not torch.allclose(G.synthesize(ws, noise="random", seed=0), G.synthesize(ws, noise="random", seed=1))


def test_a_saved_model_draws_the_same(G: Generator, tmp_path: Path) -> None:
    save_native(G, tmp_path / "model.safetensors")
    again = read_native(tmp_path / "model.safetensors")
    assert asdict(again.synthesis.config) == asdict(G.synthesis.config)
    assert again.fingerprint == G.fingerprint
    assert torch.equal(again.synthesize(_codes(G, 1)), G.synthesize(_codes(G, 1)))
