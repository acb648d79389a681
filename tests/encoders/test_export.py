"""`stylegan-latents export`: files that onnxruntime and torch.export run, and that give what PyTorch gives."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents.encoders.config import Architecture
from stylegan_latents.encoders.export import main
from stylegan_latents.encoders.loading import save as save_encoder
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.encoders.small_encoders import small_encoder
from tests.generator.stylegan2_files import random_stylegan2
from tests.generator.stylegan3_files import random_stylegan3
from tests.odd_models import odd_generator

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
onnx = pytest.importorskip("onnx")

SMALL = StyleGAN2Config(z_dim=4, mapping_widths=(4, 6), channels=(48, 8, 8))
CLASSES = StyleGAN2Config(
    z_dim=4, mapping_widths=(4, 6), channels=(8, 8), label_dim=3, label_width=4, architecture="resnet"
)


def _run(path: Path, **inputs: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {name: x.numpy() for name, x in inputs.items()})[0])


def _saved(G: Generator, folder: Path) -> str:
    save_native(G, folder / "G.safetensors")
    return str(folder / "G.safetensors")


def _near(found: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: random_stylegan2(SMALL), id="stylegan2", marks=pytest.mark.slow),
        pytest.param(random_stylegan3, id="stylegan3", marks=pytest.mark.slow),
        pytest.param(odd_generator, id="mobile"),
    ],
)
def test_a_synthesis_takes_any_number_of_codes(
    make: Callable[[], Generator], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    G = make()
    assert main([_saved(G, tmp_path), str(tmp_path / "G.onnx")]) == 0
    assert f"ws [N, {G.num_ws}, {G.w_dim}] to image" in capsys.readouterr().out
    for count in (1, 2, 5):
        ws = G.sample(range(20, 20 + count))
        _near(_run(tmp_path / "G.onnx", ws=ws), G.synthesize(ws))


@pytest.mark.slow
def test_a_fixed_number_of_smaller_pictures_of_rounded_weights(tmp_path: Path) -> None:
    G = random_stylegan2(SMALL)
    words = [_saved(G, tmp_path), str(tmp_path / "G.onnx"), "--batch", "2", "--size", "8"]
    assert main(words) == 0
    ws = G.sample([1, 2])
    _near(_run(tmp_path / "G.onnx", ws=ws), G.synthesize(ws, size=8))
    with pytest.raises(Exception, match="dimensions"):
        _run(tmp_path / "G.onnx", ws=ws[:1])
    size = (tmp_path / "G.onnx").stat().st_size
    assert main([*words, "--precision", "float16", "--overwrite"]) == 0
    assert (tmp_path / "G.onnx").stat().st_size < size - 40_000
    image, wanted = _run(tmp_path / "G.onnx", ws=ws), G.synthesize(ws, size=8)
    assert 0 < (image - wanted).abs().max() < 0.02 * wanted.abs().max()


@pytest.mark.slow
def test_a_mapping_of_classes_and_truncation(tmp_path: Path) -> None:
    G = random_stylegan2(CLASSES)
    words = [_saved(G, tmp_path), str(tmp_path / "G.onnx"), "--part", "mapping", "--truncation", "0.7"]
    assert main(words) == 0
    z, label = torch.from_numpy(np.random.RandomState(85).randn(2, 4)).float(), torch.eye(3)[[2, 0]]
    _near(_run(tmp_path / "G.onnx", z=z, label=label), G.map(z, label, truncation=0.7))


@pytest.mark.slow
def test_an_archive_of_torch_export(tmp_path: Path) -> None:
    G = odd_generator()
    assert main([_saved(G, tmp_path), str(tmp_path / "G.pt2")]) == 0
    ws = G.sample([3, 4, 5, 6])
    _near(torch.export.load(tmp_path / "G.pt2").module()(ws), G.synthesize(ws))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["plain", "perceptual"])
def test_an_encoder(architecture: Architecture, tmp_path: Path) -> None:
    G = odd_generator()
    encoder = small_encoder(G, architecture)
    save_encoder(encoder, tmp_path / "E.safetensors")
    words = [_saved(G, tmp_path), str(tmp_path / "E.onnx"), "--part", "encoder"]
    assert main([*words, "--encoder", str(tmp_path / "E.safetensors")]) == 0
    images = encoder.fit(G.synthesize(G.sample([3, 4])).clamp(-1, 1))
    _near(_run(tmp_path / "E.onnx", image=images), encoder.encode(images))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["x.pt"], "ends with .onnx or .pt2"),
        (["x.onnx", "--opset", "11"], "opset 11 is too old"),
        (["x.pt2", "--precision", "float16"], "is for .onnx files"),
        (["x.onnx", "--size", "8", "--part", "mapping"], "--size is for --part synthesis"),
        (["x.onnx", "-t", "0.5"], "--truncation is for --part mapping"),
        (["x.onnx", "-t", "nan", "--part", "mapping"], "takes a number"),
        (["x.onnx", "--encoder", "e.pt"], "--encoder is for --part encoder"),
        (["x.onnx", "--size", "9"], "makes images of 64 pixels"),
        (["x.onnx", "--part", "encoder"], "No encoder is shipped for"),
        (["G.safetensors/x.onnx"], "is a file"),
    ],
)
def test_refusals(
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    save_native(odd_generator(), Path("G.safetensors"))
    assert main(["G.safetensors", *words]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["G.safetensors"]


def test_a_file_that_gives_something_else_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from stylegan_latents.generator import export

    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    assert main([_saved(odd_generator(), tmp_path), str(tmp_path / "G.onnx"), "--part", "mapping"]) == 2
    assert "it is not written" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "G.onnx").exists()
