from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.editing.commands import cli
from stylegan_latents.generator.styles.style import SUFFIX, read_style
from tests.editing.command_folder import MODEL, G, enter_folder, new_files, one_sentence
from tests.generator.styles.test_style import small_style
from tests.small_models import small_generator


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = enter_folder(tmp_path, monkeypatch)
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "painting.png")
    small_style(G).save(tmp_path / f"plain{SUFFIX}")
    return made


def pixels(path: str) -> bytes:
    with Image.open(path) as picture:
        return picture.tobytes()


@pytest.mark.slow
def test_a_photo_is_drawn_like_a_picture_and_the_style_is_kept(folder: Path) -> None:
    words = [
        "stylize",
        "a.inversion.safetensors",
        "--like",
        "../painting.png",
        "--no-align",
        "--steps",
        "2",
        *MODEL,
    ]
    assert cli.main([*words, "--sheet"]) == 0
    assert new_files(folder) == {"a.painting.png", "a.painting.sheet.png", f"painting{SUFFIX}"}
    style = read_style(folder / f"painting{SUFFIX}")
    assert (style.name, style.fingerprint) == ("painting", G.fingerprint)
    assert style.provenance["pictures"][0]["name"] == "painting.png"  # type: ignore[call-overload, index]
    assert cli.main(["a.inversion.safetensors", "--style", f"painting{SUFFIX}", "--out", "again.png", *MODEL]) == 0
    assert pixels("again.png") == pixels("a.painting.png")


@pytest.mark.slow
def test_several_pictures_make_one_style_without_a_photo(folder: Path) -> None:
    words = ["stylize", "--like", "../painting.png", "--like", "..", "--no-align", "--steps", "2", *MODEL]
    assert cli.main([*words, "--name", "ours", "--keep-shape", "--keep-colour"]) == 0
    assert new_files(folder) == {f"ours{SUFFIX}"}


def test_a_style_made_earlier_is_drawn_and_filmed(folder: Path) -> None:
    words = [
        "stylize",
        "a.inversion.safetensors",
        "--like",
        f"../plain{SUFFIX}",
        "--strength",
        "0.5",
        "--film",
        *MODEL,
    ]
    assert cli.main(words) == 0
    assert new_files(folder) == {"a.plain0.5.png", "a.plain0.5.mp4"}


def test_a_style_at_strength_0_changes_nothing_and_more_of_it_does(folder: Path) -> None:
    del folder
    style = ["--style", f"../plain{SUFFIX}"]
    for name, words in {
        "plain.png": [], "none.png": [*style, "--style-strength", "0"], "all.png": style,
    }.items():  # fmt: skip
        change = ["--direction", "smile", "--strength", "1"]
        assert cli.main(["a.inversion.safetensors", *change, *words, "--out", name, *MODEL]) == 0
    assert pixels("none.png") == pixels("plain.png") != pixels("all.png")


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["grid", "a.inversion.safetensors", "--direction", "smile"], "a.plain.smile-2_to+2.png"),
        (["mix", "a.inversion.safetensors", "seed:3", "--layers", "coarse"], "a.mix.seed3-coarse.plain.png"),
        (["interpolate", "a.inversion.safetensors", "seed:3", "--frames", "3"], "a-to-seed3.plain.mp4"),
        (["sample", "--seeds", "3"], "seed0003.plain.png"),
    ],
)
def test_other_commands_draw_in_a_style(folder: Path, words: list[str], written: str) -> None:
    model = MODEL if words[0] != "sample" else ("--model", "../small.safetensors")
    assert cli.main([*words, "--style", f"../plain{SUFFIX}", *model]) == 0
    assert new_files(folder) == {written}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["stylize", "a.inversion.safetensors", "--like", "../missing.png"], "There is no style picture"),
        (
            ["stylize", "a.inversion.safetensors", "--like", "../painting.png"],
            "No face was found in the style picture",
        ),
        (["stylize", "--like", f"../plain{SUFFIX}"], "Name the photo"),
        (
            ["stylize", "a.inversion.safetensors", "--like", f"../plain{SUFFIX}", "--like", "x.png"],
            "Give one style",
        ),
        (["stylize", "--like", "../painting.png", "--film"], "--sheet and --film show a photo"),
        (["stylize", "--like", "../painting.png", "--strength", "9"], "A style's strength is from 0"),
        (["stylize", "--like", "../painting.png", "--out", "made.png"], "--out takes a folder"),
        (["stylize", "--like", "../painting.png", "--name", "a/b"], "A style's name is part of a file's name"),
        (["a.inversion.safetensors", "--style", "no-such"], "There is no style or file 'no-such'"),
        *(
            (["a.inversion.safetensors", "--style", f"../plain{SUFFIX}", *limit], f"{limit[0]} limits an edit")
            for limit in (["--region", "mouth"], ["--layers", "coarse"], ["--keep-identity", "0.4"])
        ),
        (
            ["a.inversion.safetensors", "--style-strength", "0.5", "--direction", "smile"],
            "--style-strength is of a",
        ),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert cli.main([*words, *MODEL]) == 2
    assert sentence in one_sentence(capsys)
    assert new_files(folder) == set()


def test_a_style_of_another_model_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_style(small_generator(7, name="horses"), "gallop").save(folder.parent / f"gallop{SUFFIX}")
    assert (
        cli.main(["sample", "--seeds", "1", "--style", f"../gallop{SUFFIX}", "--model", "../small.safetensors"])
        == 2
    )
    assert "The style 'gallop' belongs to the model 'horses'" in one_sentence(capsys)
    assert new_files(folder) == set()
