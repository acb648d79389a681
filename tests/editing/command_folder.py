"""A folder as a user has it, for the tests of commands: two records, and their small model beside the folder."""

from pathlib import Path

import pytest

from stylegan_latents.editing.directions import catalogue
from stylegan_latents.editing.directions.direction import Direction
from tests.small_models import save_small_model, small_generator, small_record

G = small_generator(latent_space="small-w")
MODEL = ("--model", "../small.safetensors", "--device", "cpu")


def enter_beside_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the current one; the small model is beside it."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    save_small_model(tmp_path, latent_space="small-w")
    return folder


def enter_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the folder the current one: ``a`` is seed 0, ``b`` seed 1, ``other`` of another model."""
    import torch

    folder = enter_beside_model(tmp_path, monkeypatch)
    small_record(G).save("a.inversion.safetensors")
    small_record(G, ws=G.sample([1])).save("b.inversion.safetensors")
    small_record(small_generator(5, name="horses")).save("other.inversion.safetensors")
    known = {"smile": Direction("smile", "small-w", torch.ones(1, 8), 1.0)}
    monkeypatch.setattr(catalogue, "all_shipped", lambda: {"small-w": known})
    return folder


def new_files(folder: Path) -> set[str]:
    """What a command wrote."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(".inversion.safetensors")}


def one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]
