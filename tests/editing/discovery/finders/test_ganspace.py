import pytest
import torch

from stylegan_latents.editing.discovery.finders.ganspace import GANSpace, draw_w
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import random_stylegan2
from tests.odd_models import odd_generator

G = odd_generator()


def test_the_axes_are_an_exact_pca_s() -> None:
    finder = GANSpace(G, samples=5001, seed=3)
    w = torch.cat(list(draw_w(G, 5001, 3))).double()
    _, deviations, axes = torch.linalg.svd(w - w.mean(dim=0), full_matrices=False)
    found = finder.axes()
    assert torch.allclose(found.deviations, deviations / 5000**0.5, rtol=1e-6)
    assert torch.allclose(found.mean, w.mean(dim=0))
    assert float((found.axes * axes).sum(dim=1).abs().min()) > 1 - 1e-6
    assert bool((found.axes.gather(1, found.axes.abs().argmax(dim=1, keepdim=True)) > 0).all())


def test_strength_one_is_one_sigma() -> None:
    found = GANSpace(G, samples=5000).find(3)
    sigmas = GANSpace(G, samples=5000).axes().deviations
    assert [one.name for one in found] == ["ganspace-00", "ganspace-01", "ganspace-02"]
    assert [one.scale for one in found] == pytest.approx(sigmas[:3].tolist(), rel=1e-5)


def test_layers_are_what_moves() -> None:
    (one,) = GANSpace(G, "middle", samples=1000).find(1)
    assert one.rows == tuple(G.rows("middle"))


def test_progress_ends_at_the_whole() -> None:
    seen: list[tuple[int, int]] = []
    GANSpace(G, samples=4100).axes(lambda done, whole: seen.append((done, whole)))
    assert seen == [(2000, 4100), (4000, 4100), (4100, 4100)]


def test_a_model_with_classes_is_sampled_over_all_of_them() -> None:
    config = StyleGAN2Config(z_dim=6, mapping_widths=(9, 7), channels=(8, 5), label_dim=3, label_width=4)
    classes = random_stylegan2(config)
    assert len(GANSpace(classes, samples=500).find(2)) == 2


@pytest.mark.parametrize("count", [0, G.w_dim + 1])
def test_impossible_counts_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="between 1"):
        GANSpace(G, samples=100).find(count)


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(InputError, match="more than 10 samples"):
        GANSpace(G, samples=10)
