import pytest
import torch

from stylegan_latents.generator.features import feature_maps, features, style_weights
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.stylegan1 import StyleGAN1Config
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.networks.eg3d_files import random_eg3d
from tests.generator.networks.stylegan_t_files import random_stylegan_t
from tests.generator.networks.stylenerf_files import random_stylenerf
from tests.generator.networks.test_stylegan1 import random_stylegan1
from tests.generator.stylegan2_files import random_stylegan2
from tests.generator.stylegan3_files import random_stylegan3
from tests.odd_models import odd_generator

SKIP = StyleGAN2Config(z_dim=6, mapping_widths=(9, 7), channels=(8, 12, 5))
SG2 = StyleGAN2Config(z_dim=4, mapping_widths=(6,), channels=(8, 8, 6, 4))
MODELS = {
    "mobile": (odd_generator, [8, 16, 32]),
    "stylegan1": (lambda: random_stylegan1(StyleGAN1Config(4, (6,), (8, 6, 4))), [4, 8, 16]),
    "stylegan2": (lambda: random_stylegan2(SG2), [4, 8, 16, 32]),
    "stylegan3": (random_stylegan3, [16, 32]),
    "stylegan-t": (random_stylegan_t, [8, 16, 32]),
    "eg3d": (random_eg3d, [16, 32]),
    "stylenerf": (random_stylenerf, [16, 32]),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_network_has_feature_maps_that_follow_the_code(name: str) -> None:
    make, resolutions = MODELS[name]
    G = make()
    maps = feature_maps(G)
    assert [one.resolution for one in maps] == resolutions
    ws = G.sample([0, 1]).requires_grad_()
    for one in maps:
        found = features(G, ws, one)
        assert found.shape[0] == 2
        assert found.shape[2:] == (one.size, one.size)
        assert one.size >= one.resolution
        (gradient,) = torch.autograd.grad(found.square().sum(), ws)
        assert float(gradient.abs().sum()) > 0
        assert torch.equal(found, features(G, ws, one))


def test_nothing_finer_is_drawn_and_the_generator_is_left_as_it_was() -> None:
    G = odd_generator()
    maps = feature_maps(G)
    drawn: list[object] = []
    handle = maps[2].module.register_forward_hook(lambda *_: drawn.append(1))
    features(G, G.sample([0]), maps[1])
    assert not drawn
    G.synthesize(G.sample([0]))
    assert len(drawn) == 1
    handle.remove()
    assert not any(module._forward_hooks for module in G.modules())
    with pytest.raises(ValueError, match="another generator"):
        features(odd_generator(seed=1), G.sample([0]), maps[0])


@pytest.mark.parametrize("G", [odd_generator(), random_stylegan2(SKIP)], ids=["mobile", "stylegan2"])
def test_the_weights_of_styles_are_the_affine_layers_own(G: Generator) -> None:
    own = [affine.weight for affine in G.synthesis._affines()]  # type: ignore[operator, union-attr]
    weights = style_weights(G)
    assert [tuple(weight.shape) for weight in weights] == [(layer.channels, G.w_dim) for layer in G.layers]
    assert all(torch.equal(weight, one) for weight, one in zip(weights, own, strict=True))


def test_the_weights_say_what_a_step_does_to_the_styles() -> None:
    G = odd_generator()
    ws = G.sample([3])
    step = torch.randn(1, G.num_ws, G.w_dim, generator=torch.Generator().manual_seed(0))
    befores, afters = G.styles(ws), G.styles(ws + step)
    for before, after, weight, layer in zip(befores, afters, style_weights(G), G.layers, strict=True):
        assert torch.allclose(after - before, step[:, layer.ws_index] @ weight.T, atol=1e-5)
