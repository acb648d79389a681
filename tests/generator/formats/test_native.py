"""What is saved is read again the same; a file that is anything else is refused in one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.native import _KEY, average_w, build, read_native, save_native
from tests.odd_models import ODD, odd_config, odd_generator


def test_everything_comes_back(tmp_path: Path) -> None:
    G = odd_generator(name="mine", latent_space="somewhere")
    generator.save(G, tmp_path / "deep" / "mine.safetensors")
    again = generator.load(tmp_path / "deep" / "mine.safetensors")
    assert (again.name, again.latent_space, again.fingerprint) == ("mine", "somewhere", G.fingerprint)
    assert (again.z_dim, again.w_dim, again.num_ws, again.resolution) == (7, 10, 8, 64)
    assert again.layers == G.layers
    ws = G.sample([3, 4])
    assert torch.equal(again.sample([3, 4]), ws)
    torch.testing.assert_close(again.synthesize(ws), G.synthesize(ws), rtol=1e-5, atol=1e-5)
    assert torch.equal(again.w_avg, G.w_avg)
    assert not any(parameter.requires_grad for parameter in again.parameters())


@pytest.mark.parametrize("changes", [{"image_channels": 1}, {"channels": (3,)}, {"mapping_depth": 1, "z_dim": 1}])
def test_other_sizes_come_back(tmp_path: Path, changes: dict[str, Any]) -> None:
    G = odd_generator(odd_config(**changes))
    save_native(G, tmp_path / "g.safetensors")
    again = read_native(tmp_path / "g.safetensors")
    expected = G.synthesize(G.sample([0]))
    torch.testing.assert_close(again.synthesize(again.sample([0])), expected, rtol=1e-5, atol=5e-5)


def test_no_latent_space_of_its_own_is_that_of_the_weights(tmp_path: Path) -> None:
    G = odd_generator()
    save_native(G, tmp_path / "g.safetensors")
    assert read_native(tmp_path / "g.safetensors").latent_space == G.latent_space == f"weights-{G.fingerprint[:16]}"


def test_an_existing_file_stays_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    path.write_bytes(b"precious")
    with pytest.raises(InputError, match="exists already"):
        save_native(odd_generator(), path)
    assert path.read_bytes() == b"precious"
    save_native(odd_generator(), path, overwrite=True)
    assert read_native(path).name == "odd"
    assert [entry.name for entry in tmp_path.iterdir()] == ["g.safetensors"]


@pytest.mark.parametrize("name", ["g.pt", "g.pkl", "g"])
def test_a_name_that_promises_another_format_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"\.safetensors; `stylegan-latents convert`"):
        save_native(odd_generator(), tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_rounded_weights_are_not_saved_as_the_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="float32"):
        save_native(odd_generator().to(dtype=torch.bfloat16), tmp_path / "g.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_file_without_mean_gets_one_averaged() -> None:
    G = odd_generator()
    tensors = dict(G.state_dict())
    del tensors["w_avg"]
    made = build(ODD, tensors, name="made")
    w = G.sample(range(4000))[:, 0]
    torch.testing.assert_close(made.w_avg, w.mean(0), rtol=0, atol=5 * float(w.std()) / 4000**0.5)
    assert torch.equal(made.w_avg, average_w(G.mapping, ODD.z_dim))
    assert not torch.equal(made.w_avg, average_w(G.mapping, ODD.z_dim, seed=1))


def test_building_does_not_change_the_tensors_given() -> None:
    tensors = dict(odd_generator().state_dict())
    names = set(tensors)
    build(ODD, tensors, name="made")
    assert set(tensors) == names


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"<html>Not found</html>", b"\xff" * 4096, b"\x10\0\0\0\0\0\0\0{}"],
)  # fmt: skip
def test_what_is_no_safetensors_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "g.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"g\.safetensors cannot be read"):
        read_native(path)


def test_a_truncated_file(tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    save_native(odd_generator(), path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match="cannot be read"):
        read_native(path)


@pytest.mark.parametrize("metadata", [None, {}, {_KEY: "[]"}, {_KEY: '{"architecture": "another"}'}])
def test_somebody_elses_safetensors_file(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "g.safetensors"
    save_file({"x": torch.zeros(2)}, path, metadata=metadata)
    with pytest.raises(InputError, match="holds no generator"):
        read_native(path)


def _damaged(
    path: Path, header: dict[str, Any] | None = None, tensors: dict[str, torch.Tensor] | None = None
) -> None:
    """Rewrite a saved file with parts of its header or some of its tensors replaced."""
    with safe_open(path, framework="pt") as file:
        old = json.loads(file.metadata()[_KEY])
    content = load_file(path) | (tensors or {})
    save_file(content, path, metadata={_KEY: json.dumps(old | (header or {}))})


@pytest.mark.parametrize(
    "header",
    [
        {"config": None},
        {"config": {}},
        {"config": {**vars(ODD), "channels": [12, 8]}},
        {"config": {**vars(ODD), "channels": "12"}},
        {"config": {**vars(ODD), "w_dim": 11}},
        {"config": {**vars(ODD), "w_dim": -1}},
        {"config": {**vars(ODD), "another": 1}},
        {"config": {**vars(ODD), "channels": []}},
    ],
)
def test_a_header_that_does_not_fit(tmp_path: Path, header: dict[str, Any]) -> None:
    path = tmp_path / "g.safetensors"
    save_native(odd_generator(), path)
    _damaged(path, header)
    with pytest.raises(InputError, match="is damaged"):
        read_native(path)


@pytest.mark.parametrize(
    "tensors", [{"w_avg": torch.zeros(3)}, {"mapping.layers.0.bias": torch.zeros(3)}, {"mapping.x": torch.zeros(1)}]
)
def test_tensors_that_do_not_fit(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "g.safetensors"
    save_native(odd_generator(), path)
    _damaged(path, tensors=tensors)
    with pytest.raises(InputError, match="is damaged"):
        read_native(path)


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot read"):
        read_native(tmp_path / "g.safetensors")
