"""A name, a file or a folder gives a generator; anything else one sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.generator import loading
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats import read
from stylegan_latents.generator.formats.native import read_native, save_native
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.weights import zoo
from tests.odd_models import ODD, odd_generator


def test_default_model_is_what_the_design_says() -> None:
    G = generator.load()
    assert (G.name, G.latent_space) == ("ffhq", "stylegan2-ffhq-w")
    assert (G.resolution, G.z_dim, G.w_dim, G.num_ws, G.label_dim) == (1024, 512, 512, 16, 0)
    assert G.ws_groups == ["coarse"] * 3 + ["middle"] * 4 + ["fine"] * 9
    assert G.device.type == "cpu"
    assert G.dtype == torch.float32


@pytest.mark.parametrize("as_text", [True, False])
def test_a_file(tmp_path: Path, as_text: bool) -> None:
    path = tmp_path / "ffhq"  # a path, though its last part is a model's name
    save_native(odd_generator(), tmp_path / "g.safetensors")
    (tmp_path / "g.safetensors").rename(path)
    assert generator.load(str(path) if as_text else path).fingerprint == odd_generator().fingerprint


def test_a_folder_of_openvino_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use_small_openvino(monkeypatch, tmp_path)
    G = generator.load(tmp_path)
    assert G.name == tmp_path.name
    assert G.latent_space.startswith("weights-")
    assert torch.equal(G.synthesize(G.sample([0])), odd_generator().synthesize(G.sample([0])))


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"folder .* holds no MobileStyleGAN \(MappingNetwork\.xml\)"):
        generator.load(tmp_path)


@pytest.mark.parametrize(
    ("typed", "answer"), [("fhq", "did you mean ffhq"), ("missing.npz", "`edit models` lists the models")]
)
def test_what_does_not_exist(typed: str, answer: str) -> None:
    with pytest.raises(InputError, match=answer):
        generator.load(typed)


def test_the_default_model_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = _use_small_openvino(monkeypatch, tmp_path / "source")
    first = generator.load("ffhq")
    path = tmp_path / "home" / "ffhq-1.safetensors"
    assert read_native(path).fingerprint == first.fingerprint
    assert first.latent_space == "stylegan2-ffhq-w"
    written = path.stat().st_mtime_ns
    assert generator.load("ffhq").fingerprint == first.fingerprint
    assert path.stat().st_mtime_ns == written
    assert fetched == ["ffhq-openvino"]


@pytest.mark.parametrize("content", [b"", b"<html>", None])
def test_a_damaged_cache_mends_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    fetched = _use_small_openvino(monkeypatch, tmp_path / "source")
    expected = generator.load("ffhq").fingerprint
    path = tmp_path / "home" / "ffhq-1.safetensors"
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    assert generator.load("ffhq").fingerprint == expected
    assert read_native(path).fingerprint == expected
    assert len(fetched) == 2


def test_a_conversion_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use_small_openvino(monkeypatch, tmp_path / "source")

    def refuse(_folder: Path, *_: object) -> NoReturn:
        raise InputError("The files are damaged.")

    _read_folders(monkeypatch, refuse)
    with pytest.raises(InputError, match="damaged"):
        generator.load("ffhq")
    assert not [path for path in (tmp_path / "home").iterdir() if path.suffix != ".lock"]


def test_the_latent_space_without_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_native(odd_generator(), tmp_path / "odd.safetensors")
    (tmp_path / "other.pkl").write_bytes(b"\x80\x04.")
    monkeypatch.setattr(loading, "load", None)
    assert loading.latent_space_of("ffhq") == "stylegan2-ffhq-w"
    assert loading.latent_space_of(tmp_path / "odd.safetensors") == odd_generator().latent_space
    for name in ("other.pkl", "missing.pkl", "."):
        assert loading.latent_space_of(tmp_path / name) is None


def test_what_is_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use_small_openvino(monkeypatch, tmp_path / "source")
    assert not loading.is_cached("ffhq")
    generator.load("ffhq")
    assert loading.is_cached("ffhq")
    assert loading.is_cached("mine.pkl")


def _use_small_openvino(monkeypatch: pytest.MonkeyPatch, source: Path) -> list[str]:
    """An odd model in the place of the default model's files, and an empty cache; the names fetched."""
    fetched: list[str] = []
    source.mkdir(exist_ok=True)
    home = source.parent / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("STYLEGAN_HOME", str(home))

    def fetch(name: str) -> Path:
        fetched.append(name)
        return source

    monkeypatch.setattr(zoo, "fetch", fetch)
    _read_folders(monkeypatch, read.from_weights(lambda _folder: (ODD, dict(odd_generator().state_dict()))))
    return fetched


def _read_folders(monkeypatch: pytest.MonkeyPatch, reader: Callable[[Path], Generator]) -> None:
    folders = read.Format("a folder", lambda head: head.is_folder, reader)
    monkeypatch.setattr(read, "FORMATS", [folders, *read.FORMATS])


@pytest.mark.parametrize("first", [b"\x80", b"PK"])
def test_a_header_whose_length_looks_like_another_format(tmp_path: Path, first: bytes) -> None:
    path = tmp_path / "x.safetensors"
    save_native(odd_generator(), path)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    longer = length
    while not longer.to_bytes(8, "little").startswith(first):
        longer += 1
    header = content[8 : 8 + length] + b" " * (longer - length)
    path.write_bytes(longer.to_bytes(8, "little") + header + content[8 + length :])
    assert generator.load(path).fingerprint == odd_generator().fingerprint
