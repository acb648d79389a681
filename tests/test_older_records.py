"""Records and directions that version 0.1.0 wrote open and edit as they did (``tests/data/README.md``)."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.__main__ import main as edit
from stylegan_latents.editing.directions import direction
from stylegan_latents.generator.loading import load
from stylegan_latents.invert.__main__ import main as invert
from stylegan_latents.invert.films.read import read_film
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.inversion import Inversion

RECORDS = Path(__file__).parent / "data/records"
MODEL = ("--model", "small.safetensors", "--device", "cpu")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the records, as the current folder."""
    copy = tmp_path / "records"
    shutil.copytree(RECORDS, copy)
    monkeypatch.chdir(copy)
    return copy


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs a console script's function with words as somebody types them."""

    def run(main: Callable[[], int], *words: str) -> int:
        monkeypatch.setattr(sys, "argv", [main.__module__, *words])
        return main()

    return run


def levels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(np.int16)


def test_a_photos_record_holds_what_it_held() -> None:
    G, record = load(RECORDS / "small.safetensors"), Inversion.load(RECORDS / "photo.inversion.safetensors")
    assert (record.method, record.model) == ("optimize", "small")
    assert G.has_fingerprint(record.fingerprint)
    assert record.settings["steps"] == 10
    assert record.ws.shape == (1, 6, 8)
    assert record.sources[0].name == "photo.png"
    assert record.alignments[0].method == "none"
    drawn = np.asarray(to_picture(G.synthesize(record.ws))[0]).astype(np.int16)
    assert np.abs(drawn - levels(RECORDS / "photo.inverted.png")).max() <= 1


def test_a_tuned_record_holds_its_weights() -> None:
    record = Inversion.load(RECORDS / "tuned.inversion.safetensors")
    assert record.method == "pivotal"
    assert record.weights is not None
    assert record.settings["pivot_settings"]["method"] == "optimize"  # type: ignore[index, call-overload]


def test_a_films_record_holds_its_frames() -> None:
    record = Inversion.load(RECORDS / "clip.inversion.safetensors")
    assert record.footage is not None
    assert (len(record), record.footage.rate, list(record.footage.frames)) == (3, 10.0, [0, 1, 2])
    assert len(record.alignments) == 3


def test_directions_hold_what_they_held() -> None:
    in_w = direction.load(RECORDS / "sefa-00.safetensors")
    assert (in_w.name, in_w.space, in_w.vector.shape) == ("sefa-00", "w", torch.Size([1, 8]))
    assert in_w.scale == pytest.approx(0.563292, abs=1e-6)
    in_s = direction.load(RECORDS / "stylespace-00.safetensors")
    assert (in_s.space, in_s.vector.shape) == ("s", torch.Size([1, 52]))
    assert int((in_s.vector != 0).sum()) == 1


@pytest.mark.parametrize(
    ("record", "name"), [("photo", "sefa-00"), ("tuned", "sefa-00"), ("tuned", "stylespace-00")]
)
def test_edits_draw_what_they_drew(folder: Path, call: Callable[..., int], record: str, name: str) -> None:
    words = (f"{record}.inversion.safetensors", "--direction", f"{name}.safetensors", "--strength", "2")
    assert call(edit, *words, *MODEL, "--out", "edited") == 0
    (drawn,) = (folder / "edited").glob("*.png")
    assert np.abs(levels(drawn) - levels(RECORDS / f"{record}.{name}+2.png")).max() <= 1


def test_a_film_is_edited(folder: Path, call: Callable[..., int]) -> None:
    words = ("clip.inversion.safetensors", "--direction", "sefa-00.safetensors", "--strength", "2")
    assert call(edit, *words, *MODEL, "--out", "edited") == 0
    (film,) = (folder / "edited").glob("*.mp4")
    assert len(list(read_film(film))) == 3


def test_a_photo_that_has_such_a_record_is_skipped(
    folder: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "photo.inversion.safetensors").read_bytes()
    assert call(invert, "photo.png", "--no-align", *MODEL, "--steps", "10") == 0
    assert "step" not in capsys.readouterr().err
    assert (folder / "photo.inversion.safetensors").read_bytes() == before
