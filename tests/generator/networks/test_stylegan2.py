from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import random_stylegan2

CONFIG = StyleGAN2Config(z_dim=4, mapping_widths=(6, 5), channels=(7, 6, 4))
CONFIGS = {
    "skip": CONFIG,
    "resnet": replace(CONFIG, architecture="resnet", taps=(1, 2, 1)),
    "orig": replace(CONFIG, architecture="orig", image_channels=1),
    "clamp": replace(CONFIG, clamp=0.5),
    "silent": replace(CONFIG, has_noise=False),
    "smallest": replace(CONFIG, channels=(7,), image_channels=4),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_fast_equals_reference_in_values_and_gradients(name: str) -> None:
    G = random_stylegan2(CONFIGS[name])
    assert G.num_ws == 2 * len(CONFIGS[name].channels)
    results = []
    for reference in (True, False):
        ws = torch.randn(3, G.num_ws, 5, generator=torch.Generator().manual_seed(1)).requires_grad_()
        image = G.synthesize(ws, noise="random", seed=3, reference=reference)
        results.append((image, torch.autograd.grad(image.square().sum(), ws)[0]))
    torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["skip", "resnet", "orig", "clamp"])
def test_a_smaller_size_is_the_area_average(name: str) -> None:
    G = random_stylegan2(CONFIGS[name])
    ws = G.sample([0])
    for size in (8, 2):
        whole = F.avg_pool2d(G.synthesize(ws), 16 // size)
        torch.testing.assert_close(G.synthesize(ws, size=size), whole, rtol=1e-4, atol=1e-5)


def test_bfloat16_is_close_and_reversible() -> None:
    G = random_stylegan2(CONFIG)
    ws = G.sample([0, 1])
    whole = G.synthesize(ws)
    half = G.to(dtype=torch.bfloat16).synthesize(ws)
    assert half.dtype == torch.float32
    assert 0 < (half - whole).norm() < 0.03 * whole.norm()
    assert torch.equal(G.to(dtype=torch.float32).synthesize(ws), whole)


def test_random_noise_has_the_layers_strength() -> None:
    G = random_stylegan2(replace(CONFIG, channels=(4, 4, 4, 4, 4)))
    strengths = G.synthesis.noise_strengths()
    for strength, map in zip(strengths[-2:], G.synthesis.noise_maps("random", 0, 1)[-2:], strict=True):
        assert map is not None
        assert float(map.std()) == pytest.approx(float(strength), rel=0.05)


@pytest.mark.parametrize(
    "change", [{"channels": ()}, {"channels": (1,) * 11}, {"z_dim": 0}, {"label_dim": 3}, {"architecture": "unet"}]
)
def test_impossible_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="StyleGAN2"):
        replace(CONFIG, **change)  # type: ignore[arg-type]
