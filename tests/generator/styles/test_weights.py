import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.loading import load
from stylegan_latents.generator.styles.weights import expanded, layers_of_parameters, low_rank, side
from tests.generator.stylegan2_files import NVIDIA, nvidia_pickle, rosinality_checkpoint
from tests.small_models import small_generator


def _models() -> list[Generator]:
    files = [rosinality_checkpoint(), *(nvidia_pickle(name) for name in NVIDIA)]
    return [small_generator(), *(load(file) for file in files)]


def test_each_parameter_belongs_to_a_layer_and_coarse_ones_come_first() -> None:
    for G in _models():
        layers = layers_of_parameters(G)
        assert set(layers) == {f"synthesis.{name}" for name, _ in G.synthesis.named_parameters()}
        assert set(layers.values()) <= set(G.layers)
        blocks = [side(layer) for name, layer in layers.items() if ".blocks." in name]
        assert blocks == sorted(blocks)


def test_low_rank_products_come_nearer_with_rank_and_are_exact_at_their_own() -> None:
    random = torch.Generator().manual_seed(0)
    exact = {"a": torch.randn(12, 2, generator=random) @ torch.randn(2, 9, generator=random), "b": torch.ones(4)}
    full = {"a": exact["a"].reshape(12, 1, 3, 3), "b": exact["b"]}
    one, two = (expanded(small, full) for small in low_rank(full, [1, 2]))
    assert (two["a"] - full["a"]).abs().max() < 1e-2 < (one["a"] - full["a"]).abs().max()
    assert torch.equal(one["b"], full["b"])


def test_parts_that_do_not_fit_are_refused() -> None:
    weights = {"a": torch.zeros(4, 3)}
    for parts in ({"c": torch.zeros(1)}, {"a": torch.zeros(5)}, {"a:left": torch.zeros(4, 2)}):
        with pytest.raises(InputError, match=r"it changes c|its change of a"):
            expanded(parts, weights)
