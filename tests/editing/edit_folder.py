"""The folder of tests of ``edit``: a photo, its record, and two known directions."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.directions import catalogue
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.invert.photos.crop import no_align
from stylegan_latents.invert.record.source import Source
from tests.editing.command_folder import G, enter_beside_model
from tests.small_models import small_record


def direction(name: str, seed: int) -> Direction:
    vector = torch.randn(1, 8, generator=torch.Generator().manual_seed(seed))
    return Direction(name, "small-w", vector, 1.0, "all", {"positive": "more of it", "held_out_accuracy": 0.9})


def enter_edit_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a photo, its record, and the model beside the folder; two known directions."""
    folder = enter_beside_model(tmp_path, monkeypatch)
    gradient = Image.linear_gradient("L").convert("RGB").resize((60, 40))
    gradient.save("me.png")
    _, alignment = no_align(gradient, 32)
    small_record(G, sources=[Source.of(Path("me.png"))], alignments=[alignment]).save("me.inversion.safetensors")
    known = {name: direction(name, seed) for seed, name in enumerate(("pose", "smile"))}
    monkeypatch.setattr(catalogue, "all_shipped", lambda: {"small-w": known})
    return folder


def files(folder: Path) -> set[str]:
    """What a command wrote."""
    return {path.name for path in folder.iterdir()} - {"me.png", "me.inversion.safetensors"}


def one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("edit")
    return lines[0]


def pixels(path: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    return np.asarray(Image.open(path)).astype(np.int64)
