"""The z of a seed."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

RandomSource = Literal["numpy", "torch"]
"""Whose normal random numbers: NumPy's, as NVIDIA's scripts draw them, or PyTorch's."""

_WORD = 1 << 32


def z_of_seeds(seeds: Sequence[int], z_dim: int, random: RandomSource = "numpy") -> Tensor:
    """The z of each seed, the same on every device.

    With NumPy's numbers these are what ``gen_images.py --seeds`` of NVIDIA's StyleGAN2-ADA and StyleGAN3 draws, and
    ``run_generator.py`` of its StyleGAN2: ``numpy.random.RandomState(seed).randn(1, z_dim)``. Their seeds lie from
    0 to 2**32 - 1; others are given to ``RandomState`` in words of 32 bits.

    Args:
        seeds: whole numbers of 64 bits.
        z_dim: length of z.
        random: whose random numbers.

    Returns:
        float32 ``[len(seeds), z_dim]``, on the CPU.
    """
    if random == "torch":
        rows = [torch.randn(z_dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    else:
        rows = [torch.from_numpy(_state(seed).randn(z_dim)).float() for seed in seeds]
    return torch.stack(rows) if rows else torch.zeros(0, z_dim)


def _state(seed: int) -> np.random.RandomState:
    if 0 <= seed < _WORD:
        return np.random.RandomState(seed)
    return np.random.RandomState([seed % _WORD, seed // _WORD % _WORD])
