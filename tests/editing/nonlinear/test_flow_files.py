from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from stylegan_latents.editing.nonlinear.flow_files import load_flow
from stylegan_latents.generator.errors import InputError
from tests.editing.nonlinear.small_flows import small_flow
from tests.odd_models import odd_generator
from tests.small_models import small_generator

PUBLISHED = Path(__file__).parents[2] / "data" / "styleflow" / "flow.pt"


def _state() -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(PUBLISHED, weights_only=True)
    return state


def test_published_weights_have_the_attributes_of_the_paper() -> None:
    flow = load_flow(PUBLISHED)
    names = [one.name for one in flow.attributes]
    assert names == [
        *(f"light-{index}" for index in range(9)),
        *("gender", "glasses", "yaw", "pitch", "baldness", "beard", "age", "smile"),
    ]
    assert (flow.network.width, flow.network.hidden, len(flow.network.velocities)) == (8, (12, 10), 2)
    found = flow.attributes_of({"age": 33.0, "gender": 0.0, "smile": 0.2}, {})
    assert found[names.index("age")] == 33
    assert found[names.index("gender")] == 0.5
    assert found[names.index("smile")] == 1  # a score of another kind


def test_published_rows_are_mapped_by_resolution() -> None:
    smile = load_flow(PUBLISHED).attributes[-1]
    G = odd_generator()
    assert set(smile.rows(G)) < set(range(G.num_ws))


@pytest.mark.parametrize("wrapped", [False, True])
def test_weights_are_found_in_a_checkpoint_and_in_safetensors(tmp_path: Path, wrapped: bool) -> None:
    if wrapped:
        torch.save({"state_dict": {f"module.{name}": value for name, value in _state().items()}}, tmp_path / "a.pt")
    else:
        save_file(_state(), tmp_path / "a.pt")
    wanted = load_flow(PUBLISHED).network.state_dict()
    found = load_flow(tmp_path / "a.pt").network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in wanted.items())


def test_files_without_a_flow_are_refused(tmp_path: Path) -> None:
    few = {
        name: value[:, :5] if "_hyper" in name and value.ndim == 2 else value for name, value in _state().items()
    }
    odd = _state() | {"chain.1.odefunc.diffeq.layers.0._scale.weight": torch.ones(2)}
    lacking = {name: value for name, value in _state().items() if "layers.1._layer.bias" not in name}
    endless = _state() | {"chain.0.bias": torch.full((8,), torch.inf)}
    for contents, words in (
        (few, "a flow of 4 attributes; of StyleFlow's the 17"),
        (odd, "'odefunc.diffeq.layers.0._scale.weight', which is not known"),
        (lacking, "damaged"),
        (endless, "not finite"),
        ({"weight": torch.ones(2)}, "holds no flow"),
        ([1, 2], "holds no flow"),
        ({}, "holds no flow"),
    ):
        torch.save(contents, tmp_path / "bad.pt")
        with pytest.raises(InputError, match=words):
            load_flow(tmp_path / "bad.pt")
    with pytest.raises(InputError, match="no file"):
        load_flow(tmp_path / "missing.pt")


def test_a_direction_s_file_is_no_flow(tmp_path: Path) -> None:
    from stylegan_latents.editing.directions.direction import Direction

    Direction("smile", "small", torch.ones(1, 8), 1.0).save(tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="holds no flow"):
        load_flow(tmp_path / "a.safetensors")


def test_a_flow_whose_whitening_does_not_fit_is_damaged(tmp_path: Path) -> None:
    from dataclasses import replace

    from stylegan_latents.editing.directions.calibration import w_statistics

    path = tmp_path / "a.safetensors"
    replace(small_flow(width=9), whitening=w_statistics(small_generator())).save(path)
    with pytest.raises(InputError, match="whitening does not fit"):
        load_flow(path)
