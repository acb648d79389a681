import pytest
import torch

from stylegan_latents.generator.features import style_weights
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import random_stylegan2
from tests.odd_models import odd_generator

SKIP = StyleGAN2Config(z_dim=6, mapping_widths=(9, 7), channels=(8, 12, 5))


@pytest.mark.parametrize("G", [odd_generator(), random_stylegan2(SKIP)], ids=["mobile", "stylegan2"])
def test_the_weights_are_the_affine_layers_own(G: Generator) -> None:
    own = [affine.weight for affine in G.synthesis._affines()]  # type: ignore[operator, union-attr]
    weights = style_weights(G)
    assert [tuple(weight.shape) for weight in weights] == [(layer.channels, G.w_dim) for layer in G.layers]
    assert all(torch.equal(weight, one) for weight, one in zip(weights, own, strict=True))


def test_they_say_what_a_step_does_to_the_styles() -> None:
    G = odd_generator()
    ws = G.sample([3])
    step = torch.randn(1, G.num_ws, G.w_dim, generator=torch.Generator().manual_seed(0))
    befores, afters = G.styles(ws), G.styles(ws + step)
    for before, after, weight, layer in zip(befores, afters, style_weights(G), G.layers, strict=True):
        assert torch.allclose(after - before, step[:, layer.ws_index] @ weight.T, atol=1e-5)
