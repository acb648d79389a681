import errno
import math
import struct
import subprocess
import sys
import zlib
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
from tests.small_models import FakeInverter, save_small_model, small_generator, use_fake_inverter


@pytest.fixture(name="inverter", autouse=True)
def _inverter(monkeypatch: pytest.MonkeyPatch) -> type[FakeInverter]:
    return use_fake_inverter(monkeypatch)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a photo; the model is beside it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save_small_model(tmp_path)
    _save_photo(Path("me.png"))
    return tmp_path / "here"


def _save_photo(path: Path) -> None:
    Image.linear_gradient("L").convert("RGB").save(path)


def _run(*arguments: str) -> int:
    return main([*arguments, "--no-align", "--model", "../small.safetensors", "--device", "cpu"])


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """The line on stderr; there is nothing else there."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("invert: ")
    return lines[0]


def test_a_photo_becomes_a_record_and_a_picture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("me.png", "--npz", "--space", "w", "--steps", "4", "--seed", "7") == 0
    assert _files(folder) == ["me.inversion.safetensors", "me.inverted.png", "me.npz", "me.png"]
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
    assert _run("me.png", "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert "me.inverted.png" in _files(folder)


def test_results_go_to_out(folder: Path) -> None:
    assert _run("me.png", "--out", "new/results") == 0
    assert _files(folder / "new" / "results") == ["me.inversion.safetensors", "me.inverted.png"]
    assert Inversion.load("new/results/me.inversion.safetensors").sources[0].find() == folder / "me.png"


def test_nothing_is_replaced_unasked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("me.inverted.png").write_text("mine")
    assert _run("me.png") == 2
    assert "me.inverted.png exists already; add --overwrite" in _one_sentence(capsys)
    assert Path("me.inverted.png").read_text() == "mine"
    assert _files(folder) == ["me.inverted.png", "me.png"]
    assert _run("me.png", "--overwrite") == 0
    assert Image.open("me.inverted.png").size == (32, 32)


def _times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_what_is_done_is_skipped_and_the_rest_is_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.png", "b.png"):
        _save_photo(Path(name))
    assert _run("a.png", "me.png", "--quiet") == 0
    done = _times(folder)
    assert _run(".") == 0
    output = capsys.readouterr()
    assert "Skipped 2 already done" in output.out
    assert "Wrote b.inversion.safetensors" in output.out
    assert {name: time for name, time in _times(folder).items() if name in done} == done
    assert _run(".") == 0
    output = capsys.readouterr()
    assert "Skipped 3 already done" in output.out
    assert "Next, for example: edit" in output.out
    assert _run(".", "--overwrite") == 0
    assert "Skipped" not in capsys.readouterr().out
    assert all(_times(folder)[name] != time for name, time in done.items() if "inver" in name)
    assert _run(".", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("options", [("--steps", "9"), ("--space", "w"), ("--seed", "5")])
def test_other_settings_are_not_done(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    assert _run("me.png", "--quiet") == 0
    before = _times(folder)
    assert _run("me.png", *options) == 2
    assert "exists already; add --overwrite" in _one_sentence(capsys)
    assert _times(folder) == before


@pytest.mark.usefixtures("folder")
def test_another_photo_model_face_or_a_damaged_record_is_not_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from stylegan_latents.generator.formats.native import save_native
    from stylegan_latents.invert.faces import align
    from tests.small_models import small_generator

    assert _run("me.png", "--quiet") == 0
    save_native(small_generator(9), Path("../other.safetensors"))
    assert main(["me.png", "--no-align", "--model", "../other.safetensors", "--device", "cpu"]) == 2
    monkeypatch.setattr(align, "require_faces", lambda *_: pytest.fail("the photo was read"))
    assert main(["me.png", "--model", "../small.safetensors", "--device", "cpu"]) == 2
    record = Path("me.inversion.safetensors")
    whole = record.read_bytes()
    record.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert _run("me.png") == 2
    record.write_bytes(whole)
    Image.new("RGB", (50, 50)).save("me.png")
    assert _run("me.png") == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines == [lines[0]] * len(lines)
    assert "exists already" in lines[0]


def test_a_search_that_was_stopped_is_not_done(
    folder: Path, capsys: pytest.CaptureFixture[str], inverter: type[FakeInverter]
) -> None:
    inverter.interrupt_at = 2
    assert _run("me.png", "--keep-partial", "--quiet") == 130
    before = _times(folder)
    inverter.interrupt_at = None
    capsys.readouterr()
    assert _run("me.png") == 2
    assert "exists already" in _one_sentence(capsys)
    assert _times(folder) == before


def test_what_is_missing_beside_a_record_is_made_from_it(folder: Path, inverter: type[FakeInverter]) -> None:
    assert _run("me.png", "--quiet") == 0
    picture = np.asarray(Image.open("me.inverted.png"))
    Path("me.inverted.png").unlink()
    inverter.interrupt_at = 1  # there is no search
    assert _run("me.png", "--quiet", "--npz") == 0
    assert (np.asarray(Image.open("me.inverted.png")) == picture).all()
    assert (np.load("me.npz")["w"] == Inversion.load("me.inversion.safetensors").ws.numpy()).all()
    assert _files(folder) == ["me.inversion.safetensors", "me.inverted.png", "me.npz", "me.png"]


@pytest.mark.parametrize("name", ["film.mp4", "film.gif"])
def test_a_preview_of_one_photo_has_its_own_name(folder: Path, name: str) -> None:
    assert _run("me.png", "--preview", name) == 0
    assert _files(folder) == sorted([name, "me.inversion.safetensors", "me.inverted.png", "me.png"])


def test_previews_of_several_photos_are_told_apart(folder: Path) -> None:
    _save_photo(Path("you.png"))
    assert _run("me.png", "you.png", "--preview", "film.gif") == 0
    assert {"me.film.gif", "you.film.gif"} <= set(_files(folder))


def test_a_preview_that_cannot_be_is_told_before_the_work(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("me.png", "--preview", "film.avi") == 2
    assert "film.avi" in _one_sentence(capsys)
    assert _files(folder) == ["me.png"]


def test_a_folder_goes_on_past_bad_photos(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.png").write_text("no picture")
    Path("notes.txt").write_text("no picture, and no photo by its name")
    _save_photo(Path("you.jpg"))
    assert _run(".") == 2
    assert {"me.inverted.png", "you.inverted.png"} <= set(_files(folder))
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
    assert {"me.face0.inversion.safetensors", "me.face1.inversion.safetensors"} <= set(_files(folder))
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
    assert "me.inversion.safetensors" in _files(folder)


@pytest.mark.usefixtures("two_faces")
def test_a_face_has_one_name_however_it_was_chosen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TWO_FACES, "--face", "1", "--preview", "film.gif"]) == 0
    assert "shows 2 faces" not in capsys.readouterr().out
    assert _files(folder) == ["film.gif", "me.face1.inversion.safetensors", "me.face1.inverted.png", "me.png"]
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
    assert _files(folder) == ["me.inversion.safetensors", "me.inverted.png", "me.png"]


def test_a_record_remembers_the_file_of_its_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from stylegan_latents.editing.commands.cli import main as edit
    from stylegan_latents.editing.records.opened import OpenRecord

    assert _run("me.png", "--quiet", "--out", "results") == 0
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
    assert _run("me.png", "--quiet") == 0
    record = folder / "me.inversion.safetensors"
    save_native(small_generator(9, latent_space="shared"), Path("../small.safetensors"), overwrite=True)
    with pytest.raises(InputError, match="holds another model than"):
        _ = OpenRecord(record, device="cpu").ws
    # Named by the user, a model that shares the latent space may draw the record.
    assert OpenRecord(record, model="../small.safetensors", device="cpu").ws.shape == (1, 6, 8)


def _png_bomb(path: Path, side: int) -> None:
    """A picture of side x side white pixels in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + b"\xff" * ((side + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    png = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + png)


def _truncated_jpeg(path: Path) -> None:
    _save_photo(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


BAD_PHOTOS = {
    "missing.png": lambda _: None,
    "empty-folder": Path.mkdir,
    "text.png": lambda path: path.write_text("hello, I am a text"),
    "cut.jpg": _truncated_jpeg,
    "dot.png": lambda path: Image.new("RGB", (1, 1)).save(path),
    "bomb.png": lambda path: _png_bomb(path, 30_000),
    "nothing.jpg": Path.touch,
    "page.jpg": lambda path: path.write_text("<!DOCTYPE html><html>404</html>"),
}


@pytest.mark.parametrize("name", BAD_PHOTOS)
def test_a_bad_photo_is_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    BAD_PHOTOS[name](Path(name))
    before = _files(folder)
    assert _run(name) == 2
    sentence = _one_sentence(capsys)
    assert name in sentence
    assert sentence.endswith((".", "?"))
    assert not sentence.endswith("..")
    assert _files(folder) == before


@pytest.mark.usefixtures("folder")
def test_an_unreadable_folder_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permissions do not stop root, as whom tests may run.
    Path("locked").mkdir()

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert _run("locked") == 2
    assert "locked may not be read: Permission denied." in _one_sentence(capsys)


def test_a_full_disk_is_one_sentence_and_ends_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _save_photo(Path("you.png"))

    def fill(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    assert _run("me.png", "you.png", "--quiet") == 2
    assert "No space left on device" in _one_sentence(capsys)
    assert _files(folder) == ["me.png", "you.png"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_under_the_output_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "stylegan_latents.invert.commands.cli", "--help"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr


def test_ctrl_c_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], inverter: type[FakeInverter]
) -> None:
    inverter.interrupt_at = 2
    assert _run("me.png", "--quiet", "--preview", "film.gif") == 130
    assert "Stopped" in _one_sentence(capsys)
    assert _files(folder) == ["me.png"]


def test_ctrl_c_keeps_the_best_code_if_asked(folder: Path, inverter: type[FakeInverter]) -> None:
    _save_photo(Path("you.png"))
    inverter.interrupt_at = 3
    assert _run("me.png", "you.png", "--keep-partial", "--quiet", "--preview", "film.gif") == 130
    assert Inversion.load("me.inversion.safetensors").settings["stopped_at_step"] == 2
    # The film so far is kept, too, and the next photo is not begun.
    assert _files(folder) == [
        "me.film.gif",
        "me.inversion.safetensors",
        "me.inverted.png",
        "me.png",
        "you.png",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument"),
        (["me.png", "--sted", "3"], "--sted"),
        (["me.png", "--steps", "0"], "--steps"),
        (["me.png", "--steps", "many"], "--steps"),
        (["me.png", "--seed", "-1"], "--seed"),
        (["me.png", "--seed", "9" * 26], "--seed"),
        ([""], "empty"),
        (["me.png", "--space", "z"], "--space"),
        (["me.png", "--precision", "int8"], "--precision"),
        (["me.png", "--method", "magic"], "'--method': 'magic' is not one of"),
        (["me.png", "--face", "nearest"], "--face"),
        (["me.png", "--device", "tpu9"], "tpu9"),
        (["me.png", "--model", "ffqh"], "ffqh"),
        (["me.png", "--model", "me.png"], "me.png"),
        (["me.png", "--out", "me.png"], "me.png"),
        (["me.png", "--identity-weight", "-1"], "--identity-weight"),
        (["me.png", "--identity-weight", "1", "--no-align"], "--identity-weight"),
        (["me.png", "--weights", "channels"], "--weights is for tuning"),
        (["me.png", "--every", "2"], "are for films"),
        (["me.png", "--no-smooth"], "are for films"),
        (["me.png", "--pivot", "encode"], "--pivot is what pivotal, layered and noise start from"),
        (["me.png", "--method", "noise", "--pivot", "optimize", "--encoder", "me.png"], "--pivot optimize"),
    ],
)
def test_a_bad_option_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main([*arguments[:1], "--no-align", *arguments[1:]]) == 2
    assert words in _one_sentence(capsys)
    assert _files(folder) == ["me.png"]


def test_a_photo_whose_name_looks_like_an_option(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _save_photo(folder / "-dash.png")
    assert main(["-dash.png"]) == 2
    assert "./-dash.png" in _one_sentence(capsys)


def test_a_fault_of_ours_is_short_and_not_the_users(
    folder: Path, capsys: pytest.CaptureFixture[str], inverter: type[FakeInverter]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    inverter.invert = fail  # type: ignore[assignment, method-assign]
    assert _run("me.png", "--quiet") == 1
    lines = capsys.readouterr().err.splitlines()
    assert "KeyError" in lines[-1]
    assert len(lines) < 25
    assert _files(folder) == ["me.png"]


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from stylegan_latents.invert.commands.cli import main; main(['--help']); "
        "heavy = {'torch', 'numpy', 'PIL', 'dlib', 'sklearn', 'imageio'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "--keep-partial" in result.stdout


@pytest.mark.usefixtures("folder")
def test_no_face_says_what_to_do(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from stylegan_latents.invert.faces import align

    def refuse(*_: object) -> None:
        raise InputError("No face was found in me.png; use --no-align.")

    monkeypatch.setattr(align, "require_faces", refuse)
    assert main(["me.png", "--model", "../small.safetensors"]) == 2
    assert "--no-align" in _one_sentence(capsys)


def test_a_photo_that_is_missing_is_refused_before_pytorch_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys; from stylegan_latents.invert.commands.cli import main; "
        f"status = main([{str(tmp_path / 'me.jpg')!r}]); assert 'torch' not in sys.modules; sys.exit(status)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr == f"invert: There is no file {tmp_path / 'me.jpg'}.\n"


def test_a_style_is_for_the_picture_and_the_record_is_the_plain_photos(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_style(small_generator()).save(folder.parent / "plain.style.safetensors")
    small_style(small_generator(7, name="horses")).save(folder.parent / "gallop.style.safetensors")
    styled = ("--style", "../plain.style.safetensors")
    assert _run("me.png", "--out", "without") == _run("me.png", "--out", "with", *styled) == 0
    plain, drawn = (Path(one, "me.inverted.png").read_bytes() for one in ("without", "with"))
    assert plain != drawn
    one, two = (Inversion.load(Path(name, "me.inversion.safetensors")) for name in ("without", "with"))
    assert torch.equal(one.ws, two.ws)
    assert one.metrics == two.metrics
    capsys.readouterr()
    assert _run("me.png", "--style", "../gallop.style.safetensors", "--out", "none") == 2
    assert "belongs to the model 'horses'" in _one_sentence(capsys)
    assert not Path("none").exists()
