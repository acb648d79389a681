import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from stylegan_latents import encoders
from stylegan_latents.encoders.config import ARCHITECTURES, Architecture
from stylegan_latents.encoders.formats.native import read_encoder, save_encoder
from stylegan_latents.encoders.networks.psp import Encoder4Editing
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.native import save_native
from tests.encoders.small_encoders import noise_images, small_encoder
from tests.small_models import small_generator


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_is_read_encodes_the_same(tmp_path: Path, architecture: Architecture) -> None:
    G = small_generator()
    encoder = small_encoder(G, architecture)
    with torch.no_grad():
        encoder.train()(noise_images(8))  # moves the normalisation's statistics
    encoder.eval()
    path = tmp_path / "mine.safetensors"
    save_encoder(encoder, path)
    found = read_encoder(path)
    assert torch.equal(found.encode(noise_images()), encoder.encode(noise_images()))
    assert (found.name, found.model, found.fingerprint) == (encoder.name, "small", G.fingerprint)
    assert encoders.load(path, G).ws_avg.shape == (6, 8)  # type: ignore[union-attr]
    with pytest.raises(InputError, match="exists already"):
        save_encoder(encoder, path)


def test_half_precision_is_half_as_large_and_nearly_the_same(tmp_path: Path) -> None:
    encoder = small_encoder(small_generator(), "psp")
    save_encoder(encoder, tmp_path / "whole.safetensors")
    save_encoder(encoder, tmp_path / "half.safetensors", half=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.62 * sizes[1]
    found = read_encoder(tmp_path / "half.safetensors")
    assert next(found.parameters()).dtype == torch.float32
    codes = encoder.encode(noise_images())
    assert 0 < (found.encode(noise_images()) - codes).abs().max() < 0.01 * codes.abs().max()


def test_a_stage_is_kept(tmp_path: Path) -> None:
    encoder = small_encoder(small_generator(), "e4e")
    assert isinstance(encoder.network, Encoder4Editing)
    encoder.network.set_stage(1)
    save_encoder(encoder, tmp_path / "mine.safetensors")
    found = read_encoder(tmp_path / "mine.safetensors").encode(noise_images())
    assert torch.equal(found, encoder.encode(noise_images()))


def _changed(path: Path, change: object) -> None:
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["stylegan-latents"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(header, tensors)  # type: ignore[operator]
    save_file(tensors, path, metadata={"stylegan-latents": json.dumps(header)})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda header, _: header.update(format=2), "later version"),
        (lambda header, _: header["config"].update(w_dim=9), "damaged"),
        (lambda header, _: header["config"].update(odd=9), "damaged"),
        (lambda header, _: header.pop("iterations"), "damaged"),
        (lambda _, tensors: tensors.pop("network.w.bias"), "damaged"),
        (lambda _, tensors: tensors.update(more=torch.zeros(1)), "damaged"),
    ],
)
def test_a_damaged_file_is_said(tmp_path: Path, change: object, sentence: str) -> None:
    path = tmp_path / "mine.safetensors"
    save_encoder(small_encoder(small_generator()), path)
    _changed(path, change)
    with pytest.raises(InputError, match=sentence):
        read_encoder(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    save_native(small_generator(), tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="holds no encoder"):
        encoders.load(tmp_path / "model.safetensors")
    path = tmp_path / "mine.safetensors"
    save_encoder(small_encoder(small_generator()), path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match="cannot be read"):
        encoders.load(path)
    with pytest.raises(InputError, match=r"ends with \.safetensors"):
        save_encoder(small_encoder(small_generator()), tmp_path / "mine.pt")
