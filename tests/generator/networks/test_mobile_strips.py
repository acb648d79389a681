import copy

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.mobile import MobileConfig
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import random_stylegan2
from tests.odd_models import odd_generator, seeded

SIZES = {
    "three blocks": MobileConfig(z_dim=8, w_dim=8, mapping_depth=1, channels=(16, 12, 8, 8)),
    "six blocks": MobileConfig(z_dim=8, w_dim=8, mapping_depth=1, channels=(8, 8, 8, 8, 8, 8, 8)),
    "one block": MobileConfig(z_dim=8, w_dim=8, mapping_depth=1, channels=(8, 4)),
}


def _pair(sizes: str) -> tuple[Generator, Generator]:
    G = odd_generator(SIZES[sizes])
    saving = copy.deepcopy(G)
    saving.save_memory()
    return G, saving


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("sizes", SIZES)
def test_images_of_every_size_and_their_gradients_are_the_same(sizes: str, count: int) -> None:
    pair = _pair(sizes)
    with seeded(count):
        codes = torch.randn(count, pair[0].num_ws, pair[0].w_dim)
    for size in (pair[0].resolution >> halvings for halvings in range(5)):
        if size < 1:
            continue
        results: list[tuple[Tensor, ...]] = []
        for G in pair:
            ws = codes.clone().requires_grad_()
            noise = [one.detach().clone().requires_grad_() for one in G.noise_constants()]
            image = G.synthesize(ws, noise, size=size)
            with seeded(3):
                weights = torch.randn(image.shape)
            results.append((image.detach(), *torch.autograd.grad((image * weights).sum(), [ws, *noise])))
        for whole, strips in zip(*results, strict=True):
            torch.testing.assert_close(strips, whole, rtol=1e-3, atol=1e-4)


def test_weights_that_stand_in_for_the_networks_own_get_the_same_gradient() -> None:
    gradients = []
    for G in _pair("three blocks"):
        styles = G.styles(torch.ones(1, G.num_ws, G.w_dim))
        names = [name for name, _ in G.synthesis.named_parameters() if name.endswith("pointwise")]
        own = dict(G.synthesis.named_parameters())
        tuned = {name: (1.5 * own[name].detach()).requires_grad_() for name in names}
        image = functional_call(G.synthesis, tuned, (styles, G.noise_constants()))
        gradients.append(torch.autograd.grad(image.square().sum(), list(tuned.values())))
    for whole, strips in zip(*gradients, strict=True):
        torch.testing.assert_close(strips, whole, rtol=1e-3, atol=1e-3)


def test_an_architecture_without_a_way_to_save_memory_says_so() -> None:
    with pytest.raises(InputError, match="less memory"):
        random_stylegan2(StyleGAN2Config(z_dim=4, mapping_widths=(4,), channels=(4, 4))).save_memory()
