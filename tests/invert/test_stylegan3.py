"""A search and an edit on a StyleGAN3, whose first style places the image and has no channels."""

import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.editing.directions.apply import apply_edits
from stylegan_latents.editing.directions.direction import Direction
from tests.generator.stylegan3_files import R, random_stylegan3, stylegan3_pickle
from tests.invert.small_search import invert, own_images, small_search

__all__ = ["small_search"]


@pytest.mark.usefixtures("small_search")
@pytest.mark.parametrize("space", ["w", "w+"])
def test_a_search_finds_a_code_that_an_edit_moves(space: str) -> None:
    G = random_stylegan3(R)
    found = invert(G, own_images(G, 1), space, steps=3)
    assert found.ws.shape == (1, G.num_ws, G.w_dim)
    assert torch.isfinite(found.ws).all()
    vector = torch.randn(1, G.w_dim, generator=torch.Generator().manual_seed(0))
    direction = Direction("turn", G.latent_space, vector, scale=0.5, layers="coarse").bind(G)
    moved = apply_edits(found.ws, [(direction, 2.0)])
    rows = [bool(row.any()) for row in (moved - found.ws)[0]]
    assert rows == [group == "coarse" for group in G.ws_groups]
    assert not torch.equal(G.synthesize(moved), G.synthesize(found.ws))


def test_classes_are_sampled_by_label() -> None:
    G = generator.load(stylegan3_pickle())
    labels = torch.eye(3)
    images = G.synthesize(G.sample([0, 0, 0], labels, truncation=0.7))
    assert not torch.allclose(images[0], images[1])
