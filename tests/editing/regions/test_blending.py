from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.regions.blending import (
    Displacement,
    blend_pictures,
    synthesize_blended,
    synthesize_blended_styles,
)
from stylegan_latents.generator.features import feature_maps
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.stylegan1 import StyleGAN1Config
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.networks.test_stylegan1 import random_stylegan1
from tests.generator.stylegan2_files import random_stylegan2
from tests.small_models import small_generator

G = small_generator()
A, B = G.sample([0]), G.sample([1])
LEFT = torch.zeros(1, 1, 32, 32)
LEFT[..., :16] = 1


def test_a_mask_of_ones_or_zeros_is_one_of_the_pictures() -> None:
    one, other = Image.new("RGB", (8, 8), (10, 20, 30)), Image.new("RGB", (8, 8), (200, 0, 99))
    mask = np.zeros((8, 8), dtype=np.float32)
    mask[:4], mask[4] = 1, 0.5
    blended = np.asarray(blend_pictures(one, other, mask))
    assert (blended[:4] == (200, 0, 99)).all()
    assert (blended[4] == (105, 10, 64)).all()
    assert (blended[5:] == (10, 20, 30)).all()
    with pytest.raises(ValueError, match="sizes differ"):
        blend_pictures(one, other.resize((9, 9)), mask)


def test_matched_colours_meet_at_the_edge() -> None:
    one, other = Image.new("RGB", (64, 64), (150, 120, 100)), Image.new("RGB", (64, 64), (180, 110, 100))
    mask = np.clip((20 - np.abs(np.arange(64) - 32)) / 8, 0, 1).astype(np.float32)[None].repeat(64, axis=0)
    matched = np.asarray(blend_pictures(one, other, mask, match_colours=True)).astype(int)
    assert np.abs(matched - (150, 120, 100)).max() <= 3
    assert (np.asarray(blend_pictures(one, other, mask))[32, 32] == (180, 110, 100)).all()


def test_features_of_either_code_alone_give_its_picture() -> None:
    for mask, ws in ((torch.zeros(1, 1, 32, 32), A), (torch.ones(1, 1, 32, 32), B)):
        assert _difference(synthesize_blended(G, A, B, mask), G.synthesize(ws)) < 1e-4
    with pytest.raises(ValueError, match="two ws"):
        synthesize_blended(G, A, B[:, :3], LEFT)


def test_blended_features_follow_each_code_on_its_side() -> None:
    blended, a, b = synthesize_blended(G, A, B, LEFT), G.synthesize(A), G.synthesize(B)

    def apart(one: torch.Tensor, columns: slice) -> float:
        return float((blended - one)[..., columns].abs().mean())

    left, right = slice(0, 8), slice(24, 32)
    assert apart(b, left) < apart(a, left)
    assert apart(a, right) < apart(b, right)
    # The hooks are gone.
    assert torch.equal(G.synthesize(A), a)


@pytest.mark.parametrize("resolution", [8, 16])
def test_features_blend_from_a_map_on_which_they_are_moved(resolution: int) -> None:
    start = next(one for one in feature_maps(G) if one.resolution == resolution)
    styles = G.styles(A), G.styles(B)
    for mask, ws in ((torch.zeros(1, 1, 32, 32), A), (torch.ones(1, 1, 32, 32), B)):
        drawn = synthesize_blended_styles(G, *styles, mask, displacement=Displacement(start, 0, 0))
        assert _difference(drawn, G.synthesize(ws)) < 1e-4
    still, moved = (
        synthesize_blended_styles(G, *styles, torch.ones(1, 1, 32, 32), displacement=Displacement(start, step, 0))
        for step in (0, 2)
    )
    assert _difference(moved, still) > 0.1


SIZES = (7, 6, 6, 5, 4)
NETWORKS = [
    *(
        random_stylegan2(replace(StyleGAN2Config(z_dim=4, mapping_widths=(6,), channels=SIZES), architecture=one))
        for one in ("skip", "resnet", "orig")
    ),
    random_stylegan1(StyleGAN1Config(z_dim=4, mapping_widths=(6,), channels=SIZES)),
]


@pytest.mark.parametrize("network", NETWORKS)
def test_every_architecture_blends_from_a_feature_map_on(network: Generator) -> None:
    start = next(one for one in feature_maps(network) if one.resolution == 32)
    styles = [network.styles(network.sample([seed])) for seed in (0, 1)]
    for mask, own in ((torch.zeros(1, 1, 64, 64), styles[0]), (torch.ones(1, 1, 64, 64), styles[1])):
        drawn = synthesize_blended_styles(network, *styles, mask, displacement=Displacement(start, 0, 0))
        assert _difference(drawn, network.synthesize_styles(own)) < 1e-4


def _difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest, as a share of the largest value; random networks draw in a small range."""
    return float((one - other).abs().max() / other.abs().max())
