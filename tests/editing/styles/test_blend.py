import math

import pytest
import torch

from stylegan_latents.editing.styles.blend import agreement, blend, shares
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import parse_layers
from tests.generator.styles.test_style import small_style
from tests.odd_models import odd_generator
from tests.small_models import small_generator


@pytest.mark.parametrize("width", [0.0, 1.0])
def test_a_blend_of_a_model_with_itself_is_itself_to_the_last_bit(width: float) -> None:
    G = small_generator()
    blended = blend(G, G, at=8, width=width, name="same")
    assert blended.fingerprint == G.fingerprint
    assert torch.equal(blended.synthesize(G.sample([1])), G.synthesize(G.sample([1])))


def test_a_hard_blend_has_the_coarse_layers_of_one_and_the_fine_ones_of_the_other() -> None:
    A, B = small_generator(), small_generator(seed=1, name="other")
    made = dict(blend(A, B, at=8, name="both").named_parameters())
    ours, theirs = dict(A.named_parameters()), dict(B.named_parameters())
    for name, share in shares(A, 8).items():
        assert torch.equal(made[name], theirs[name] if share else ours[name])
    assert torch.equal(made["mapping.layers.0.weight"], ours["mapping.layers.0.weight"])


def test_a_smooth_blend_is_half_and_half_at_its_side_and_follows_the_logistic_curve() -> None:
    found = shares(small_generator(), 16, 1.0)
    assert found["synthesis.blocks.1.conv1.pointwise"] == 0.5
    assert found["synthesis.to_rgb.weight"] == pytest.approx(1 / (1 + math.exp(-1)))
    assert found["synthesis.input.weight"] == pytest.approx(1 / (1 + math.exp(2)))


def test_layers_choose_what_is_of_the_second_model() -> None:
    G = small_generator()
    found = shares(G, 32, layers="1")
    assert parse_layers("1", G.layers, G.num_ws) == [1]
    assert {name.split(".")[2] for name, share in found.items() if share} == {"0"}
    assert found["synthesis.blocks.0.conv2.pointwise"] == 0


def test_the_agreement_tells_relatives_from_strangers() -> None:
    G = small_generator()
    assert agreement(G, G) == pytest.approx(1)
    assert agreement(G, small_style(G).apply(G, 0.3)) > 0.8
    assert abs(agreement(G, small_generator(seed=1))) < 0.3


def test_models_of_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="have other layers"):
        blend(small_generator(), odd_generator(), name="none")
    for at, width in ((0, 0), (8, -1), (8, float("nan"))):
        with pytest.raises(InputError, match="A blend"):
            shares(small_generator(), at, width)
