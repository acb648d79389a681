from dataclasses import replace

import pytest
import torch

from stylegan_latents.generator.layers import parse_layers
from stylegan_latents.generator.networks.alias_free import design
from tests.generator.networks.test_stylegan2 import CONFIG as STYLEGAN2
from tests.generator.stylegan2_files import random_stylegan2
from tests.generator.stylegan3_files import R, T, random_stylegan3


def test_the_published_sizes_come_from_the_paper() -> None:
    config = design(resolution=1024, z_dim=512, mapping_widths=(512, 512))
    assert config.rates == (16, 16, 32, 32, 64, 128, 128, 256, 256, 512, 1024, 1024, 1024, 1024, 1024)
    assert config.sizes[:11] == (36, 36, 52, 52, 84, 148, 148, 276, 276, 532, 1044)
    assert config.sizes[-2:] == (1024, 1024)
    assert config.channels[6:] == (512, 323, 203, 128, 81, 51, 32, 32, 3)


def test_groups_follow_what_the_layers_keep() -> None:
    G = random_stylegan3(design(resolution=1024, z_dim=4, mapping_widths=(4,), channel_base=2048, channel_max=2))
    assert [layer.resolution for layer in G.layers[:4]] == [16, 16, 16, 32]
    assert parse_layers("coarse", G.layers, G.num_ws) == [0, 1, 2]
    assert parse_layers("middle", G.layers, G.num_ws) == [3, 4, 5]
    assert parse_layers("fine", G.layers, G.num_ws) == list(range(6, 16))
    assert G.layers[0].channels == 4


@pytest.mark.parametrize("noise", ["const", "random", "none", []])
def test_noise_makes_no_difference(noise: object) -> None:
    G = random_stylegan3()
    ws = G.sample([3])
    assert G.noise_constants() == []
    assert torch.equal(G.synthesize(ws, noise), G.synthesize(ws))  # type: ignore[arg-type]


def test_maps_of_noise_are_refused() -> None:
    with pytest.raises(ValueError, match="noise"):
        random_stylegan3().synthesize(torch.zeros(1, 9, 5), [torch.zeros(1, 1, 4, 4)])


def test_an_image_moves_to_the_right_down_and_counter_clockwise() -> None:
    G = random_stylegan3(R)
    waves = G.synthesis.input
    styles = G.styles(G.sample([0]))
    pixel = 1 / waves.rate
    still = waves(styles[0])
    right = waves(G.move(styles, (pixel, 0))[0])
    torch.testing.assert_close(right[..., 1:], still[..., :-1], rtol=1e-3, atol=1e-4)
    down = waves(G.move(styles, (0, 3 * pixel))[0])
    torch.testing.assert_close(down[..., 3:, :], still[..., :-3, :], rtol=1e-3, atol=1e-4)
    turned = waves(G.move(styles, rotate=90)[0])
    torch.testing.assert_close(turned, still.rot90(1, (2, 3)), rtol=1e-3, atol=1e-4)


def test_moves_add_up_and_can_differ_from_image_to_image() -> None:
    G = random_stylegan3()
    styles = G.styles(G.sample([0, 1]))
    twice = G.move(G.move(styles, rotate=20), (0.2, -0.1), rotate=10)
    # The second turn carries nothing with it, for the first left the image in the middle.
    torch.testing.assert_close(twice[0], G.move(styles, (0.2, -0.1), rotate=30)[0])
    each = G.move(styles, torch.tensor([[0.0, 0.0], [0.5, 0.0]]), torch.tensor([0.0, 45.0]))
    ws = G.sample([0, 1])
    images = G.synthesize_styles(each)
    torch.testing.assert_close(images[:1], G.synthesize(ws[:1]), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(
        images[1:], G.synthesize(ws[1:], translate=(0.5, 0), rotate=45), rtol=1e-3, atol=1e-4
    )


def test_what_cannot_be_moved_is_said() -> None:
    with pytest.raises(ValueError, match="only a StyleGAN3"):
        random_stylegan2(STYLEGAN2).synthesize(torch.zeros(1, 6, 5), rotate=3)
    G = random_stylegan3()
    with pytest.raises(ValueError, match="translate"):
        G.synthesize(G.sample([0]), translate=(1, 2, 3, 4))


@pytest.mark.parametrize(
    "change",
    [
        {"channels": ()},
        {"z_dim": 0},
        {"label_dim": 3},
        {"kernel": 2},
        {"rates": (16, 16, 32, 20, 32, 32, 32, 32)},
        {"rates": (16,)},
        {"rates": (16, 2048, 16, 16, 16, 16, 16, 16)},
        {"sizes": (1 << 20,) * 8},
        {"cutoffs": (40.0,) * 8},
        {"half_widths": (float("nan"),) * 8},
        {"filter_size": 4096},
        {"critical": 9},
    ],
)
def test_impossible_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"StyleGAN3|low-pass"):
        replace(T, **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="StyleGAN3"):
        design(resolution=2, z_dim=1, mapping_widths=(1,))
