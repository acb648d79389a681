"""What a file declares is bounded before it is allocated."""

import pytest
import torch
from torch import nn

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.budget import Budget, bounded_tensors, check_declared, in_bytes


def test_a_budget_ends_in_a_sentence() -> None:
    budget = Budget(100, slack=0)
    budget.charge(100)
    with pytest.raises(InputError, match="far more data"):
        budget.charge(1)


def test_declared_data_above_what_a_file_can_stand_for_is_refused_with_the_figure() -> None:
    check_declared("a.npz", 100_000_000, 1000)
    with pytest.raises(InputError, match=r"a\.npz declares data of 6\.4 GB but is a file of 1\.0 kB"):
        check_declared("a.npz", 6_400_000_000, 1000)


def test_a_network_larger_than_its_files_weights_is_not_built() -> None:
    with bounded_tensors("a.bin", 4 * 64 * 64):
        nn.Linear(64, 64)
    with pytest.raises(InputError, match=r"a\.bin declares a network"), bounded_tensors("a.bin", 1000):
        torch.randn(60_000, 60_000)
    with pytest.raises(InputError, match=r"a\.bin declares a network"), bounded_tensors("a.bin", 1000):
        [torch.zeros(1) for _ in range(1_000_000)]


def test_sizes_are_told_as_people_read_them() -> None:
    assert [in_bytes(size) for size in (12, 1500, 6_400_000_000)] == ["12 bytes", "1.5 kB", "6.4 GB"]
