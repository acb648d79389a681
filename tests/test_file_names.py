"""Files of any name that a file system takes: commands go through, and print nothing that a terminal obeys."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.nn import functional

from stylegan_latents.demo.commands import main as tools
from stylegan_latents.editing.commands.cli import main as edit
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.text import image_text
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.commands.cli import main as invert
from stylegan_latents.invert.search.loss import LPIPS
from tests.editing.discovery.finders.test_text import ColourTexts
from tests.odd_models import tiny_lpips
from tests.small_models import save_small_model, small_generator, small_record, use_fake_inverter

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


EVERYTHING = b"-a\nb\x1b[31m\xff" + "🙂\u202e".encode()
LONGEST = b"x" * 251


class _Texts(ColourTexts):
    """Embeds any text."""

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        return functional.normalize(torch.tensor([[1.0, 0.5, len(text), 2.0] for text in texts]), dim=1)


@pytest.fixture(name="folder", params=(EVERYTHING, LONGEST), ids=("odd", "long"))
def _folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A photo, a mask, a direction, a model and a record; the photo's stem, and a path for others to begin with."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    use_fake_inverter(monkeypatch)
    monkeypatch.setattr(image_text, "OpenCLIP", lambda *_, **__: _Texts())
    monkeypatch.setattr(LPIPS, "load", classmethod(lambda _cls, _trunk="alex": tiny_lpips()))
    stem = os.fsdecode(request.param)
    path = f"./{stem[:225]}"
    Image.linear_gradient("L").convert("RGB").resize((64, 64)).save(f"./{stem}.png")
    mask = Image.new("L", (64, 64))
    mask.paste(255, (16, 16, 48, 48))
    mask.save(f"{path}.mask.png")
    Direction("own", small_generator().latent_space, torch.ones(1, 8), 1.0).save(Path(f"{path}.d.safetensors"))
    save_small_model(tmp_path).rename(f"{path}.safetensors")
    assert invert([f"./{stem}.png", "--no-align", "--model", f"{path}.safetensors", "--device", "cpu"]) == 0
    return f"./{stem}.png", path


def _ends(
    capsys: pytest.CaptureFixture[str], main: Callable[[list[str]], int], line: str, *more: str, status: int = 0
) -> None:
    assert main([*line.split(), *more]) == status, (line, capsys.readouterr().err)
    told = capsys.readouterr()
    assert not [letter for letter in _FORBIDDEN if letter in told.out + told.err], line


@pytest.mark.slow
def test_every_command_of_edit_takes_any_photo(folder: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    photo, path = folder
    direction, mask, model = f"{path}.d.safetensors", f"{path}.mask.png", ["--model", f"{path}.safetensors"]
    Path(f"{path}.csv").write_text("seed,red\n" + "".join(f"{seed},{seed % 3}\n" for seed in range(120)))
    for arguments, more in {
        "-s 1 --sheet -d": [direction, photo],
        "-s 2 --paste-back -d": [direction, photo],
        "-s 1 --out o.png -d": [direction, photo, "--region", mask],
        "grid --steps 2 -d": [direction, photo],
        "drag --from 10,10 --to 12,12 --steps 1 --sheet --mask": [mask, photo],
        "text --steps 1 --sheet": ["red", photo],
        "parts --out": [f"{path}.parts.png", photo],
        "sample --seeds 0-2 --records --out": [f"{path}d/", *model],
        "retrieve --part 3 --threshold 0 --count 1 --among": [f"{path}d/", photo],
        "mix --layers coarse --record": [photo, photo],
        "mix --matrix --layers coarse": [photo, "seed:3"],
        "interpolate --frames 2": [photo, "seed:1"],
        "interpolate --frames 2 --out": [f"{path}.mp4", photo, "seed:1"],
        "directions": [direction, *model],
        "evaluate --scorer colour --score lightness --features none --codes 2 --steps 2 --no-figure -d": [
            direction, "--out", f"{path}.e", *model,
        ],
        "discover --method sefa --count 1 --out": [f"{path}d/", "--record", photo, *model],
        "discover --method examples --no-sheet --name n --before": [f"{path}d/", "--after", ".", *model],
        "discover --method interfacegan --no-sheet --scorer": [f"{path}.csv", *model],
        "discover --method text --samples 4 --no-sheet --neutral red --text": [path[2:], *model],
    }.items():  # fmt: skip
        _ends(capsys, edit, arguments, *more)
    for arguments, more in {
        "-d pose": [f"{path}.jpeg"],
        "-d": [f"{path}.npy", photo],
        "-d pose --model": [f"{path}.pkl", photo],
        "directions": [f"{path}.csv"],
        "evaluate --report": [f"{path}.csv"],
        "discover --method examples --before . --after . --name": [path[2:], *model],
        "discover --method interfacegan --scorer": [f"{path}.onnx", *model],
    }.items():
        _ends(capsys, edit, arguments, *more, status=2)


@pytest.mark.slow
def test_every_tool_takes_any_file(folder: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    photo, path = folder
    model, encoder = f"{path}.safetensors", f"{path}.enc"
    _ends(capsys, tools, "convert", model, f"{path}.2.safetensors")
    small = "train --steps 1 --batch 1 --lpips 0 --input-size 32 --device cpu --out"
    _ends(capsys, tools, small, encoder, "--model", model)
    arguments = "--no-align --device cpu --method encode --out e --encoder"
    _ends(capsys, invert, arguments, f"{encoder}/encoder.safetensors", photo, "--model", model)
    for suffix in (".pt2", ".onnx"):
        _ends(capsys, tools, "export", model, f"{path}{suffix}")
    arguments = "--no-align --device cpu --overwrite --model"
    _ends(capsys, invert, arguments, model, photo, "--report", f"{path}.p.parquet")
    _ends(capsys, tools, "demo --model", f"{path}.pkl", status=2)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["invert", "editing"])
def test_a_name_that_is_not_utf_8_goes_through_in_the_c_locale(command: str, tmp_path: Path) -> None:
    model = save_small_model(tmp_path)
    photo = tmp_path / os.fsdecode(b"bad\xff\x1b.png")
    Image.new("RGB", (64, 64), "red").save(photo)
    arguments = ["--method", "optimize", "--steps", "1", "--no-align", "--report", str(tmp_path / "table.csv")]
    if command == "editing":
        direction = tmp_path / os.fsdecode(b"\xfe.safetensors")
        Direction("own", small_generator().latent_space, torch.ones(1, 8), 1.0).save(direction)
        small_record(small_generator()).save(photo.with_suffix(".inversion.safetensors"))
        arguments = ["--direction", str(direction), "--strength", "1"]
    program = f"import sys; from stylegan_latents.{command}.commands.cli import main; sys.exit(main(sys.argv[1:]))"
    environment = os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    ended = subprocess.run(
        [sys.executable, "-c", program, photo, *arguments, "--model", model],
        env=environment, cwd=tmp_path, capture_output=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert rb"bad\xff\x1b" in ended.stdout
    assert b"\x1b" not in ended.stdout + ended.stderr
