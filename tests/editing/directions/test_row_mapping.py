import pytest
import torch

from stylegan_latents.editing.directions.row_mapping import (
    map_rows,
    map_vectors,
    resolutions_of,
    sources_of_rows,
    stylegan2_resolutions,
)
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import random_stylegan2
from tests.odd_models import odd_generator


def test_a_stylegan2_s_rows_are_those_of_the_network() -> None:
    G = random_stylegan2(StyleGAN2Config(z_dim=4, mapping_widths=(5,), channels=(4, 4, 4, 4)))
    assert resolutions_of(G) == stylegan2_resolutions(G.num_ws) == [4, 8, 8, 16, 16, 32, 32, 32]


@pytest.mark.parametrize("rows", [0, 1, 7, 22])
def test_counts_that_no_stylegan2_has_are_refused(rows: int) -> None:
    with pytest.raises(InputError, match=f"{rows} rows"):
        stylegan2_resolutions(rows)


def test_eighteen_rows_on_a_mobile_stylegan_of_sixteen() -> None:
    mobile = [4, *(8 << i for i in range(7) for _ in range(2)), 1024]
    there = sources_of_rows(stylegan2_resolutions(18), mobile)
    assert there == [*([i] for i in range(15)), [15, 16, 17]]
    back = sources_of_rows(mobile, stylegan2_resolutions(18))
    assert back == [*([i] for i in range(15)), [15], [15], [15]]


def test_a_resolution_that_the_source_lacks_takes_the_nearest_one_s() -> None:
    assert sources_of_rows([4, 8, 8, 8], [4, 8, 8, 16, 16, 16]) == [
        [0],
        [1],
        [2, 3],
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
    ]


def test_vectors_meet_in_their_mean_and_chosen_rows_follow() -> None:
    G = odd_generator()  # 64 pixels: rows at 4, 8, 8, 16, 16, 32, 32 and 64 pixels
    assert resolutions_of(G) == [4, 8, 8, 16, 16, 32, 32, 64]
    vector = torch.arange(10.0)[:, None].repeat(1, G.w_dim)  # a StyleGAN2 of 64 pixels has ten
    assert map_vectors(vector, G)[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 8]
    assert map_rows([5, 6, 8], 10, G) == [5, 6, 7]
