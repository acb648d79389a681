import pytest
import torch

from stylegan_latents.editing.styles.losses import (
    OtherFaces,
    brightness,
    draws_faces,
    gram_distance,
    gram_matrices,
    structure,
)
from stylegan_latents.generator.loading import load
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.generator.perceptual import LPIPS
from tests.generator.stylegan2_files import random_stylegan2
from tests.small_models import small_generator


def _pictures() -> torch.Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.rand(2, 3, 64, 64, generator=random) * 2 - 1


def test_texture_is_the_same_wherever_it_lies() -> None:
    random = torch.Generator().manual_seed(2)
    features = [torch.rand(1, channels, 8, 8, generator=random) for channels in (3, 5)]
    moved = [one.roll((2, 3), dims=(2, 3)) for one in features]
    brighter = [2 * one for one in features]
    grams = gram_matrices(features)
    assert [tuple(one.shape) for one in grams] == [(1, 3, 3), (1, 5, 5)]
    assert gram_distance(gram_matrices(moved), grams).item() == pytest.approx(0, abs=1e-10)
    assert gram_distance(gram_matrices(brighter), grams).item() == pytest.approx(9, rel=1e-5)


def test_the_style_picture_itself_has_no_loss_of_texture() -> None:
    pictures = _pictures()
    others = OtherFaces(pictures, LPIPS.load("vgg"), texture_weight=2.0, identity_weight=0.0)
    first, second = pictures[:1], pictures[1:]
    assert others.loss(second, second, 1).item() == pytest.approx(0, abs=1e-8)
    assert others.loss(second, second, 0).item() > 0
    assert others.loss(first, second, 0).item() == pytest.approx(0, abs=1e-8), (
        "the untuned picture has no part in it"
    )


def test_grey_texture_does_not_see_colours() -> None:
    pictures = _pictures()
    others = OtherFaces(pictures, LPIPS.load("vgg"), texture_weight=1.0, identity_weight=0.0, grey=True)
    grey = brightness(pictures[:1]).expand(-1, 3, -1, -1)
    assert others.loss(grey, grey, 0).item() == pytest.approx(0, abs=1e-5)


def test_identity_compares_with_the_untuned_picture() -> None:
    pictures = _pictures()
    others = OtherFaces(pictures, LPIPS.load("vgg"), texture_weight=0.0, identity_weight=3.0)
    drawn = pictures[:1].clone().requires_grad_()
    loss = others.loss(drawn, pictures[1:], 0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert drawn.grad is not None
    assert loss.item() > 0
    assert drawn.grad.abs().sum() > 0
    assert others.loss(pictures[:1], pictures[:1], 0).item() == pytest.approx(0, abs=1e-8)


def test_structure_has_no_colour_and_no_contrast() -> None:
    picture = _pictures()[:1]
    assert structure(picture).shape == (1, 1, 32, 32)
    assert torch.allclose(structure(0.5 * picture + 0.2), structure(picture), atol=0.05)


def test_a_small_random_model_draws_no_faces() -> None:
    assert not draws_faces(small_generator())


def test_the_mean_of_a_model_with_classes_is_drawn_without_one() -> None:
    config = StyleGAN2Config(z_dim=8, mapping_widths=(8,), channels=(8, 8, 8), label_dim=4, label_width=3)
    assert not draws_faces(random_stylegan2(config))


@pytest.mark.slow
def test_the_default_model_draws_faces() -> None:
    assert draws_faces(load())
