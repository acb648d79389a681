from pathlib import Path

import pytest
import torch

from stylegan_latents.editing.directions.apply import apply_edits
from stylegan_latents.editing.nonlinear.attribute_flow import FlowEdit
from stylegan_latents.editing.nonlinear.flow_files import load_flow
from stylegan_latents.generator.errors import InputError
from tests.editing.nonlinear.small_flows import small_flow
from tests.small_models import small_generator

G = small_generator(latent_space="small-w")
FLOW = small_flow()
WS = G.sample([0, 1])
BEFORE = torch.tensor([[40.0, 0.1]])
COARSE = G.rows("coarse")


def _edit(*wanted: tuple[str, float]) -> FlowEdit:
    return FlowEdit(FLOW, G, BEFORE, wanted)


def test_an_edit_moves_its_attribute_s_rows_alone() -> None:
    moved = _edit(("lightness", 90.0)).apply(WS, 1.0)
    rows = {row for row in range(G.num_ws) if not torch.equal(moved[:, row], WS[:, row])}
    assert rows == set(COARSE)
    others = _edit(("lightness", 90.0)).apply(WS, 1.0, rows=[5])
    assert {row for row in range(G.num_ws) if not torch.equal(others[:, row], WS[:, row])} == {5}


def test_setting_what_is_there_changes_nothing() -> None:
    assert torch.equal(_edit(("redness", 0.1)).apply(WS, 1.0), WS)
    assert torch.equal(_edit(("redness", 0.9)).apply(WS, 0.0), WS)


def test_setting_a_value_and_the_old_one_again_leads_back() -> None:
    moved = _edit(("redness", 0.9)).apply(WS, 1.0)
    assert not torch.allclose(moved, WS, atol=1e-2)
    back = FlowEdit(FLOW, G, torch.tensor([[40.0, 0.9]]), (("redness", 0.1),)).apply(moved, 1.0)
    assert torch.allclose(back, WS, atol=1e-4)


def test_several_settings_are_edits_one_after_another() -> None:
    together = _edit(("lightness", 90.0), ("redness", -0.5)).apply(WS, 1.0)
    first = _edit(("lightness", 90.0)).apply(WS, 1.0)
    second = FlowEdit(FLOW, G, torch.tensor([[90.0, 0.1]]), (("redness", -0.5),)).apply(first, 1.0)
    assert torch.allclose(together, second, atol=1e-6)


def test_half_of_an_edit_sets_the_value_between() -> None:
    half = _edit(("redness", 0.9)).apply(WS, 0.5)
    assert torch.allclose(half, _edit(("redness", 0.5)).apply(WS, 1.0), atol=1e-5)


def test_flows_and_directions_are_edits_alike() -> None:
    edit = _edit(("redness", 0.9))
    assert torch.equal(apply_edits(WS, [(edit, 1.0)]), edit.apply(WS, 1.0))


def test_attributes_are_given_or_measured_within_the_range_or_usual() -> None:
    found = FLOW.attributes_of({"lightness": 140.0, "redness": 0.3}, {"redness": -0.2})
    assert found.tolist() == pytest.approx([100.0, -0.2])
    assert FLOW.attributes_of({}, {}).tolist() == pytest.approx([40.0, 0.1])
    assert [FLOW.source("redness", scores) for scores in ({}, {"redness": 1.0})] == ["usual", "measured"]


def test_a_saved_flow_is_the_same(tmp_path: Path) -> None:
    FLOW.save(tmp_path / "small.safetensors")
    again = load_flow(tmp_path / "small.safetensors")
    assert (again.attributes, again.latent_space, again.scorer) == (FLOW.attributes, "small-w", "colour")
    assert again.provenance == FLOW.provenance
    edit = FlowEdit(again, G, BEFORE, (("redness", 0.9),))
    assert torch.equal(edit.apply(WS, 1.0), _edit(("redness", 0.9)).apply(WS, 1.0))
    with pytest.raises(InputError, match="exists"):
        FLOW.save(tmp_path / "small.safetensors")


@pytest.mark.parametrize(
    ("flow", "wanted", "words"),
    [
        (FLOW, ("smile", 1.0), "knows no attribute 'smile'; it has lightness, redness"),
        (FLOW, ("redness", 1.5), "runs from -1 to 1, so it cannot be 1.5"),
        (small_flow(width=9), ("redness", 0.5), "for codes of 9 values, and w of the model 'small' has 8"),
        (small_flow(latent_space="horses-w"), ("redness", 0.5), "belongs to the latent space horses-w"),
    ],
)
def test_what_cannot_be_set_is_said(flow: object, wanted: tuple[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        FlowEdit(flow, G, BEFORE, (wanted,))  # type: ignore[arg-type]
