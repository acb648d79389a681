import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands import session
from stylegan_latents.invert.commands.cli import main
from stylegan_latents.invert.commands.report_table import Report
from stylegan_latents.invert.record.inversion import Inversion
from tests.generator.styles.test_style import small_style
from tests.invert.photo_folder import fake_inverter, files, one_sentence, photo_folder, run, save_photo
from tests.small_models import FakeInverter, small_generator

__all__ = ["fake_inverter", "photo_folder"]


def test_a_photo_becomes_a_record_and_a_picture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("me.png", "--npz", "--space", "w", "--steps", "4", "--seed", "7") == 0
    assert files(folder) == ["me.inversion.safetensors", "me.inverted.png", "me.npz", "me.png"]
    record = Inversion.load("me.inversion.safetensors")
    assert record.model == "small"
    assert record.settings == {"space": "w", "steps": 4, "seed": 7, "face": None}
    assert record.sources[0].find() == folder / "me.png"
    assert record.alignments[0] is not None
    assert record.metrics["lpips_alex"] == [0.05]
    G = session.Session(
        session.Settings(photos=[], out=folder, model="../small.safetensors", device="cpu")
    ).generator
    assert torch.equal(record.ws, G.sample([7]))
    assert Image.open("me.inverted.png").size == (32, 32)
    output = capsys.readouterr()
    assert "Wrote me.inversion.safetensors, me.inverted.png, me.npz" in output.out
    assert "LPIPS 0.050" in output.out
    assert (
        "Next: edit discover --model ../small.safetensors --method sefa --record me.inversion.safetensors"
        in output.out
    )
    assert "step 4 of 4, loss 0.2500" in output.err


def test_quiet_prints_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("me.png", "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert "me.inverted.png" in files(folder)


def test_results_go_to_out(folder: Path) -> None:
    assert run("me.png", "--out", "new/results") == 0
    assert files(folder / "new" / "results") == ["me.inversion.safetensors", "me.inverted.png"]
    assert Inversion.load("new/results/me.inversion.safetensors").sources[0].find() == folder / "me.png"


def test_nothing_is_replaced_unasked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("me.inverted.png").write_text("mine")
    assert run("me.png") == 2
    assert "me.inverted.png exists already; add --overwrite" in one_sentence(capsys)
    assert Path("me.inverted.png").read_text() == "mine"
    assert files(folder) == ["me.inverted.png", "me.png"]
    assert run("me.png", "--overwrite") == 0
    assert Image.open("me.inverted.png").size == (32, 32)


def _times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_what_is_done_is_skipped_and_the_rest_is_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.png", "b.png"):
        save_photo(Path(name))
    assert run("a.png", "me.png", "--quiet") == 0
    done = _times(folder)
    assert run(".") == 0
    output = capsys.readouterr()
    assert "Skipped 2 already done" in output.out
    assert "Wrote b.inversion.safetensors" in output.out
    assert {name: time for name, time in _times(folder).items() if name in done} == done
    assert run(".") == 0
    output = capsys.readouterr()
    assert "Skipped 3 already done" in output.out
    assert "Next, for example: edit" in output.out
    assert run(".", "--overwrite") == 0
    assert "Skipped" not in capsys.readouterr().out
    assert all(_times(folder)[name] != time for name, time in done.items() if "inver" in name)
    assert run(".", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("options", [("--steps", "9"), ("--space", "w"), ("--seed", "5")])
def test_other_settings_are_not_done(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    assert run("me.png", "--quiet") == 0
    before = _times(folder)
    assert run("me.png", *options) == 2
    assert "exists already; add --overwrite" in one_sentence(capsys)
    assert _times(folder) == before


@pytest.mark.usefixtures("folder")
def test_another_photo_model_face_or_a_damaged_record_is_not_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from stylegan_latents.generator.formats.native import save_native
    from stylegan_latents.invert.faces import align
    from tests.small_models import small_generator

    assert run("me.png", "--quiet") == 0
    save_native(small_generator(9), Path("../other.safetensors"))
    assert main(["me.png", "--no-align", "--model", "../other.safetensors", "--device", "cpu"]) == 2
    monkeypatch.setattr(align, "require_faces", lambda *_: pytest.fail("the photo was read"))
    assert main(["me.png", "--model", "../small.safetensors", "--device", "cpu"]) == 2
    record = Path("me.inversion.safetensors")
    whole = record.read_bytes()
    record.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert run("me.png") == 2
    record.write_bytes(whole)
    Image.new("RGB", (50, 50)).save("me.png")
    assert run("me.png") == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines == [lines[0]] * len(lines)
    assert "exists already" in lines[0]


def test_a_search_that_was_stopped_is_not_done(
    folder: Path, capsys: pytest.CaptureFixture[str], inverter: type[FakeInverter]
) -> None:
    inverter.interrupt_at = 2
    assert run("me.png", "--keep-partial", "--quiet") == 130
    before = _times(folder)
    inverter.interrupt_at = None
    capsys.readouterr()
    assert run("me.png") == 2
    assert "exists already" in one_sentence(capsys)
    assert _times(folder) == before


def test_what_is_missing_beside_a_record_is_made_from_it(folder: Path, inverter: type[FakeInverter]) -> None:
    assert run("me.png", "--quiet") == 0
    picture = np.asarray(Image.open("me.inverted.png"))
    Path("me.inverted.png").unlink()
    inverter.interrupt_at = 1  # there is no search
    assert run("me.png", "--quiet", "--npz") == 0
    assert (np.asarray(Image.open("me.inverted.png")) == picture).all()
    assert (np.load("me.npz")["w"] == Inversion.load("me.inversion.safetensors").ws.numpy()).all()
    assert files(folder) == ["me.inversion.safetensors", "me.inverted.png", "me.npz", "me.png"]


@pytest.mark.parametrize("name", ["film.mp4", "film.gif"])
def test_a_preview_of_one_photo_has_its_own_name(folder: Path, name: str) -> None:
    assert run("me.png", "--preview", name) == 0
    assert files(folder) == sorted([name, "me.inversion.safetensors", "me.inverted.png", "me.png"])


def test_previews_of_several_photos_are_told_apart(folder: Path) -> None:
    save_photo(Path("you.png"))
    assert run("me.png", "you.png", "--preview", "film.gif") == 0
    assert {"me.film.gif", "you.film.gif"} <= set(files(folder))


def test_a_preview_that_cannot_be_is_told_before_the_work(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("me.png", "--preview", "film.avi") == 2
    assert "film.avi" in one_sentence(capsys)
    assert files(folder) == ["me.png"]


def test_a_folder_goes_on_past_bad_photos(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.png").write_text("no picture")
    Path("notes.txt").write_text("no picture, and no photo by its name")
    save_photo(Path("you.jpg"))
    assert run(".") == 2
    assert {"me.inverted.png", "you.inverted.png"} <= set(files(folder))
    output = capsys.readouterr()
    assert "1 of 3 photos could not be inverted" in output.err
    assert output.err.splitlines()[-1].startswith("  a.png")
    assert "Next, for example: edit" in output.out


def test_face_all_writes_a_record_for_each_face(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stylegan_latents.invert.faces import align

    image = Image.open("me.png")
    monkeypatch.setattr(
        align, "require_faces", lambda *_: [SimpleNamespace(name=name, size=200.0) for name in ("left", "right")]
    )
    monkeypatch.setattr(align, "align_face", lambda _image, _face, size: align.no_align(image, size))
    persons = [np.zeros(128), np.full(128, 0.5 / 128**0.5), np.zeros(128), None]
    monkeypatch.setattr("stylegan_latents.invert.faces.identity.Identity.__call__", lambda *_: persons.pop(0))
    arguments = ["me.png", "--model", "../small.safetensors", "--device", "cpu"]
    assert main([*arguments, "--face", "all", "--report", "table.csv"]) == 0
    assert {"me.face0.inversion.safetensors", "me.face1.inversion.safetensors"} <= set(files(folder))
    assert Inversion.load("me.face0.inversion.safetensors").metrics["identity"] == [pytest.approx(0.5)]
    # Where the result shows no face, there is no distance.
    assert math.isnan(Inversion.load("me.face1.inversion.safetensors").metrics["identity"][0])
    # What is done already stays the same faces of the table.
    assert main([*arguments, "--face", "all", "--report", "table.csv"]) == 0
    assert sorted(row["photo"] for row in Report(Path("table.csv")).rows.values()) == [
        "me.png, face 0",
        "me.png, face 1",
    ]
    assert main([*arguments, "--face", "all", "--steps", "9"]) == 2  # made with other settings


@pytest.fixture(name="two_faces")
def _two_faces(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Two faces that every photo shows, from the left; the second is the larger one."""
    from stylegan_latents.invert.faces import align, detector

    faces = [SimpleNamespace(name=name, size=200.0) for name in ("left", "right")]
    monkeypatch.setattr(align, "require_faces", lambda *_: faces)
    monkeypatch.setattr(detector, "choose_faces", lambda _, which: [faces[1 if which == "largest" else int(which)]])
    monkeypatch.setattr(align, "align_face", lambda image, _face, size: align.no_align(image, size))
    monkeypatch.setattr("stylegan_latents.invert.faces.identity.Identity.__call__", lambda *_: None)
    return faces


TWO_FACES = ("me.png", "--model", "../small.safetensors", "--device", "cpu")


@pytest.mark.usefixtures("two_faces")
def test_of_two_faces_it_is_said_which_was_taken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TWO_FACES]) == 0
    words = (
        "me.png shows 2 faces; the largest was taken, which is --face 1, counted from the left and from 0; "
        "--face 0 takes another"
    )
    assert words in capsys.readouterr().out
    assert "me.inversion.safetensors" in files(folder)


@pytest.mark.usefixtures("two_faces")
def test_a_face_has_one_name_however_it_was_chosen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TWO_FACES, "--face", "1", "--preview", "film.gif"]) == 0
    assert "shows 2 faces" not in capsys.readouterr().out
    assert files(folder) == ["film.gif", "me.face1.inversion.safetensors", "me.face1.inverted.png", "me.png"]
    assert main([*TWO_FACES, "--face", "all"]) == 0
    output = capsys.readouterr().out
    assert "Skipped 1 already done" in output
    assert "Wrote me.face0.inversion.safetensors" in output
    assert main([*TWO_FACES, "--face", "0"]) == 0
    assert "Skipped 1 already done" in capsys.readouterr().out


@pytest.mark.usefixtures("two_faces")
def test_the_number_of_an_only_face_is_not_in_its_name(folder: Path, two_faces: list[Any]) -> None:
    two_faces.pop()
    assert main([*TWO_FACES, "--face", "0", "--quiet"]) == 0
    assert files(folder) == ["me.inversion.safetensors", "me.inverted.png", "me.png"]


def test_a_record_remembers_the_file_of_its_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from stylegan_latents.editing.commands.cli import main as edit
    from stylegan_latents.editing.records.opened import OpenRecord

    assert run("me.png", "--quiet", "--out", "results") == 0
    record, model = folder / "results" / "me.inversion.safetensors", folder.parent / "small.safetensors"
    assert Inversion.load(record).model_file == model
    opened = OpenRecord(record, device="cpu")
    assert opened.generator.fingerprint == opened.inversion.fingerprint
    # A folder may move as a whole; the model may also be beside the record.
    folder.rename(folder.parent / "there")
    record = folder.parent / "there" / "results" / "me.inversion.safetensors"
    assert OpenRecord(record, device="cpu").base.name == "small"
    model.rename(record.with_name("small.safetensors"))
    assert OpenRecord(record, device="cpu").base.name == "small"
    record.with_name("small.safetensors").unlink()
    assert edit([str(record), "--direction", "smile", "--strength", "1"]) == 2
    output = capsys.readouterr().err
    assert f"is not at {model} any more; give that model's file with --model." in output
    assert output.count("\n") == 1


def test_another_model_in_the_place_of_the_records_is_not_taken_for_it(folder: Path) -> None:
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.formats.native import save_native
    from tests.small_models import small_generator

    small = small_generator(latent_space="shared")
    save_native(small, Path("../small.safetensors"), overwrite=True)
    assert run("me.png", "--quiet") == 0
    record = folder / "me.inversion.safetensors"
    save_native(small_generator(9, latent_space="shared"), Path("../small.safetensors"), overwrite=True)
    with pytest.raises(InputError, match="holds another model than"):
        _ = OpenRecord(record, device="cpu").ws
    # Named by the user, a model that shares the latent space may draw the record.
    assert OpenRecord(record, model="../small.safetensors", device="cpu").ws.shape == (1, 6, 8)


def test_ctrl_c_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], inverter: type[FakeInverter]
) -> None:
    inverter.interrupt_at = 2
    assert run("me.png", "--quiet", "--preview", "film.gif") == 130
    assert "Stopped" in one_sentence(capsys)
    assert files(folder) == ["me.png"]


def test_ctrl_c_keeps_the_best_code_if_asked(folder: Path, inverter: type[FakeInverter]) -> None:
    save_photo(Path("you.png"))
    inverter.interrupt_at = 3
    assert run("me.png", "you.png", "--keep-partial", "--quiet", "--preview", "film.gif") == 130
    assert Inversion.load("me.inversion.safetensors").settings["stopped_at_step"] == 2
    # The film so far is kept, too, and the next photo is not begun.
    assert files(folder) == [
        "me.film.gif",
        "me.inversion.safetensors",
        "me.inverted.png",
        "me.png",
        "you.png",
    ]


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from stylegan_latents.invert.commands.cli import main; main(['--help']); "
        "heavy = {'torch', 'numpy', 'PIL', 'dlib', 'sklearn', 'imageio'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "--keep-partial" in result.stdout


def test_a_style_is_for_the_picture_and_the_record_is_the_plain_photos(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_style(small_generator()).save(folder.parent / "plain.style.safetensors")
    small_style(small_generator(7, name="horses")).save(folder.parent / "gallop.style.safetensors")
    styled = ("--style", "../plain.style.safetensors")
    assert run("me.png", "--out", "without") == run("me.png", "--out", "with", *styled) == 0
    plain, drawn = (Path(one, "me.inverted.png").read_bytes() for one in ("without", "with"))
    assert plain != drawn
    one, two = (Inversion.load(Path(name, "me.inversion.safetensors")) for name in ("without", "with"))
    assert torch.equal(one.ws, two.ws)
    assert one.metrics == two.metrics
    capsys.readouterr()
    assert run("me.png", "--style", "../gallop.style.safetensors", "--out", "none") == 2
    assert "belongs to the model 'horses'" in one_sentence(capsys)
    assert not Path("none").exists()
