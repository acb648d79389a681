"""An edit of every record of a folder, on one machine and on a cluster."""

from pathlib import Path

import pytest

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.generator import loading
from tests.editing.command_folder import enter_folder
from tests.small_models import small_generator, small_record

WORDS = ("--all", "--direction", "smile.safetensors", "--strength", "1", "--model", "../small.safetensors")
NAMES = {"a.smile+1.png", "b.smile+1.png", "c.smile+1.png"}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    enter_folder(tmp_path, monkeypatch)
    Path("other.inversion.safetensors").unlink()
    G = small_generator(latent_space="small-w")
    small_record(G, ws=G.sample([2])).save("c.inversion.safetensors")
    Direction("smile", "small-w", torch.ones(1, 8), 1.0).save(Path("smile.safetensors"))


def _made(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_every_record_is_edited_with_the_model_loaded_once_and_results_stay(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loads: list[object] = []
    load = loading.load
    monkeypatch.setattr(loading, "load", lambda name: loads.append(name) or load(name))  # type: ignore[func-returns-value]
    assert main([".", *WORDS, "--device", "cpu", "--out", "made"]) == 0
    assert len(loads) == 1
    before = _made("made")
    assert set(before) == NAMES
    Path("made/b.smile+1.png").unlink()
    assert main([".", *WORDS, "--device", "cpu", "--out", "made"]) == 0
    assert _made("made") == before
    assert capsys.readouterr().out.count("stays as it is") == 2


def test_a_record_that_cannot_be_edited_is_named_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.inversion.safetensors").write_text("no record")
    assert main([".", *WORDS, "--device", "cpu", "--out", "made"]) == 2
    assert set(_made("made")) == NAMES - {"b.smile+1.png"}
    assert "edit: 1 of 3 records could not be edited:\n  b.inversion.safetensors: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a.inversion.safetensors", "--all"], "--all takes a folder of records"),
        (["a.inversion.safetensors", "--cluster"], "--cluster is for many records; add --all"),
        ([".", "--all", "--out", "one.png"], "one.png is one picture; name a folder"),
        ([".", "--all", "--photo", "a.jpg"], "--photo is for one record"),
        (["made", "--all"], "There is no *.inversion.safetensors in made"),
    ],
)
def test_what_does_not_fit_together(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("made").mkdir()
    assert main([*words, "--direction", "smile.safetensors", "--strength", "1"]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.slow
def test_a_cluster_makes_the_same_pictures() -> None:
    pytest.importorskip("ray")
    assert main([".", *WORDS, "--device", "cpu", "--out", "made"]) == 0
    assert main([".", *WORDS, "--device", "cpu", "--out", "there", "--cluster", "--workers", "2"]) == 0
    assert _made("there") == _made("made")
