import errno
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.cli import main
from tests.invert.photo_folder import fake_inverter, files, one_sentence, photo_folder, run, save_photo
from tests.small_models import FakeInverter

__all__ = ["fake_inverter", "photo_folder"]


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
    save_photo(path)
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
    before = files(folder)
    assert run(name) == 2
    sentence = one_sentence(capsys)
    assert name in sentence
    assert sentence.endswith((".", "?"))
    assert not sentence.endswith("..")
    assert files(folder) == before


@pytest.mark.usefixtures("folder")
def test_an_unreadable_folder_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permissions do not stop root, as whom tests may run.
    Path("locked").mkdir()

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert run("locked") == 2
    assert "locked may not be read: Permission denied." in one_sentence(capsys)


def test_a_full_disk_is_one_sentence_and_ends_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_photo(Path("you.png"))

    def fill(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    assert run("me.png", "you.png", "--quiet") == 2
    assert "No space left on device" in one_sentence(capsys)
    assert files(folder) == ["me.png", "you.png"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_under_the_output_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "stylegan_latents.invert.commands.cli", "--help"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr


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
        (["me.png", "--out", "turned.png"], "--out takes a folder"),
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
    assert words in one_sentence(capsys)
    assert files(folder) == ["me.png"]


def test_a_photo_whose_name_looks_like_an_option(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_photo(folder / "-dash.png")
    assert main(["-dash.png"]) == 2
    assert "./-dash.png" in one_sentence(capsys)


def test_a_fault_of_ours_is_short_and_not_the_users(
    folder: Path, capsys: pytest.CaptureFixture[str], inverter: type[FakeInverter]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    inverter.invert = fail  # type: ignore[assignment, method-assign]
    assert run("me.png", "--quiet") == 1
    lines = capsys.readouterr().err.splitlines()
    assert "KeyError" in lines[-1]
    assert len(lines) < 25
    assert files(folder) == ["me.png"]


@pytest.mark.usefixtures("folder")
def test_no_face_says_what_to_do(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from stylegan_latents.invert.faces import align

    def refuse(*_: object) -> None:
        raise InputError("No face was found in me.png; use --no-align.")

    monkeypatch.setattr(align, "require_faces", refuse)
    assert main(["me.png", "--model", "../small.safetensors"]) == 2
    assert "--no-align" in one_sentence(capsys)


def test_a_photo_that_is_missing_is_refused_before_pytorch_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys; from stylegan_latents.invert.commands.cli import main; "
        f"status = main([{str(tmp_path / 'me.jpg')!r}]); assert 'torch' not in sys.modules; sys.exit(status)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr == f"invert: There is no file {tmp_path / 'me.jpg'}.\n"
