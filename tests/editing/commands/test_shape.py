from pathlib import Path

import mrcfile
import pytest

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.generator.formats.native import save_native
from tests.generator.networks.eg3d_files import random_eg3d
from tests.small_models import save_small_model, small_generator, small_record

WORDS = ("--device", "cpu", "--side", "16", "--level", "-5")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    G = random_eg3d()
    save_native(G, tmp_path / "solid.safetensors")
    small_record(G, model_file=tmp_path / "solid.safetensors").save("me.inversion.safetensors")
    flat = save_small_model(tmp_path)
    small_record(small_generator(), model_file=flat).save("flat.inversion.safetensors")


def test_a_records_head_is_written_as_a_mesh(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shape", "me.inversion.safetensors", *WORDS]) == 0
    assert Path("me.shape.ply").read_bytes().startswith(b"ply\n")
    assert "Wrote me.shape.ply: " in capsys.readouterr().out


def test_a_records_densities_are_written_as_a_volume(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shape", "me.inversion.safetensors", "--side", "16", "--out", "head.mrc"]) == 0
    assert "Wrote head.mrc: 16 samples a side" in capsys.readouterr().out
    with mrcfile.open("head.mrc") as file:
        assert file.data.shape == (16, 16, 16)
        assert file.data.std() > 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["me.inversion.safetensors", "--out", "head.stl"], "ends with .ply"),
        (["me.inversion.safetensors", "--out", "head.mrc"], "--level is for a mesh"),
        (["flat.inversion.safetensors"], "'small' has no camera"),
        (["me.inversion.safetensors", "--level", "100000"], "There is no surface"),
    ],
)
def test_bad_input_is_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shape", *WORDS, *words]) == 2
    assert sentence in capsys.readouterr().err.strip().splitlines()[-1]
    assert not list(Path().glob("*.ply"))
