"""The z of a seed: NVIDIA's scripts' numbers, recorded, and PyTorch's."""

import numpy as np
import pytest
import torch

from stylegan_latents.generator.seeds import z_of_seeds


@pytest.mark.parametrize(
    ("seed", "first"),
    [
        (0, [1.7640523, 0.4001572, 0.978738, 2.2408932]),
        (85, [0.1768507, 2.3777541, 0.9987329, -1.3101508]),
        (600, [0.0452786, -0.4992667, -1.271602, -0.5179831]),
        (4294967295, [0.6484087, 0.6693235, -1.0805437, 0.284501]),
    ],
)
def test_a_seed_draws_what_nvidias_scripts_draw(seed: int, first: list[float]) -> None:
    z = z_of_seeds([seed], 512)
    assert z.shape == (1, 512)
    assert z.dtype == torch.float32
    torch.testing.assert_close(z[0, :4], torch.tensor(first), rtol=1e-6, atol=1e-7)
    # gen_images.py: torch.from_numpy(np.random.RandomState(seed).randn(1, G.z_dim))
    assert torch.equal(z, torch.from_numpy(np.random.RandomState(seed).randn(1, 512)).float())


def test_a_seeds_z_does_not_depend_on_the_others() -> None:
    assert torch.equal(z_of_seeds([4, 85, 4], 16)[1:2], z_of_seeds([85], 16))


def test_seeds_of_64_bits_and_below_zero_have_a_z_of_their_own() -> None:
    z = z_of_seeds([0, 1, 2**32, 2**32 + 1, 2**33, 2**63 - 1, -1, -2], 8)
    assert len(np.unique(z.numpy().round(4), axis=0)) == len(z)


def test_pytorchs_numbers_are_those_of_a_generator_with_the_seed() -> None:
    wanted = torch.randn(8, generator=torch.Generator().manual_seed(5))
    assert torch.equal(z_of_seeds([5], 8, "torch")[0], wanted)


def test_no_seeds_give_no_z() -> None:
    assert z_of_seeds([], 8).shape == (0, 8)
