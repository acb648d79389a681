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
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.invert.commands.cli import main as invert
from stylegan_latents.invert.record.inversion import Inversion
from tests.editing.command_folder import MODEL, G
from tests.editing.edit_folder import direction, enter_edit_folder, files, one_sentence, pixels
from tests.generator.stylegan2_files import random_stylegan2
from tests.invert.small_search import small_search  # noqa: F401
from tests.odd_models import odd_config, odd_generator
from tests.small_models import small_generator, small_record


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_edit_folder(tmp_path, monkeypatch)


def test_the_newest_record_is_edited_and_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_record(G).save("old.inversion.safetensors")
    os.utime("old.inversion.safetensors", (1, 1))
    assert main(["--direction", "pose", "--strength", "2", *MODEL]) == 0
    assert "Using me.inversion.safetensors, the newest record here" in capsys.readouterr().out
    assert files(folder) == {"old.inversion.safetensors", "me.pose+2.png"}
    expected = G.synthesize(G.sample([0]) + 2 * direction("pose", 0).vector)[0]
    levels = expected.add(1).mul(127.5).clamp(0, 255).permute(1, 2, 0).numpy()
    assert np.abs(pixels("me.pose+2.png") - levels).max() <= 1


def test_a_sample_has_no_photo(capsys: pytest.CaptureFixture[str]) -> None:
    edit = ["seed:5", "-d", "pose", "-s", "2", *MODEL]
    assert main([*edit, "--paste-back"]) == 2
    assert "No photo belongs to seed5" in one_sentence(capsys)
    assert main([*edit, "--sheet", "--photo", "me.png"]) == 2
    assert "No photo belongs to seed5" in one_sentence(capsys)
    assert not Path("seed5.pose+2.png").exists()
    assert main([*edit, "--sheet"]) == 0
    assert "The sheet is without the photo: No photo belongs to seed5" in capsys.readouterr().out
    assert Path("seed5.pose+2.sheet.png").exists()


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
    assert "There is no file none.npy" in one_sentence(capsys)


def test_a_photo_stands_for_its_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["me.png", "-d", "pose", "-s", "1", *MODEL]) == 0
    assert "Using me.inversion.safetensors" in capsys.readouterr().out
    assert main(["me.inverted.png", "-d", "pose", "-s", "2", *MODEL]) == 0
    assert "Using me.inversion.safetensors" in capsys.readouterr().out
    Path("you.png").touch()
    assert main(["you.png", "-d", "pose", "-s", "1", *MODEL]) == 2
    assert "run `invert you.png` first" in one_sentence(capsys)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--direction smile --strength 2"),
        (["-s", "2"], "needs its --direction"),
        (["-d", "pose", "--raw"], "give each --direction its --strength"),
        (["-d", "pose", "-s", "1", "-s", "2"], "1 direction came with 2 strengths"),
        (["-d", "pose", "-s", "nan"], "finite"),
        (["-d", "pose", "-s", "200"], "A strength of 200 leaves nothing of a picture"),
        (["-d", "pose", "-s", "-inf"], "finite"),
        (["-d", "pose", "-s", "much"], "'--strength' / '-s': it takes a number"),
        (["-d", "smiel", "-s", "1"], "did you mean smile"),
        (["-d", "zzz", "-s", "1"], "pose, smile"),
        (["-d", "pose", "-s", "1", "--layers", "deep"], "deep"),
        (["-d", "pose", "-s", "1", "--layers", "0-99"], "0-99"),
        (["-d", "pose", "-s", "1", "--out", "turned.xyz"], ".xyz"),
        (["missing.inversion.safetensors", "-d", "pose", "-s", "1"], "does not exist"),
        (["gird", "-d", "pose"], "There is no command 'gird'; did you mean grid?"),
        (["me.png", "smile"], "'smile' is a direction; write --direction smile --strength 2."),
        (["--smile", "2"], "'--smile' is a direction; write --direction smile --strength 2."),
        (["me.png", "you.png", "-d", "pose"], "More is given than the command takes: you.png."),
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
    before = files(folder)
    assert main([*arguments, *MODEL]) == 2
    capsys_line = one_sentence(capsys)
    assert words in capsys_line
    assert files(folder) == before


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
        (["-d", "pose", "-s", "1", "--photo", "me.png"], "--photo is for --paste-back and --sheet"),
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
    other = dataclasses.replace(direction("far", 3), latent_space="other-w")
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
    before = files(folder)
    assert main([*arguments, *MODEL]) == 2
    assert words in one_sentence(capsys)
    assert files(folder) == before


def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permissions do not stop root, as whom tests may run.
    def refuse(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert main(["-d", "pose", "-s", "1", "--out", "new/turned.png", *MODEL]) == 2
    assert "Cannot write into the folder new: Permission denied." in one_sentence(capsys)
    assert files(folder) == set()


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
    assert "you.inversion.safetensors was changed" in one_sentence(capsys)
    (folder / "me.inversion.safetensors").write_bytes(content[:-9])
    os.utime("me.inversion.safetensors", (1, 1))
    assert main(["-d", "pose", "-s", "2", *MODEL]) == 2
    assert "you.inversion.safetensors was changed" in one_sentence(capsys)


def test_a_record_of_another_model_names_both(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_record(small_generator(5, name="horses")).save("horse.inversion.safetensors")
    assert main(["horse.inversion.safetensors", "-d", "pose", "-s", "1", *MODEL]) == 2
    sentence = one_sentence(capsys)
    assert "'horses'" in sentence
    assert "'small'" in sentence
    assert main(["horse.inversion.safetensors", "-d", "pose", "-s", "1"]) == 2
    assert "--model" in one_sentence(capsys)
    assert files(folder) == {"horse.inversion.safetensors"}


def test_a_tampered_record_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "me.inversion.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    assert main(["-d", "pose", "-s", "1", *MODEL]) == 2
    assert "changed or damaged" in one_sentence(capsys)
    path.write_bytes(content[:-5])
    assert main(["-d", "pose", "-s", "1", *MODEL]) == 2
    assert "cut off" in one_sentence(capsys)
    assert files(folder) == set()


def test_a_record_of_several_images_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    small_record(G, 2).save("two.inversion.safetensors")
    assert main(["two.inversion.safetensors", "-d", "pose", "-s", "1", *MODEL]) == 2
    assert "2 images" in one_sentence(capsys)


def test_a_folder_without_records_says_what_to_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "me.inversion.safetensors").unlink()
    assert main(["-d", "pose", "-s", "1", *MODEL]) == 2
    assert "in this folder; run `invert PHOTO` first" in one_sentence(capsys)
    (folder / "none").mkdir()
    assert main(["none", "-d", "pose", "-s", "1", *MODEL]) == 2
    assert "in none; run `invert PHOTO` first" in one_sentence(capsys)


@pytest.mark.parametrize("command", [[], ["grid"], ["directions"], ["discover"]])
def test_help_loads_nothing_heavy(command: list[str]) -> None:
    code = (
        f"import sys; from stylegan_latents.editing.commands.cli import main; main({[*command, '--help']}); "
        "heavy = {'torch', 'numpy', 'PIL', 'dlib', 'sklearn', 'imageio'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


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
