from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.mapping import Mapping
from stylegan_latents.generator.networks.stylegan1 import StyleGAN1Config, Synthesis
from tests.invert.small_search import invert, own_images, small_search  # noqa: F401

CONFIG = StyleGAN1Config(z_dim=4, mapping_widths=(6, 5), channels=(7, 6, 4))
CONFIGS = {
    "usual": CONFIG,
    "other blur": replace(CONFIG, taps=(1, 3, 3, 1), image_channels=1),
    "no blur": replace(CONFIG, taps=(), image_channels=4),
    "pixel norm": replace(CONFIG, pixel_norm=True, instance_norm=False),
    "silent": replace(CONFIG, has_noise=False),
    "growing": replace(CONFIG, lod=0.7),
    "conditional": replace(CONFIG, label_dim=3, label_width=4),
    "smallest": replace(CONFIG, channels=(7,)),
}


def random_stylegan1(config: StyleGAN1Config, seed: int = 0) -> Generator:
    """A generator with random weights, noise strengths among them."""
    source = torch.Generator().manual_seed(seed)
    mapping, synthesis = Mapping(config, joint_label=True), Synthesis(config)
    with torch.no_grad():
        for name, parameter in [*mapping.named_parameters(), *synthesis.named_parameters()]:
            fan_in = 1 if "noise" in name else max(parameter[0].numel(), 1)
            parameter.copy_(torch.randn(parameter.shape, generator=source) * fan_in**-0.5)
    return Generator(
        mapping, synthesis, torch.zeros(config.w_dim), name="random", z_dim=config.z_dim, label_dim=config.label_dim
    )


def _sample(G: Generator, count: int) -> Tensor:
    label = torch.eye(G.label_dim)[:1].repeat(count, 1) if G.label_dim else None
    return G.sample(range(count), label)


@pytest.mark.parametrize("name", CONFIGS)
def test_fast_equals_reference_in_values_and_gradients(name: str) -> None:
    G = random_stylegan1(CONFIGS[name])
    assert G.num_ws == 2 * len(CONFIGS[name].channels) == len(G.layers)
    results = []
    for reference in (True, False):
        ws = torch.randn(3, G.num_ws, 5, generator=torch.Generator().manual_seed(1)).requires_grad_()
        image = G.synthesize(ws, noise="random", seed=3, reference=reference)
        results.append((image, torch.autograd.grad(image.square().sum(), ws)[0]))
    assert results[0][0].shape == (3, CONFIGS[name].image_channels, G.resolution, G.resolution)
    for fast, slow in zip(results[1], results[0], strict=True):
        assert float((fast - slow).detach().abs().max()) <= 1e-4 * float(slow.detach().abs().max())


@pytest.mark.parametrize("name", ["usual", "growing", "other blur"])
def test_a_smaller_size_is_the_area_average(name: str) -> None:
    G = random_stylegan1(CONFIGS[name])
    ws = G.sample([0])
    for size in (8, 2):
        whole = F.avg_pool2d(G.synthesize(ws), 16 // size)
        torch.testing.assert_close(G.synthesize(ws, size=size), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_bfloat16_is_close_and_reversible(name: str) -> None:
    G = random_stylegan1(CONFIGS[name])
    ws = _sample(G, 2)
    whole = G.synthesize(ws)
    half = G.to(dtype=torch.bfloat16).synthesize(ws)
    assert half.dtype == torch.float32
    assert 0 < (half - whole).norm() < 0.03 * whole.norm()
    assert torch.equal(G.to(dtype=torch.float32).synthesize(ws), whole)


def test_growing_ends_at_the_coarser_picture_repeated() -> None:
    pictures = [random_stylegan1(replace(CONFIG, lod=lod)) for lod in (1.0, 0.5, 0.0)]
    ws = pictures[0].sample([0])
    coarse, between, fine = (G.synthesize(ws) for G in pictures)
    assert torch.equal(coarse, F.interpolate(coarse[..., ::2, ::2], scale_factor=2))
    torch.testing.assert_close(between, (coarse + fine) / 2)
    assert not torch.allclose(coarse, fine)


def test_each_row_of_ws_drives_its_own_layer() -> None:
    G = random_stylegan1(CONFIG)
    ws = G.sample([0])
    styles = G.styles(ws)
    for row in range(G.num_ws):
        other = ws.clone()
        other[:, row] += 1
        changed = [not torch.equal(a, b) for a, b in zip(G.styles(other), styles, strict=True)]
        assert changed == [layer.ws_index == row for layer in G.layers]
    torch.testing.assert_close(G.synthesize_styles(styles), G.synthesize(ws))
    assert G.ws_groups == ["coarse"] * 4 + ["middle"] * 2


def test_given_noise_is_what_the_constants_are() -> None:
    G = random_stylegan1(CONFIG)
    ws = G.sample([0, 1])
    constants = G.noise_constants()
    assert torch.equal(G.synthesize(ws, noise=constants), G.synthesize(ws))
    zero = [torch.zeros_like(constant) for constant in constants]
    torch.testing.assert_close(G.synthesize(ws, noise=zero), G.synthesize(ws, noise="none"))
    assert not torch.allclose(G.synthesize(ws, noise="random", seed=0), G.synthesize(ws, noise="random", seed=1))


@pytest.mark.usefixtures("small_search")
def test_a_search_runs_on_it() -> None:
    G = random_stylegan1(replace(CONFIG, channels=(8, 8, 8, 6)))
    found = invert(G, own_images(G, 3), steps=3)
    assert found.ws.shape == (1, G.num_ws, G.w_dim)
    assert torch.isfinite(found.ws).all()


@pytest.mark.parametrize(
    "change", [{"channels": ()}, {"channels": (1,) * 11}, {"z_dim": 0}, {"label_dim": 3}, {"lod": 2.5}]
)
def test_impossible_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="StyleGAN"):
        replace(CONFIG, **change)  # type: ignore[arg-type]
