import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from stylegan_latents import encoders
from stylegan_latents.encoders.face_recognition import FaceRecognition
from stylegan_latents.encoders.train import main, next_command
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.perceptual import LPIPS
from tests.dlib_networks import parsed, small_network
from tests.encoders.small_encoders import noise_images
from tests.odd_models import tiny_lpips
from tests.small_models import small_generator


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a model and aligned pictures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(LPIPS, "load", lambda *_: tiny_lpips())
    save_native(small_generator(), tmp_path / "small.safetensors")
    (tmp_path / "aligned").mkdir()
    for i in range(3):
        Image.new("RGB", (32, 32), (80 * i, 40, 90)).save(tmp_path / "aligned" / f"{i}.png")
    return tmp_path


def _run(*arguments: str) -> int:
    sizes = ("--input-size", "32", "--batch", "2", "--device", "cpu", "--model", "small.safetensors")
    return main(["--out", "mine", *sizes, *arguments])


def test_it_trains_and_goes_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--steps", "2") == 0
    output = capsys.readouterr()
    assert "Training: step 2 of 2, pixels" in output.err
    assert f"Wrote {Path('mine') / 'encoder.safetensors'}" in output.out
    next_one = "Next: invert me.jpg --encoder mine/encoder.safetensors --model small.safetensors"
    assert next_one in output.out.replace("\\", "/")
    G = small_generator()
    encoder = encoders.load(folder / "mine" / "encoder.safetensors", G)
    assert encoder.encode(noise_images()).shape == (2, 6, 8)
    assert encoder.name == "mine"  # type: ignore[union-attr]
    assert _run("--steps", "3") == 0
    assert "Resuming from step 2 of 3" in capsys.readouterr().out
    assert _run("--steps", "3", "--seed", "1") == 2
    assert "with seed 0, not 1" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_faces_are_told_apart_without_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = FaceRecognition(parsed(small_network()))
    monkeypatch.setattr(FaceRecognition, "load", classmethod(lambda _cls: network))
    assert _run("--steps", "1", "--features", "faces") == 0
    assert "features" in capsys.readouterr().err
    assert _run("--steps", "2", "--features", "faces", "--quiet") == 0
    assert _run("--steps", "2", "--quiet") == 2
    assert "features" in capsys.readouterr().err


@pytest.mark.slow
def test_pictures_and_another_encoders_weights(folder: Path) -> None:
    assert _run("--steps", "1", "--quiet") == 0
    start = ("--start", "mine/encoder.safetensors", "--out", "other", "--images", "aligned", "--lpips", "0")
    assert _run(*start, "--steps", "1", "--learning-rate", "1e-12", "--quiet") == 0
    one, two = (encoders.load(folder / name / "encoder.safetensors") for name in ("mine", "other"))
    assert torch.allclose(one.encode(noise_images()), two.encode(noise_images()), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--no-samples",), "no training data"),
        (("--images", "missing"), "There is no folder missing"),
        (("--model", "missing"), "no model or file 'missing'"),
        (("--learning-rate", "0"), "has to be above 0"),
        (("--input-size", "33"), "32, 64, 128"),
        (("--start", "small.safetensors"), "holds no encoder"),
        (("--out", "small.safetensors"), "is a file"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_is_wrong_is_said(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert _run("--steps", "1", *arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert sentence in lines[0]
    assert not Path("mine").exists()


def test_what_comes_next_names_the_model_only_where_the_encoder_does_not() -> None:
    assert next_command(Path("mine.safetensors"), "ffhq") == "invert me.jpg --encoder mine.safetensors"
    named = next_command(Path("mine.safetensors"), "my model.pkl")
    assert named == "invert me.jpg --encoder mine.safetensors --model 'my model.pkl'"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from stylegan_latents.encoders.train import main; main(['--help']); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'accelerate')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_a_network_of_features_is_run_only_if_it_is_trusted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("--steps", "1", "--features", str(tmp_path / "net.pt")) == 2
    assert "add --trust-features if you trust whoever made it" in capsys.readouterr().err
