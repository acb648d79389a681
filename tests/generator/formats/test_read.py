"""The registry of formats: a new one is a reader and one line."""

import struct
from pathlib import Path

import pytest
import torch
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.read import FORMATS, Format, from_weights
from stylegan_latents.generator.networks.mobile import MobileConfig
from tests.small_models import CONFIG, small_generator

MAGIC = b"TINY"


def _write(path: Path) -> None:
    """The smallest format: a magic word, a number of values, and every weight in the order of the names."""
    state = small_generator().state_dict()
    values = torch.cat([state[name].flatten() for name in sorted(state)])
    path.write_bytes(MAGIC + struct.pack("<I", len(values)) + values.numpy().tobytes())


def _read(path: Path) -> tuple[MobileConfig, dict[str, Tensor]]:
    contents = path.read_bytes()
    (count,) = struct.unpack_from("<I", contents, len(MAGIC))
    if len(contents) != len(MAGIC) + 4 + 4 * count:
        raise InputError(f"{path.name} is cut short.")
    values = torch.frombuffer(bytearray(contents[len(MAGIC) + 4 :]), dtype=torch.float32)
    tensors, at = {}, 0
    for name, tensor in sorted(small_generator().state_dict().items()):
        tensors[name] = values[at : at + tensor.numel()].reshape(tensor.shape)
        at += tensor.numel()
    return CONFIG, tensors


@pytest.fixture(name="path")
def _path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tiny = Format("a tiny file", lambda head: head.first.startswith(MAGIC), from_weights(_read))
    monkeypatch.setattr("stylegan_latents.generator.formats.read.FORMATS", [*FORMATS, tiny])
    path = tmp_path / "mine.anything"
    _write(path)
    return path


def test_a_registered_format_is_loaded_by_its_first_bytes(path: Path) -> None:
    G, ours = generator.load(path), small_generator()
    assert (G.name, G.fingerprint) == ("mine", ours.fingerprint)
    ws = ours.sample([0, 1])
    assert torch.equal(G.synthesize(ws), ours.synthesize(ws))


def test_what_its_reader_refuses_is_told(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"mine\.anything is cut short"):
        generator.load(path)


def test_tensors_that_do_not_fit_are_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_one(path: Path) -> tuple[MobileConfig, dict[str, Tensor]]:
        config, tensors = _read(path)
        return config, {name: tensor for name, tensor in tensors.items() if not name.endswith("constant")}

    broken = Format("a tiny file", lambda head: head.first.startswith(MAGIC), from_weights(without_one))
    monkeypatch.setattr("stylegan_latents.generator.formats.read.FORMATS", [broken])
    with pytest.raises(InputError, match="its tensors do not fit one another"):
        generator.load(path)


def test_formats_have_names_of_their_own() -> None:
    assert len({known.name for known in FORMATS}) == len(FORMATS)
