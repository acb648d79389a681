import dataclasses
import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.directions import catalogue
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.invert.commands.cli import main as invert
from stylegan_latents.invert.photos.crop import no_align
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.source import Source
from tests.editing.command_folder import MODEL, G, enter_beside_model
from tests.generator.stylegan2_files import random_stylegan2
from tests.invert.small_search import small_search  # noqa: F401
from tests.odd_models import odd_config, odd_generator
from tests.small_models import small_generator, small_record


def _direction(name: str, seed: int) -> Direction:
    vector = torch.randn(1, 8, generator=torch.Generator().manual_seed(seed))
    return Direction(name, "small-w", vector, 1.0, "all", {"positive": "more of it", "held_out_accuracy": 0.9})


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a photo, its record, and the model beside the folder; two known directions."""
    folder = enter_beside_model(tmp_path, monkeypatch)
    gradient = Image.linear_gradient("L").convert("RGB").resize((60, 40))
    gradient.save("me.png")
    _, alignment = no_align(gradient, 32)
    small_record(G, sources=[Source.of(Path("me.png"))], alignments=[alignment]).save("me.inversion.safetensors")
    known = {name: _direction(name, seed) for seed, name in enumerate(("pose", "smile"))}
    monkeypatch.setattr(catalogue, "all_shipped", lambda: {"small-w": known})
    return folder


def _files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"me.png", "me.inversion.safetensors"}


def _one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("edit")
    return lines[0]


def _pixels(path: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    return np.asarray(Image.open(path)).astype(np.int64)


def test_the_newest_record_is_edited_and_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_record(G).save("old.inversion.safetensors")
    os.utime("old.inversion.safetensors", (1, 1))
    assert main(["--direction", "pose", "--strength", "2", *MODEL]) == 0
    assert "Using me.inversion.safetensors, the newest record here" in capsys.readouterr().out
    assert _files(folder) == {"old.inversion.safetensors", "me.pose+2.png"}
    expected = G.synthesize(G.sample([0]) + 2 * _direction("pose", 0).vector)[0]
    levels = expected.add(1).mul(127.5).clamp(0, 255).permute(1, 2, 0).numpy()
    assert np.abs(_pixels("me.pose+2.png") - levels).max() <= 1


def test_a_sample_has_no_photo(capsys: pytest.CaptureFixture[str]) -> None:
    edit = ["seed:5", "-d", "pose", "-s", "2", *MODEL]
    assert main([*edit, "--paste-back"]) == 2
    assert "No photo belongs to seed5" in _one_sentence(capsys)
    assert main([*edit, "--sheet", "--photo", "me.png"]) == 2
    assert "No photo belongs to seed5" in _one_sentence(capsys)
    assert not Path("seed5.pose+2.png").exists()
    assert main([*edit, "--sheet"]) == 0
    assert "The sheet is without the photo: No photo belongs to seed5" in capsys.readouterr().out
    assert Path("seed5.pose+2.sheet.png").exists()


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
    assert (_pixels("again.png") == _pixels("me.pose+2.smile-1.5.png")).all()


def test_layers_and_raw_change_the_result_and_its_name() -> None:
    edit = ["-d", "pose", "-s", "2", *MODEL]
    assert main(edit) == 0
    assert main([*edit, "--layers", "coarse"]) == 0
    assert main([*edit, "--raw"]) == 0
    assert (_pixels("me.pose+2.coarse.png") != _pixels("me.pose+2.png")).any()
    assert (_pixels("me.pose+2.raw.png") == _pixels("me.pose+2.png")).all()  # its scale is 1


def test_a_target_is_reached_by_the_score_of_another_scorer(capsys: pytest.CaptureFixture[str]) -> None:
    dark = _direction("light", 3)
    light = dataclasses.replace(dark, vector=-dark.vector, provenance={"score": "lightness"})
    light.save("light.safetensors")
    edit = ["--target", "light.safetensors=0.44", *MODEL]
    assert main([*edit, "--scorer", "colour"]) == 0
    assert "the score goes from" in capsys.readouterr().out
    assert abs(_pixels("me.light-to-0.44.png").mean() / 255 - 0.44) < 0.05
    assert main(["--target", "light.safetensors=7", "--scorer", "colour", *MODEL]) == 2
    assert "'lightness' runs from 0 to 1, so 7 is no target" in _one_sentence(capsys)
    assert main([*edit, "--overwrite"]) == 2
    assert "does not measure what 'light' changes" in _one_sentence(capsys)
    assert main(["--target", "smile=0.1", *MODEL]) == 2
    assert "No face was found in this picture" in _one_sentence(capsys)
    assert main(["-d", "pose", "--scorer", "colour", *MODEL]) == 2
    assert "--scorer measures a --target" in _one_sentence(capsys)


def test_a_far_target_is_warned_of_unless_strengths_are_multiples_of_the_vector(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dark = _direction("light", 3)
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
    assert "me.pose+2.png exists already; add --overwrite" in _one_sentence(capsys)
    assert Path("me.pose+2.png").read_text() == "mine"
    assert main([*edit, "--overwrite"]) == 0
    assert Image.open("me.pose+2.png").size == (32, 32)


@pytest.mark.parametrize("command", [["-d", "pose", "-s", "1"], ["grid", "-d", "pose"]])
def test_the_photo_is_never_replaced(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("me.png").read_bytes()
    assert main([*command, "--out", "me.png", "--overwrite", *MODEL]) == 2
    assert "what this edit is made from" in capsys.readouterr().err
    assert Path("me.png").read_bytes() == before


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
    assert _files(folder) == {"me.pose+2.png", "me.pose+2.sheet.png"}
    assert Path("me.pose+2.png").stat().st_mtime_ns == before
    assert "me.pose+2.png exists already and stays as it is" in capsys.readouterr().out
    assert main([*edit, "--sheet"]) == 2
    assert "me.pose+2.sheet.png exists already; add --overwrite" in _one_sentence(capsys)
    # A name that a user chose says nothing of what the picture is.
    Path("mine.png").write_text("mine")
    assert main([*edit, "--sheet", "--out", "mine.png"]) == 2
    assert "mine.png exists already; add --overwrite" in _one_sentence(capsys)


def test_without_a_strength_a_clear_one_is_taken_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-d", "pose", "-d", "smile", *MODEL]) == 0
    assert "pose by +2, as there is no --strength" in capsys.readouterr().out
    assert main(["-d", "pose", "-s", "2", "-d", "smile", "-s", "2", "--out", "said.png", *MODEL]) == 0
    assert (_pixels("me.pose+2.smile+2.png") == _pixels("said.png")).all()
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
    assert _files(folder) == {"me.pose+3.right.png", "me.pose+3.right.features.png"}


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
    from stylegan_latents.editing.directions import catalogue, published
    from stylegan_latents.generator import loading

    small_record(G, ws=G.sample([1])).save("you.inversion.safetensors")
    os.utime("you.inversion.safetensors", (1, 1))
    _direction("own", 4).save(Path("own.safetensors"))
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
    photo, pasted = _pixels("me.png"), _pixels("me.pose+2.pasted.png")
    assert pasted.shape == (40, 60, 3)
    assert (pasted != photo).any()
    # The crop is the central square; left and right of it the photo is untouched.
    assert (pasted[:, :10] == photo[:, :10]).all()
    assert (pasted[:, 50:] == photo[:, 50:]).all()


def test_paste_back_without_the_photo_says_how(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    edit = ["-d", "pose", "-s", "2", "--paste-back", *MODEL]
    Path("me.png").rename("../elsewhere.png")
    assert main(edit) == 2
    assert "name it with --photo" in _one_sentence(capsys)
    Image.new("RGB", (33, 33)).save("../other.png")
    assert main([*edit, "--photo", "../other.png"]) == 2
    assert "33x33" in _one_sentence(capsys)
    assert _files(folder) == set()
    assert main([*edit, "--photo", "../elsewhere.png"]) == 0


def test_a_grid_over_a_range_with_negative_ends() -> None:
    arguments = ["me.inversion.safetensors", "--direction", "pose", "--direction", "smile"]
    assert main(["grid", *arguments, "--range", "-3", "3", "--steps", "5", *MODEL]) == 0
    names = [path.name for path in Path().glob("me.pose*.png")]
    assert names == ["me.pose-3.smile-3_to+3.png"]
    width, height = Image.open(names[0]).size
    assert width > 5 * 256
    assert 2 * 256 < height < 3 * 256


def test_directions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["directions", "--model", "../small.safetensors"]) == 0
    output = capsys.readouterr().out
    assert "pose         -3 to 3   +1: more of it" in output
    assert "smile" in output
    assert "accuracy" not in output
    assert main(["directions", "Smile", "--details", "--model", "../small.safetensors"]) == 0
    output = capsys.readouterr().out
    assert "pose" not in output
    assert "accuracy 0.90" in output


def test_a_published_direction_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("stylegan_small_age_w_boundary.npy", np.eye(8)[:1])
    file, model = "stylegan_small_age_w_boundary.npy", ("--model", "../small.safetensors")
    assert main(["directions", file, *model]) == 0
    output = capsys.readouterr().out
    assert "+1: more age, by its authors' name for it" in output
    assert "may belong to another model" in output
    assert main(["directions", "none.npy", *model]) == 2
    assert "There is no file none.npy" in _one_sentence(capsys)


def test_a_photo_stands_for_its_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["me.png", "-d", "pose", "-s", "1", *MODEL]) == 0
    assert "Using me.inversion.safetensors" in capsys.readouterr().out
    Path("you.png").touch()
    assert main(["you.png", "-d", "pose", "-s", "1", *MODEL]) == 2
    assert "run `invert you.png` first" in _one_sentence(capsys)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--direction smile --strength 2"),
        (["-s", "2"], "0 directions came with 1 strength"),
        (["-d", "pose", "--raw"], "give each --direction its --strength"),
        (["-d", "pose", "-s", "1", "-s", "2"], "1 direction came with 2 strengths"),
        (["-d", "pose", "-s", "nan"], "finite"),
        (["-d", "pose", "-s", "-inf"], "finite"),
        (["-d", "pose", "-s", "much"], "--strength"),
        (["-d", "smiel", "-s", "1"], "did you mean smile"),
        (["-d", "zzz", "-s", "1"], "pose, smile"),
        (["-d", "pose", "-s", "1", "--layers", "deep"], "deep"),
        (["-d", "pose", "-s", "1", "--layers", "0-99"], "0-99"),
        (["-d", "pose", "-s", "1", "--out", "turned.xyz"], ".xyz"),
        (["missing.inversion.safetensors", "-d", "pose", "-s", "1"], "does not exist"),
        (["gird", "-d", "pose"], "There is no command 'gird'; did you mean grid?"),
        (["mxi", "a", "b"], "There is no command 'mxi'; did you mean mix?"),
        (["nobody", "-d", "pose"], "There is no record nobody"),
        (["torch-seed:3@2", "-d", "pose"], "has no class 2"),
        (["mee.jpg", "-d", "pose"], "There is no record mee.jpg; did you mean me.inversion.safetensors?"),
        (["-d", "pose", "-s", "1", "--outt", "x"], "--outt"),
        (["grid", "-d", "pose", "--range", "-3"], "--range"),
        (["grid", "-d", "pose", "--range", "2", "2"], "no width"),
        (["grid", "-d", "pose", "--range", "nan", "2"], "finite"),
        (["grid", "--range", "-3", "3"], "--direction"),
    ],
)
def test_bad_input_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    before = _files(folder)
    assert main([*arguments, *MODEL]) == 2
    capsys_line = _one_sentence(capsys)
    assert words in capsys_line
    assert _files(folder) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-d", "smiel", "-s", "1"], "did you mean smile"),
        (["-d", "far", "-s", "1"], "belongs to the latent space other-w"),
        (["-d", "../far.safetensors", "-s", "1"], "belongs to the latent space other-w"),
        (["-d", "pose", "-s", "inf"], "finite"),
        (["-d", "pose", "-s", "1", "--layers", "deep"], "deep"),
        (["-d", "pose", "-s", "1", "--out", "turned.xyz"], ".xyz"),
        (["-d", "pose", "-s", "1", "--out", "me.png"], "exists already"),
        (["-d", "Pose", "-s", "3"], "me.pose+3.png exists already"),
        (["-d", "pose", "-s", "1", "--out", "me.png", "--overwrite"], "is what this edit is made from"),
        (["-d", "pose", "-s", "1", "--out", "me.png/x.png"], "Cannot write"),
        (["-d", "pose", "-s", "1", "--paste-back", "--photo", "no.png"], "no.png"),
        (["grid", "-d", "smiel"], "did you mean smile"),
        (["grid", "-d", "pose", "--layers", "deep"], "deep"),
        (["grid", "-d", "pose", "--out", "me.png"], "exists already"),
    ],
)
def test_what_is_wrong_is_told_before_the_model_is_loaded(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    other = dataclasses.replace(_direction("far", 3), latent_space="other-w")
    other.save(folder.parent / "far.safetensors")
    here = catalogue.all_shipped()
    monkeypatch.setattr(catalogue, "all_shipped", lambda: {**here, "other-w": {"far": other}})
    Path("me.pose+3.png").write_text("mine")
    record = Inversion.load("me.inversion.safetensors")  # of W; one of W+ has its model's number of rows
    in_w_plus = record.ws + torch.randn(record.ws.shape, generator=torch.Generator().manual_seed(0))
    dataclasses.replace(record, ws=in_w_plus).save("me.inversion.safetensors", overwrite=True)

    def refuse(_model: str) -> None:
        pytest.fail("the model was loaded")

    monkeypatch.setattr("stylegan_latents.generator.loading.load", refuse)
    before = _files(folder)
    assert main([*arguments, *MODEL]) == 2
    assert words in _one_sentence(capsys)
    assert _files(folder) == before


def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permissions do not stop root, as whom tests may run.
    def refuse(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert main(["-d", "pose", "-s", "1", "--out", "new/turned.png", *MODEL]) == 2
    assert "Cannot write into the folder new: Permission denied." in _one_sentence(capsys)
    assert _files(folder) == set()


def test_a_damaged_newest_record_is_skipped_aloud(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = bytearray((folder / "me.inversion.safetensors").read_bytes())
    os.utime("me.inversion.safetensors", (1, 1))
    content[-5] ^= 1
    (folder / "you.inversion.safetensors").write_bytes(content)
    assert main(["-d", "pose", "-s", "1", *MODEL]) == 0
    output = capsys.readouterr()
    (warning,) = output.err.splitlines()
    assert warning.startswith("edit: skipped: you.inversion.safetensors was changed or damaged")
    assert "Using me.inversion.safetensors, the newest record here" in output.out
    # Named, it is not skipped; and where all are damaged, the newest is told.
    assert main(["you.inversion.safetensors", "-d", "pose", "-s", "2", *MODEL]) == 2
    assert "you.inversion.safetensors was changed" in _one_sentence(capsys)
    (folder / "me.inversion.safetensors").write_bytes(content[:-9])
    os.utime("me.inversion.safetensors", (1, 1))
    assert main(["-d", "pose", "-s", "2", *MODEL]) == 2
    assert "you.inversion.safetensors was changed" in _one_sentence(capsys)


def test_a_record_of_another_model_names_both(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_record(small_generator(5, name="horses")).save("horse.inversion.safetensors")
    assert main(["horse.inversion.safetensors", "-d", "pose", "-s", "1", *MODEL]) == 2
    sentence = _one_sentence(capsys)
    assert "'horses'" in sentence
    assert "'small'" in sentence
    assert main(["horse.inversion.safetensors", "-d", "pose", "-s", "1"]) == 2
    assert "--model" in _one_sentence(capsys)
    assert _files(folder) == {"horse.inversion.safetensors"}


def test_a_tampered_record_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "me.inversion.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    assert main(["-d", "pose", "-s", "1", *MODEL]) == 2
    assert "changed or damaged" in _one_sentence(capsys)
    path.write_bytes(content[:-5])
    assert main(["-d", "pose", "-s", "1", *MODEL]) == 2
    assert "cut off" in _one_sentence(capsys)
    assert _files(folder) == set()


def test_a_record_of_several_images_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    small_record(G, 2).save("two.inversion.safetensors")
    assert main(["two.inversion.safetensors", "-d", "pose", "-s", "1", *MODEL]) == 2
    assert "2 images" in _one_sentence(capsys)


def test_a_folder_without_records_says_what_to_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "me.inversion.safetensors").unlink()
    assert main(["-d", "pose", "-s", "1", *MODEL]) == 2
    assert "run `invert PHOTO` first" in _one_sentence(capsys)


def test_optimised_noise_is_used() -> None:
    record = Inversion.load("me.inversion.safetensors")
    noise = [torch.full_like(map, 3.0) for map in G.noise_constants()]
    dataclasses.replace(record, noise=noise).save("loud.inversion.safetensors")
    edit = ["-d", "pose", "-s", "0", *MODEL]
    assert main(["me.inversion.safetensors", *edit]) == 0
    assert main(["loud.inversion.safetensors", *edit]) == 0
    assert (_pixels("me.pose+0.png") != _pixels("loud.pose+0.png")).any()


@pytest.mark.parametrize("command", [[], ["grid"], ["directions"], ["discover"]])
def test_help_loads_nothing_heavy(command: list[str]) -> None:
    code = (
        f"import sys; from stylegan_latents.editing.commands.cli import main; main({[*command, '--help']}); "
        "heavy = {'torch', 'numpy', 'PIL', 'dlib', 'sklearn', 'imageio'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_a_published_file_is_edited_with_and_its_mapping_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(folder / "age.npy", np.eye(8)[:1])
    assert main(["-d", "age.npy", "-s", "3", "--raw", *MODEL]) == 0
    expected = G.synthesize(G.sample([0]) + 3 * torch.eye(8)[0])[0]
    levels = expected.add(1).mul(127.5).clamp(0, 255).permute(1, 2, 0).numpy()
    assert np.abs(_pixels("me.age+3.raw.png") - levels).max() <= 1
    torch.save(torch.randn(4, 8), folder / "turn.pt")
    assert main(["-d", "turn.pt", "-s", "1", *MODEL]) == 0
    assert "its 4 rows were mapped by resolution to the 6" in capsys.readouterr().err
    np.save(folder / "age.npy", np.ones((1, 512)))
    assert main(["-d", "age.npy", "-s", "3", *MODEL]) == 2
    assert "another latent space" in _one_sentence(capsys)


def test_a_direction_of_style_space_is_edited_with(folder: Path) -> None:
    vector = torch.zeros(1, sum(layer.channels for layer in G.layers))
    vector[0, 9] = 1
    Direction("channel", "small-w", vector, 2.0, space="s").save(folder / "channel.safetensors")
    edit = ["-d", "channel.safetensors", "-s", "3", "-d", "pose", "-s", "1", *MODEL]
    assert main(edit) == 0
    styles = G.styles(G.sample([0]) + _direction("pose", 0).vector)
    styles[1][0, 1] += 6.0
    levels = G.synthesize_styles(styles)[0].detach().add(1).mul(127.5).clamp(0, 255).permute(1, 2, 0).numpy()
    assert np.abs(_pixels("me.channel+3.pose+1.png") - levels).max() <= 1


@pytest.mark.parametrize("blend", ["image", "features"])
def test_an_edit_of_a_region_is_joined_in_the_image_or_in_the_features(blend: str, folder: Path) -> None:
    drawn = np.zeros((32, 32), np.uint8)
    drawn[:, 20:] = 255
    Image.fromarray(drawn).save(folder / "right.png")
    command = ["-d", "pose", "-s", "3", *MODEL]
    assert main([*command, "--region", "right.png", "--blend", blend, "--out", "part.png"]) == 0
    assert main([*command, "--out", "whole.png"]) == 0
    assert main(["-d", "pose", "-s", "0", "--out", "before.png", *MODEL]) == 0
    part, whole, before = (_pixels(f"{name}.png") for name in ("part", "whole", "before"))
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
    assert "name one, such as --region mouth" in _one_sentence(capsys)


@pytest.mark.usefixtures("small_search")
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_models_of_one_to_four_channels_are_drawn_by_every_command(folder: Path, channels: int) -> None:
    model = odd_generator(odd_config(image_channels=channels), latent_space="small-w")
    save_native(model, folder.parent / "channels.safetensors")
    on = ("--model", "../channels.safetensors", "--device", "cpu")
    searched = ("--no-align", "--method", "optimize", "--steps", "2", "--quiet")
    assert invert(["me.png", "--out", "inverted", *searched, *on]) == 0
    record = "inverted/me.inversion.safetensors"
    torch.save(torch.randn(1, 10), "step.pt")
    step = ("-d", "step.pt", "-s", "1")
    assert main([record, *step, "--out", "edited.png", *on]) == 0
    assert main(["grid", record, "-d", "step.pt", "--steps", "2", "--out", "grid.png", *on]) == 0
    assert main(["mix", record, "seed:1", "--layers", "coarse", "--out", "mixed.png", *on]) == 0
    assert main(["interpolate", record, "seed:1", "--frames", "2", "--even", "--out", "film.gif", *on]) == 0
    points = ("--from", "10,10", "--to", "20,10", "--steps", "1")
    assert main(["drag", record, *points, "--out", "dragged.png", *on]) == 0
    for name in ("inverted/me.inverted.png", "edited.png", "grid.png", "mixed.png", "film.gif", "dragged.png"):
        assert np.asarray(Image.open(name).convert("RGB")).std() > 1
    pixels = np.asarray(Image.open("inverted/me.inverted.png"))
    assert (pixels == pixels[:, :, :1]).all() == (channels < 3)
    frame = np.asarray(Image.open("film.gif").convert("RGB"))
    assert (frame == frame[:, :, :1]).all() == (channels < 3)


@pytest.mark.usefixtures("small_search")
@pytest.mark.parametrize("photo", [(60, 40), (32, 64), (51, 99)])
def test_a_model_that_draws_no_squares_inverts_and_edits(
    folder: Path, photo: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    config = StyleGAN2Config(z_dim=8, mapping_widths=(8, 8), channels=(8,) * 5, base_width=2)
    save_native(random_stylegan2(config), folder.parent / "figure.safetensors")
    on = ("--model", "../figure.safetensors", "--device", "cpu")
    Image.linear_gradient("L").convert("RGB").resize(photo).save("whole.png")
    search = ("--method", "optimize", "--steps", "2", "--quiet", "--out", "inverted")
    assert invert(["whole.png", *search, *on]) == 2
    assert "--no-align" in capsys.readouterr().err  # as it shows no face, or as faces are aligned to squares
    assert invert(["whole.png", "--no-align", *search, *on]) == 0
    record = "inverted/whole.inversion.safetensors"
    assert Inversion.load(record).alignments[0] is not None
    torch.save(torch.randn(1, 8), "step.pt")
    step = ("-d", "step.pt", "-s", "1")
    assert main([record, *step, "--sheet", "--out", "edited.png", *on]) == 0
    assert main(["grid", record, "-d", "step.pt", "--steps", "2", "--out", "grid.png", *on]) == 0
    assert main(["mix", record, "seed:1", "--layers", "coarse", "--out", "mixed.png", *on]) == 0
    assert main(["interpolate", record, "seed:1", "--frames", "2", "--even", "--out", "film.gif", *on]) == 0
    assert main(["sample", "--seeds", "3", "--out", "samples", *on]) == 0
    names = ["inverted/whole.inverted.png", "edited.png", "mixed.png", "film.gif"]
    for path in [*map(Path, names), *Path("samples").glob("*.png")]:
        assert Image.open(path).size == (32, 64)
    capsys.readouterr()
    assert main(["drag", record, "--from", "10,10", "--to", "20,10", *on]) == 2
    assert "Dragging needs a model of square pictures" in capsys.readouterr().err
    assert main([record, *step, "--paste-back", "--out", "pasted.png", *on]) == 2
    assert "--paste-back needs a model of square pictures" in capsys.readouterr().err
