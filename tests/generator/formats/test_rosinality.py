"""rosinality's checkpoints, in both formats of torch.save, and encoders' files with such a generator inside."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from tests.generator.stylegan2_files import check_parity, expected, rosinality_checkpoint


def _contents() -> dict[str, Any]:
    with torch.serialization.safe_globals([__import__("argparse").Namespace]):
        contents: dict[str, Any] = torch.load(rosinality_checkpoint(), weights_only=True)
    return contents


def test_parity_with_the_repositorys_code() -> None:
    check_parity(generator.load(rosinality_checkpoint()), expected("rosinality"))


@pytest.mark.parametrize("zipped", [True, False])
def test_an_encoders_decoder(tmp_path: Path, zipped: bool) -> None:
    contents = _contents()
    state = {f"decoder.{key}": value for key, value in contents["g_ema"].items()}
    state["encoder.input_layer.0.weight"] = torch.zeros(2)
    mean = contents["latent_avg"].repeat(6, 1)
    path = tmp_path / "psp.pt"
    torch.save(
        {"state_dict": state, "latent_avg": mean, "opts": {"output_size": 16}},
        path,
        _use_new_zipfile_serialization=zipped,
    )
    check_parity(generator.load(path), expected("rosinality"))


def test_without_a_mean_w_it_is_averaged_here(tmp_path: Path) -> None:
    path = tmp_path / "plain.pt"
    torch.save(_contents()["g_ema"], path)
    G = generator.load(path)
    assert (G.w_avg - G.map(torch.randn(20_000, G.z_dim))[:, 0].mean(dim=0)).abs().max() < 0.1


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ({"d": {"final_linear.0.weight": torch.zeros(1)}}, "a discriminator only"),
        ({"state_dict": {"model.diffusion_model.out.weight": torch.zeros(1)}}, "a diffusion model"),
        ({"state_dict": {"encoder.body.weight": torch.zeros(1)}}, "an encoder without its generator"),
        ({"epoch": 3}, "the entries epoch"),
        (torch.zeros(3), "a StoredTensor"),
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_other_checkpoints_are_named(tmp_path: Path, contents: object, sentence: str, zipped: bool) -> None:
    path = tmp_path / "other.pt"
    torch.save(contents, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=sentence):
        generator.load(path)


@pytest.mark.parametrize("name", ["style.2.bias", "convs.1.conv.weight", "to_rgbs.0.bias", "conv1.noise.weight"])
def test_missing_and_misshapen_tensors_are_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "broken.pt"
    for change in ("lacks", "shape"):
        state = dict(_contents()["g_ema"])
        if change == "lacks":
            del state[name]
        else:
            state[name] = torch.zeros(3, 3)
        torch.save({"g_ema": state}, path)
        with pytest.raises(InputError, match=f"{name}|does not fit"):
            generator.load(path)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("zipped", [True, False])
def test_truncated_files_are_refused(tmp_path: Path, part: float, zipped: bool) -> None:
    buffer = io.BytesIO()
    torch.save(_contents(), buffer, _use_new_zipfile_serialization=zipped)
    path = tmp_path / "cut.pt"
    path.write_bytes(buffer.getvalue()[: int(part * len(buffer.getvalue()))])
    with pytest.raises(InputError, match=r"cut\.pt"):
        generator.load(path)


BOMB = b"\x80\x02cos\nsystem\nX\x0b\x00\x00\x00touch PWNED\x85R."


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"x/data.pkl": BOMB}, r"posix\.system|os\.system"),
        ({"x/data.pkl": b"\x80\x02}."}, r"entries \(none\)"),
        ({"x/other": b""}, "none that torch.save wrote"),
        ({"x/data.pkl": b"\x80\x02}.", "x/byteorder": b"big"}, "another byte order"),
    ],
)
def test_archives_that_are_no_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: dict[str, bytes], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(InputError, match=sentence):
        generator.load(path)
    assert sorted(tmp_path.iterdir()) == [path]


def test_compressed_members_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", b"\x80\x02" + b"0" * 10_000_000)
    with pytest.raises(InputError, match="does not write"):
        generator.load(path)


def test_huge_declared_shapes_are_refused(tmp_path: Path) -> None:
    state = dict(_contents()["g_ema"])
    state["conv1.activate.bias"] = torch.zeros(1).expand(1 << 36)
    path = tmp_path / "huge.pt"
    torch.save({"g_ema": state}, path)
    with pytest.raises(InputError, match="shape"):
        generator.load(path)


@pytest.mark.parametrize("place", [6, 46])
def test_a_damaged_table_of_contents_is_said(tmp_path: Path, place: int) -> None:
    data = bytearray(rosinality_checkpoint().read_bytes())
    entry = data.rindex(b"PK\x01\x02")  # of the last member: the version needed, and the first letters of the name
    data[entry + place : entry + place + 2] = b"\xff\xd9"
    path = tmp_path / "damaged.pt"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"damaged\.pt"):
        generator.load(path)


def test_tensors_that_share_their_bytes_do_not_multiply_them(tmp_path: Path) -> None:
    # Kernels of 8 MB, all the same: without a bound, a file could ask for as many copies as it has names.
    state = dict(_contents()["g_ema"])
    shared = torch.zeros(1, 480, 480, 3, 3)
    state["input.input"] = torch.zeros(1, 480, 4, 4)
    for name in ("conv1.conv", "to_rgb1.conv", *(f"convs.{i}.conv" for i in range(4))):
        state[f"{name}.weight"] = shared if "rgb" not in name else torch.zeros(1, 3, 480, 1, 1)
        state[f"{name}.modulation.weight"] = torch.zeros(480, 6)
        state[f"{name}.modulation.bias"] = torch.zeros(480)
    for name in ("conv1", *(f"convs.{i}" for i in range(4))):
        state[f"{name}.activate.bias"] = torch.zeros(480)
    for i in range(2):
        state[f"to_rgbs.{i}.conv.weight"] = torch.zeros(1, 3, 480, 1, 1)
        state[f"to_rgbs.{i}.conv.modulation.weight"] = torch.zeros(480, 6)
        state[f"to_rgbs.{i}.conv.modulation.bias"] = torch.zeros(480)
    path = tmp_path / "shared.pt"
    torch.save({"g_ema": state}, path)
    with pytest.raises(InputError, match="far more data than it holds"):
        generator.load(path)


def test_more_blocks_than_any_model_has_are_refused(tmp_path: Path) -> None:
    state = dict(_contents()["g_ema"])
    for i in range(4, 30):
        for key in [key for key in state if key.startswith(f"convs.{i - 2}.")]:
            state[key.replace(f"convs.{i - 2}.", f"convs.{i}.")] = state[key]
    state = {key: value for key, value in state.items() if not key.startswith("noises")}
    for i in range(2, 16):
        for key in [key for key in state if key.startswith("to_rgbs.1.")]:
            state[key.replace("to_rgbs.1.", f"to_rgbs.{i}.")] = state[key]
    for i in range(4, 30, 2):
        weight = state["convs.3.conv.weight"]
        state[f"convs.{i}.conv.weight"] = weight
        state[f"convs.{i}.conv.modulation.weight"] = state["convs.3.conv.modulation.weight"]
        state[f"convs.{i}.conv.modulation.bias"] = state["convs.3.conv.modulation.bias"]
    path = tmp_path / "deep.pt"
    torch.save({"g_ema": state}, path)
    with pytest.raises(InputError, match="more than 2048 pixels"):
        generator.load(path)
