"""Files of any name that a file system takes: commands go through, and print nothing that a terminal obeys."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main as edit
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.commands.cli import main as invert
from tests.invert.small_search import small_search  # noqa: F401
from tests.small_models import save_small_model, small_generator, use_fake_inverter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
NAMES = (
    b"new\nline",
    b"esc\x1b[31mred\x07",
    b"-dash",
    b"x" * 180,
    "🙂".encode(),
    b"bad\xff\xfe",
    "\u202eright".encode(),
)
MODEL = ["--model", "../small.safetensors", "--device", "cpu"]
_FORBIDDEN = [chr(code) for code in (*range(10), *range(11, 32), *range(127, 160), 0x202E, *range(0xDC80, 0xDD00))]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("me.png", "me.png"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[2J", r"\x1b[2J"),
        (os.fsdecode(b"bad\xff.png"), r"bad\xff.png"),
        ("\u202egnp", r"\u202egnp"),
        ("\x9b1m", r"\x9b1m"),
        ("été 🙂", "été 🙂"),
    ],
)
def test_a_name_is_shown_on_one_line_and_without_control_characters(name: str, shown: str) -> None:
    assert printable(name) == shown
    assert printable(Path(name)) == shown


@pytest.mark.parametrize("name", NAMES)
def test_commands_take_it(
    name: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save_small_model(tmp_path)
    use_fake_inverter(monkeypatch)
    stem = os.fsdecode(name)
    Image.linear_gradient("L").convert("RGB").resize((64, 64)).save(f"./{stem}.png")
    space = small_generator().latent_space
    Direction("own", space, torch.ones(1, 8), 1.0).save(Path("own.safetensors"))
    record = f"./{stem}.inversion.safetensors"
    arguments = ["--direction", "own.safetensors", "--strength", "1"]
    for command in (
        lambda: invert([f"./{stem}.png", "--no-align", "--report", "table.csv", *MODEL]),
        lambda: invert([".", "--no-align", "--report", "table.csv", *MODEL]),
        lambda: edit([record, *arguments, *MODEL]),
        lambda: edit([record, *arguments, "--out", f"./{stem}.out.png", *MODEL]),
        lambda: edit(["mix", record, record, "--layers", "coarse", "--out", f"./{stem}.mix.png", *MODEL]),
        lambda: edit(["interpolate", record, record, "--frames", "2", "--out", f"./{stem}.gif", *MODEL]),
    ):
        status = command()
        told = capsys.readouterr()
        assert status == 0, told.err
        assert not [letter for letter in _FORBIDDEN if letter in told.out + told.err]
    assert Path(record).is_file()
    assert (b"bad\xff" in Path("table.csv").read_bytes()) == (b"\xff" in name)
    assert invert([f"./{stem}.jpeg", *MODEL]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert not [letter for letter in _FORBIDDEN if letter in told]


@pytest.mark.slow
def test_a_name_that_is_not_utf_8_goes_through_in_the_c_locale(tmp_path: Path) -> None:
    save_small_model(tmp_path)
    photo = os.fsencode(tmp_path) + b"/bad\xff\x1b.png"
    Image.new("RGB", (64, 64), "red").save(os.fsdecode(photo))
    program = "import sys; from stylegan_latents.invert.commands.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, photo, "--method", "optimize", "--steps", "1", "--no-align",
               "--model", str(tmp_path / "small.safetensors"), "--report", str(tmp_path / "table.csv")]  # fmt: skip
    environment = os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    assert rb"bad\xff\x1b" in ended.stdout
    assert b"\x1b" not in ended.stdout + ended.stderr
