from pathlib import Path

import pytest

from stylegan_latents.editing.commands import cli
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.loading import load
from stylegan_latents.generator.styles.style import SUFFIX
from tests.editing.command_folder import G, enter_beside_model, one_sentence
from tests.generator.styles.test_style import small_style
from tests.odd_models import odd_generator
from tests.small_models import small_generator


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = enter_beside_model(tmp_path, monkeypatch)
    small_style(G).save(tmp_path / f"plain{SUFFIX}")
    save_native(small_generator(4, name="stranger"), tmp_path / "stranger.safetensors")
    save_native(odd_generator(), tmp_path / "odd.safetensors")
    return made


def test_a_model_and_a_style_of_it_are_blended(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["blend", "../small.safetensors", f"../plain{SUFFIX}", "--at", "8", "--width", "1"]
    assert cli.main([*words, "--name", "half"]) == 0
    shown = capsys.readouterr()
    assert "The weights agree by" in shown.out
    assert "ancestor" not in shown.err
    made = load(folder / "blend.half.safetensors")
    assert (made.name, made.latent_space) == ("half", "small-w")


def test_a_blend_of_a_model_with_itself_is_itself(folder: Path) -> None:
    assert cli.main(["blend", "../small.safetensors", "../small.safetensors", "--out", "same.safetensors"]) == 0
    assert load(folder / "same.safetensors").fingerprint == G.fingerprint


def test_strangers_are_blended_with_a_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["blend", "../small.safetensors", "../stranger.safetensors", "--layers", "fine,3"]) == 0
    assert "have no common ancestor" in one_sentence(capsys)
    assert [path.name for path in folder.iterdir()] == ["blend.small-stranger.safetensors"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["../odd.safetensors"], "have other layers"),
        (["../stranger.safetensors", "--at", "0"], "A blend begins at a side"),
        (["../stranger.safetensors", "--width", "-1"], "A blend's width is 0"),
        (["../stranger.safetensors", "--layers", "fine", "--at", "8"], "leave --at and --width out"),
        (["../stranger.safetensors", "--layers", "hair"], "is not a layer"),
        (["../stranger.safetensors", "--out", "a.pt"], "ends with .safetensors"),
        (["nothing"], "There is no model or file 'nothing'"),
    ],
)
def test_what_cannot_be_blended_is_said_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert cli.main(["blend", "../small.safetensors", *words]) == 2
    assert sentence in one_sentence(capsys)
    assert list(folder.iterdir()) == []
