"""The folder of tests of ``invert``: a photo, and the small model beside it."""

from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.invert.commands.cli import main
from tests.small_models import FakeInverter, save_small_model, use_fake_inverter


@pytest.fixture(name="inverter", autouse=True)
def fake_inverter(monkeypatch: pytest.MonkeyPatch) -> type[FakeInverter]:
    """The inverter in the place of every method, in the modules that import this."""
    return use_fake_inverter(monkeypatch)


@pytest.fixture(name="folder")
def photo_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a photo; the model is beside it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save_small_model(tmp_path)
    save_photo(Path("me.png"))
    return tmp_path / "here"


def save_photo(path: Path) -> None:
    Image.linear_gradient("L").convert("RGB").save(path)


def run(*arguments: str) -> int:
    return main([*arguments, "--no-align", "--model", "../small.safetensors", "--device", "cpu"])


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """The line on stderr; there is nothing else there."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("invert: ")
    return lines[0]
