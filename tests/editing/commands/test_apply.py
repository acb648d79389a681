import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands import apply
from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.directions import catalogue
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.records import pasted as pasted_module
from stylegan_latents.editing.records.drawn import DrawnEdit
from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.invert.record.inversion import Inversion
from tests.editing.command_folder import MODEL, G
from tests.editing.edit_folder import direction, enter_edit_folder, files, one_sentence, pixels
from tests.small_models import small_record


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_edit_folder(tmp_path, monkeypatch)


def test_several_pairs_in_their_order() -> None:
    arguments = [
        "me.inversion.safetensors",
        "-d",
        "pose",
        "-s",
        "2",
        "--direction",
        "smile",
        "--strength",
        "-1.5",
    ]
    assert main([*arguments, *MODEL]) == 0
    assert Path("me.pose+2.smile-1.5.png").exists()
    # All strengths after all directions is the same command.
    arguments = ["-d", "pose", "-d", "smile", "-s", "2", "-s", "-1.5", "--out", "again.png"]
    assert main([*arguments, *MODEL]) == 0
    assert (pixels("again.png") == pixels("me.pose+2.smile-1.5.png")).all()


def test_layers_and_raw_change_the_result_and_its_name() -> None:
    edit = ["-d", "pose", "-s", "2", *MODEL]
    assert main(edit) == 0
    assert main([*edit, "--layers", "coarse"]) == 0
    assert main([*edit, "--raw"]) == 0
    assert (pixels("me.pose+2.coarse.png") != pixels("me.pose+2.png")).any()
    assert (pixels("me.pose+2.raw.png") == pixels("me.pose+2.png")).all()  # its scale is 1


def test_a_target_is_reached_by_the_score_of_another_scorer(capsys: pytest.CaptureFixture[str]) -> None:
    dark = direction("light", 3)
    light = dataclasses.replace(dark, vector=-dark.vector, provenance={"score": "lightness"})
    light.save("light.safetensors")
    edit = ["--target", "light.safetensors=0.44", *MODEL]
    assert main([*edit, "--scorer", "colour"]) == 0
    assert "the score goes from" in capsys.readouterr().out
    assert abs(pixels("me.light-to-0.44.png").mean() / 255 - 0.44) < 0.05
    assert main(["--target", "light.safetensors=7", "--scorer", "colour", *MODEL]) == 2
    assert "'lightness' runs from 0 to 1, so 7 is no target" in one_sentence(capsys)
    assert main([*edit, "--overwrite"]) == 2
    assert "does not measure what 'light' changes" in one_sentence(capsys)
    assert main(["--target", "smile=0.1", *MODEL]) == 2
    assert "No face was found in this picture" in one_sentence(capsys)
    assert main(["-d", "pose", "--scorer", "colour", *MODEL]) == 2
    assert "--scorer measures a --target" in one_sentence(capsys)


def test_a_far_target_is_warned_of_unless_strengths_are_multiples_of_the_vector(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dark = direction("light", 3)
    light = dataclasses.replace(dark, vector=-dark.vector, provenance={"score": "lightness"})
    light.save("light.safetensors")
    words = ["--target", "light.safetensors=0.44", "--scorer", "colour", "-d", "pose", "-s", "0.01", *MODEL]
    assert main(words) == 0
    assert "is far for this face" in capsys.readouterr().err
    assert main([*words, "--raw"]) == 0
    assert "is far" not in capsys.readouterr().err


def test_out_is_a_file_or_a_folder(folder: Path) -> None:
    edit = ["-d", "pose", "-s", "1", *MODEL]
    assert main([*edit, "--out", "new/turned.jpg"]) == 0
    assert main([*edit, "--out", "results"]) == 0
    assert (folder / "new" / "turned.jpg").exists()
    assert (folder / "results" / "me.pose+1.png").exists()


def test_nothing_is_replaced_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    Path("me.pose+2.png").write_text("mine")
    edit = ["-d", "pose", "-s", "2", *MODEL]
    assert main(edit) == 2
    assert "me.pose+2.png exists already; add --overwrite" in one_sentence(capsys)
    assert Path("me.pose+2.png").read_text() == "mine"
    assert main([*edit, "--overwrite"]) == 0
    assert Image.open("me.pose+2.png").size == (32, 32)


@pytest.mark.parametrize("command", [["-d", "pose", "-s", "1"], ["grid", "-d", "pose"]])
def test_the_photo_is_never_replaced(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("me.png").read_bytes()
    assert main([*command, "--out", "me.png", "--overwrite", *MODEL]) == 2
    assert "what this edit is made from" in capsys.readouterr().err
    assert Path("me.png").read_bytes() == before


def test_a_copy_of_the_photo_is_not_replaced_either(capsys: pytest.CaptureFixture[str]) -> None:
    copy = shutil.copy("me.png", "copy.png")
    assert main(["-d", "pose", "-s", "1", "--out", copy, "--overwrite", *MODEL]) == 2
    assert "what this edit is made from" in capsys.readouterr().err


def test_a_far_strength_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-d", "pose", "-s", "9", *MODEL]) == 0
    assert "pose +9 is far" in capsys.readouterr().err


def test_a_sheet_shows_photo_inversion_and_edit() -> None:
    assert main(["-d", "pose", "-s", "2", "--sheet", *MODEL]) == 0
    with_photo = Image.open("me.pose+2.sheet.png").width
    assert Image.open("me.pose+2.png").size == (32, 32)
    Path("me.png").unlink()
    assert main(["-d", "pose", "-s", "2", "--sheet", "--overwrite", *MODEL]) == 0
    assert 0.6 < Image.open("me.pose+2.sheet.png").width / with_photo < 0.7


def test_a_sheet_of_a_picture_that_is_there_is_written_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit = ["-d", "pose", "-s", "2", *MODEL]
    assert main(edit) == 0
    before = Path("me.pose+2.png").stat().st_mtime_ns
    assert main([*edit, "--sheet"]) == 0
    assert files(folder) == {"me.pose+2.png", "me.pose+2.sheet.png"}
    assert Path("me.pose+2.png").stat().st_mtime_ns == before
    assert "me.pose+2.png exists already and stays as it is" in capsys.readouterr().out
    assert main([*edit, "--sheet"]) == 2
    assert "me.pose+2.sheet.png exists already; add --overwrite" in one_sentence(capsys)
    # A name that a user chose says nothing of what the picture is.
    Path("mine.png").write_text("mine")
    assert main([*edit, "--sheet", "--out", "mine.png"]) == 2
    assert "mine.png exists already; add --overwrite" in one_sentence(capsys)


def test_without_a_strength_a_clear_one_is_taken_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-d", "pose", "-d", "smile", *MODEL]) == 0
    assert "pose by +2, as there is no --strength" in capsys.readouterr().out
    assert main(["-d", "pose", "-s", "2", "-d", "smile", "-s", "2", "--out", "said.png", *MODEL]) == 0
    assert (pixels("me.pose+2.smile+2.png") == pixels("said.png")).all()
    vector = torch.zeros(1, sum(layer.channels for layer in G.layers))
    vector[0, 9] = 1
    Direction("channel", "small-w", vector, 2.0, space="s").save(Path("channel.safetensors"))
    assert main(["-d", "channel.safetensors", *MODEL]) == 0
    assert Path("me.channel+10.png").exists()


def test_names_tell_regions_and_how_they_are_joined(folder: Path) -> None:
    drawn = np.zeros((32, 32), np.uint8)
    drawn[:, 20:] = 255
    Image.fromarray(drawn).save(folder.parent / "right.png")
    edit = ["-d", "pose", "-s", "3", "--region", "../right.png", *MODEL]
    assert main(edit) == 0
    assert main([*edit, "--blend", "features"]) == 0
    assert files(folder) == {"me.pose+3.right.png", "me.pose+3.right.features.png"}


@pytest.mark.parametrize(
    "command",
    [
        ["-d", "own.safetensors", "-d", "age.npy"],
        ["me.png", "-d", "own.safetensors", "-d", "age.npy", "--sheet"],
        ["grid", "-d", "own.safetensors", "-d", "age.npy", "--steps", "2"],
        ["mix", "me.png", "you.inversion.safetensors", "me.png", "--layers", "coarse", "--layers", "fine"],
        ["interpolate", "me.png", "you.inversion.safetensors", "-d", "own.safetensors", "-d", "age.npy"],
        ["drag", "--from", "3,3", "--to", "5,3", "--steps", "1"],
    ],
)
def test_each_record_and_direction_and_the_model_are_read_once(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from stylegan_latents.editing.directions import published
    from stylegan_latents.generator import loading

    small_record(G, ws=G.sample([1])).save("you.inversion.safetensors")
    os.utime("you.inversion.safetensors", (1, 1))
    direction("own", 4).save(Path("own.safetensors"))
    np.save("age.npy", np.eye(8)[:1])
    read: list[str] = []

    def counted(module: object, name: str) -> None:
        original = getattr(module, name)

        def reader(path: Path | str, *arguments: object, **named: object) -> object:
            read.append(str(path))
            return original(path, *arguments, **named)

        monkeypatch.setattr(module, name, reader)

    counted(Inversion, "load")
    counted(catalogue, "load")
    counted(published, "read_arrays")
    counted(loading, "load")
    frames = ["--range", "-1", "1", "--frames", "2"] if command[0] == "interpolate" else []
    assert main([*command, *frames, *MODEL]) == 0
    assert sorted(read) == sorted(set(read))
    assert "me.inversion.safetensors" in read
    assert ("age.npy" in read) == ("age.npy" in command)


def test_paste_back_gives_the_whole_photo() -> None:
    assert main(["-d", "pose", "-s", "2", "--paste-back", *MODEL]) == 0
    photo, pasted = pixels("me.png"), pixels("me.pose+2.pasted.png")
    assert pasted.shape == (40, 60, 3)
    assert (pasted != photo).any()
    # The crop is the central square; left and right of it the photo is untouched.
    assert (pasted[:, :10] == photo[:, :10]).all()
    assert (pasted[:, 50:] == photo[:, 50:]).all()


def test_a_sheet_of_a_pasted_edit_shows_it() -> None:
    edit = ["-d", "pose", "-s", "2", "--sheet", *MODEL]
    assert main(edit) == main([*edit, "--paste-back"]) == 0
    drawn, pasted = pixels("me.pose+2.sheet.png"), pixels("me.pose+2.pasted.sheet.png")
    assert drawn.shape == pasted.shape
    assert (drawn != pasted).any()


@pytest.mark.parametrize(
    ("model", "words"), [(G.name, "invert me.png --method layered"), ("", "invert --method layered")]
)
def test_after_a_joined_face_the_closer_inversion_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model: str, words: str
) -> None:
    join: Any = object()

    def edited(opened: OpenRecord, *_: object, **__: object) -> DrawnEdit:
        return DrawnEdit(opened.picture(), ((), ()), join=join)

    monkeypatch.setattr(OpenRecord, "edited", edited)
    monkeypatch.setattr(pasted_module, "pasted", lambda _opened, photo, *_: photo.rotate(180))
    monkeypatch.setattr(apply, "DEFAULT_MODEL", model)
    edit = ["-d", "pose", "-s", "2", *MODEL]
    assert main([*edit, "--paste-back"]) == 0
    assert f"`{words}`" in capsys.readouterr().out
    assert main(edit) == main([".", "--all", *edit, "--paste-back", "--out", "all"]) == 0
    join = None
    assert main([*edit, "--paste-back", "--overwrite"]) == 0
    assert "layered" not in capsys.readouterr().out


def test_paste_back_without_the_photo_says_how(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    edit = ["-d", "pose", "-s", "2", "--paste-back", *MODEL]
    Path("me.png").rename("../elsewhere.png")
    assert main(edit) == 2
    assert "name it with --photo" in one_sentence(capsys)
    Image.new("RGB", (33, 33)).save("../other.png")
    assert main([*edit, "--photo", "../other.png"]) == 2
    assert "33x33" in one_sentence(capsys)
    Image.open("../elsewhere.png").convert("RGB").point(lambda level: 255 - level).save("../negative.png")
    assert main([*edit, "--photo", "../negative.png"]) == 2
    assert "negative.png shows something else than the photo of this record" in one_sentence(capsys)
    assert files(folder) == set()
    assert main([*edit, "--photo", "../elsewhere.png"]) == 0


def test_optimised_noise_is_used() -> None:
    record = Inversion.load("me.inversion.safetensors")
    noise = [torch.full_like(map, 3.0) for map in G.noise_constants()]
    dataclasses.replace(record, noise=noise).save("loud.inversion.safetensors")
    edit = ["-d", "pose", "-s", "0", *MODEL]
    assert main(["me.inversion.safetensors", *edit]) == 0
    assert main(["loud.inversion.safetensors", *edit]) == 0
    assert (pixels("me.pose+0.png") != pixels("loud.pose+0.png")).any()


def test_a_published_file_is_edited_with_and_its_mapping_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(folder / "age.npy", np.eye(8)[:1])
    assert main(["-d", "age.npy", "-s", "3", "--raw", *MODEL]) == 0
    expected = G.synthesize(G.sample([0]) + 3 * torch.eye(8)[0])[0]
    levels = expected.add(1).mul(127.5).clamp(0, 255).permute(1, 2, 0).numpy()
    assert np.abs(pixels("me.age+3.raw.png") - levels).max() <= 1
    torch.save(torch.randn(4, 8), folder / "turn.pt")
    assert main(["-d", "turn.pt", "-s", "1", *MODEL]) == 0
    assert "its 4 rows were mapped by resolution to the 6" in capsys.readouterr().err
    np.save(folder / "age.npy", np.ones((1, 512)))
    assert main(["-d", "age.npy", "-s", "3", *MODEL]) == 2
    assert "another latent space" in one_sentence(capsys)


def test_a_direction_of_style_space_is_edited_with(folder: Path) -> None:
    vector = torch.zeros(1, sum(layer.channels for layer in G.layers))
    vector[0, 9] = 1
    Direction("channel", "small-w", vector, 2.0, space="s").save(folder / "channel.safetensors")
    edit = ["-d", "channel.safetensors", "-s", "3", "-d", "pose", "-s", "1", *MODEL]
    assert main(edit) == 0
    styles = G.styles(G.sample([0]) + direction("pose", 0).vector)
    styles[1][0, 1] += 6.0
    levels = G.synthesize_styles(styles)[0].detach().add(1).mul(127.5).clamp(0, 255).permute(1, 2, 0).numpy()
    assert np.abs(pixels("me.channel+3.pose+1.png") - levels).max() <= 1


@pytest.mark.parametrize("blend", ["image", "features"])
def test_an_edit_of_a_region_is_joined_in_the_image_or_in_the_features(blend: str, folder: Path) -> None:
    drawn = np.zeros((32, 32), np.uint8)
    drawn[:, 20:] = 255
    Image.fromarray(drawn).save(folder / "right.png")
    command = ["-d", "pose", "-s", "3", *MODEL]
    assert main([*command, "--region", "right.png", "--blend", blend, "--out", "part.png"]) == 0
    assert main([*command, "--out", "whole.png"]) == 0
    assert main(["-d", "pose", "-s", "0", "--out", "before.png", *MODEL]) == 0
    part, whole, before = (pixels(f"{name}.png") for name in ("part", "whole", "before"))
    left, right = (slice(None), slice(0, 8)), (slice(None), slice(26, 32))
    if blend == "image":
        assert (part[left] == before[left]).all()
        assert (part[right] == whole[right]).all()
    else:
        assert np.abs(part - before)[left].mean() < 0.5 * np.abs(part - whole)[left].mean()
        assert np.abs(part - whole)[right].mean() < 0.5 * np.abs(part - before)[right].mean()
        assert (part != before).any(axis=2)[:, 8:26].any()


def test_a_blend_without_a_region_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-d", "pose", "-s", "1", "--blend", "features", *MODEL]) == 2
    assert "name one, such as --region mouth" in one_sentence(capsys)
