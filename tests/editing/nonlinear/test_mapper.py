"""Mappers compute what StyleCLIP's code computes."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from stylegan_latents.editing.nonlinear.mapper import load_mapper
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import random_stylegan2
from tests.odd_models import odd_generator
from tests.small_models import small_generator

FOLDER = Path(__file__).parents[2] / "data" / "styleclip"
EXPECTED = load_file(FOLDER / "mappers.expected.safetensors")
G = small_generator()
LARGE = random_stylegan2(StyleGAN2Config(z_dim=8, mapping_widths=(8,), channels=(4, 4, 4, 4, 4, 4, 4, 2, 2)))


@pytest.mark.parametrize("name", ["levels", "single"])
def test_codes_are_moved_as_by_the_official_code(name: str) -> None:
    mapper = load_mapper(FOLDER / f"{name}.pt").bind(LARGE)
    ws = EXPECTED["ws"]
    assert (LARGE.num_ws, LARGE.w_dim) == (18, 8)
    moved = mapper.apply(ws, 1.0)
    assert torch.allclose(moved, EXPECTED[name], atol=1e-5, rtol=0)
    assert torch.allclose(mapper.apply(ws, 2.0) - ws, 2 * (moved - ws), atol=1e-5)
    assert torch.equal(mapper.apply(ws, 0.0), ws)
    assert not mapper.provenance


def test_a_level_that_a_file_lacks_is_not_moved() -> None:
    ws = EXPECTED["ws"]
    moved = load_mapper(FOLDER / "levels.pt").bind(LARGE).apply(ws, 1.0)
    assert torch.equal(moved[:, 8:], ws[:, 8:])
    assert (moved[:, :8] != ws[:, :8]).any(dim=2).all()


def test_chosen_rows_move_alone() -> None:
    ws = EXPECTED["ws"]
    moved = load_mapper(FOLDER / "single.pt").bind(LARGE).apply(ws, 1.0, rows=[3])
    assert {row for row in range(18) if not torch.equal(moved[:, row], ws[:, row])} == {3}


def test_rows_of_another_number_are_mapped_and_said() -> None:
    mapper = load_mapper(FOLDER / "single.pt").bind(G)
    assert "18 rows were mapped by resolution to the 6" in str(mapper.provenance["note"])
    assert not torch.equal(mapper.apply(G.sample([0]), 1.0), G.sample([0]))


def test_what_is_no_mapper_is_refused(tmp_path: Path) -> None:
    state = torch.load(FOLDER / "levels.pt", weights_only=True)["state_dict"]
    lacking = {name: value for name, value in state.items() if not name.endswith("medium_mapping.mapping.2.bias")}
    for contents, words in (
        ({"state_dict": {"mapper.mapper_0.mapping.1.weight": torch.ones(2, 2)}}, "of StyleSpace"),
        ({"state_dict": {"decoder.a": torch.ones(2)}}, "holds no mapper"),
        ([1], "holds no mapper"),
        (lacking, "lacks layers"),
        (state | {"mapper.course_mapping.mapping.1.bias": torch.full((8,), torch.nan)}, "not finite"),
    ):
        torch.save(contents, tmp_path / "bad.pt")
        with pytest.raises(InputError, match=words):
            load_mapper(tmp_path / "bad.pt")
    with pytest.raises(InputError, match="no file"):
        load_mapper(tmp_path / "missing.pt")


def test_a_mapper_of_other_codes_is_refused() -> None:
    with pytest.raises(InputError, match=r"for codes of 8 values, and w of the model .* has 10"):
        load_mapper(FOLDER / "levels.pt").bind(odd_generator())
