"""Files of Pose With Style are read, and others are refused in one sentence."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_latents.editing.repose.files import load_completion, load_pose_with_style, read_lookup
from stylegan_latents.generator.errors import InputError
from tests.editing.repose.people import FOLDER, lookup


def _contents(name: str) -> dict[str, Any]:
    with torch.serialization.safe_globals([argparse.Namespace]):
        contents: dict[str, Any] = torch.load(FOLDER / name, weights_only=True)
    return contents


def test_sizes_are_those_of_the_file() -> None:
    network = load_pose_with_style(FOLDER / "512.pt")
    assert network.resolution == 512
    assert network.config.encoders == network.config.decoder == (16, 16, 16, 8, 4, 2)
    assert [tuple(one.shape[2:]) for one in network.noise(0)][::2] == [
        (side, side) for side in (16, 32, 64, 128, 256, 512)
    ]
    assert load_pose_with_style(FOLDER / "256.pt").config.decoder == (16, 16, 16, 8, 4)
    assert not any(one.requires_grad for one in network.parameters())


def test_a_state_dict_alone_is_read(tmp_path: Path) -> None:
    torch.save({f"module.{name}": value for name, value in _contents("256.pt")["g_ema"].items()}, tmp_path / "a.pt")
    wanted, read = load_pose_with_style(FOLDER / "256.pt"), load_pose_with_style(tmp_path / "a.pt")
    assert all(torch.equal(value, read.state_dict()[name]) for name, value in wanted.state_dict().items())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"conv1.noise.weight": None}, "lacks 'conv1.noise.weight'"),
        ({"convs.0.conv.weight": torch.ones(1, 16, 8, 3, 3)}, "does not fit"),
        ({"convs.0.conv.weight": torch.full((1, 16, 16, 3, 3), torch.nan)}, "not finite"),
        ({"convs.0.conv.blur.kernel": torch.ones(4, 4)}, "filter that is not read"),
        ({"convs.9.conv.weight": torch.ones(1)}, "has the tensor 'convs.9.conv.weight'"),
        ({"appearance_encoder.conv61.weight": torch.ones(1), "appearance_encoder.conv71.weight": torch.ones(1)},
         "network of 1024 pixels"),
        ({"pose_encoder.convs.4.conv2.1.weight": torch.ones(8, 16, 3, 3)}, "does not fit"),
    ],
)  # fmt: skip
def test_networks_that_do_not_fit_are_refused(
    changes: dict[str, torch.Tensor | None], words: str, tmp_path: Path
) -> None:
    state = {**_contents("256.pt")["g_ema"], **changes}
    torch.save({"g_ema": {name: value for name, value in state.items() if value is not None}}, tmp_path / "a.pt")
    with pytest.raises(InputError, match=words):
        load_pose_with_style(tmp_path / "a.pt")


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    for read, path, words in (
        (load_pose_with_style, FOLDER / "completion.pt", "not a model of Pose With Style"),
        (load_completion, FOLDER / "256.pt", "not a coordinate completion"),
        (load_pose_with_style, FOLDER.parent / "stylegan2" / "rosinality.pt", "not a model of Pose With Style"),
        (load_pose_with_style, FOLDER.parent / "README.md", "of no format that is known"),
        (load_completion, tmp_path / "missing.pt", "There is no file"),
        (read_lookup, tmp_path / "missing.npy", "There is no file"),
        (read_lookup, FOLDER.parent / "README.md", "NumPy"),
    ):
        with pytest.raises(InputError, match=words):
            read(path)
    state = _contents("completion.pt")["g"]
    state["generator.model.5.conv2d.weight"] = torch.ones(8, 8, 5, 5)
    torch.save({"g": state}, tmp_path / "a.pt")
    with pytest.raises(InputError, match="does not fit"):
        load_completion(tmp_path / "a.pt")


def test_a_lookup_has_places_within_the_texture(tmp_path: Path) -> None:
    table = lookup()
    np.save(tmp_path / "a.npy", table)
    assert np.array_equal(read_lookup(tmp_path / "a.npy"), table)
    np.save(tmp_path / "other.npy", table[:, :, :, :1])
    table[3, 4, 5] = np.nan
    np.save(tmp_path / "broken.npy", table)
    for name, words in (("other", "no table of places"), ("broken", "outside of the texture")):
        with pytest.raises(InputError, match=words):
            read_lookup(tmp_path / f"{name}.npy")
