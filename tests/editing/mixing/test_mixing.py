import math

import pytest
import torch

from stylegan_latents.editing.mixing.mixing import Donor, check_apart, mix, mix_matrix, share_out
from stylegan_latents.generator.errors import InputError
from tests.small_models import small_generator

G = small_generator()
WS = G.sample([0, 1, 2])


def test_rows_are_given_and_the_rest_stays() -> None:
    mixed = mix(WS[:1], [Donor(WS[1:2], [0, 2]), Donor(WS[2:3], [5], 0.25)])
    assert torch.equal(mixed[:, [0, 2]], WS[1:2, [0, 2]])
    assert torch.equal(mixed[:, [1, 3, 4]], WS[:1, [1, 3, 4]])
    assert torch.allclose(mixed[:, 5], 0.75 * WS[:1, 5] + 0.25 * WS[2:3, 5], atol=1e-6)
    assert torch.equal(WS, G.sample([0, 1, 2]))


def test_a_donor_of_all_rows_replaces_and_of_none_leaves() -> None:
    assert torch.equal(mix(WS[:1], [Donor(WS[1:2], G.rows("all"))]), WS[1:2])
    assert torch.equal(mix(WS[:1], [Donor(WS[1:2], G.rows("all"), 0.0)]), WS[:1])


def test_the_matrix_holds_each_receiver_with_each_donor() -> None:
    rows = G.rows("coarse")
    matrix = mix_matrix(WS[:2], WS, rows, 0.5)
    assert matrix.shape == (2, 3, *WS.shape[1:])
    assert torch.equal(matrix[1, 2], mix(WS[1:2], [Donor(WS[2:3], rows, 0.5)])[0])
    assert torch.allclose(matrix[1, 1], WS[1], atol=1e-6)


@pytest.mark.parametrize("strength", [-0.1, 1.5, math.nan, math.inf])
def test_strengths_outside_0_to_1_are_refused(strength: float) -> None:
    with pytest.raises(InputError, match="from 0"):
        mix(WS[:1], [Donor(WS[1:2], [0], strength)])
    with pytest.raises(InputError, match="from 0"):
        share_out(["b"], ["all"], [strength])


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        mix(WS[:1], [Donor(WS[:1, :3], [0])])


def test_one_or_each_option_is_shared_out() -> None:
    assert share_out(["b", "c"], ["coarse"], [1.0, 0.5]) == [("coarse", 1.0), ("coarse", 0.5)]
    assert share_out(["b", "c"], ["coarse", "fine"], [0.3]) == [("coarse", 0.3), ("fine", 0.3)]
    with pytest.raises(InputError, match="one --layers for all 3 donors"):
        share_out(["b", "c", "d"], ["coarse", "fine"], [1.0])


def test_two_sources_of_one_row_are_refused() -> None:
    check_apart(["b", "c"], [[0, 1], [2]])
    with pytest.raises(InputError, match="b and c both give layer 1"):
        check_apart(["b", "c"], [[0, 1], [1, 2]])
