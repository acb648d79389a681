from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.nonlinear.flow_files import load_flow
from tests.editing.command_folder import MODEL, enter_folder, new_files, one_sentence
from tests.editing.nonlinear.small_flows import small_flow

DATA = Path(__file__).parents[2] / "data"
PUBLISHED, MAPPER = str(DATA / "styleflow" / "flow.pt"), str(DATA / "styleclip" / "levels.pt")
RECORD = "a.inversion.safetensors"


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = enter_folder(tmp_path, monkeypatch)
    small_flow().save(tmp_path / "flow.safetensors")
    return folder


def _edit(*arguments: str) -> int:
    return main([RECORD, *arguments, *MODEL])


def _difference(one: str, other: str) -> float:
    first, second = (np.asarray(Image.open(name)).astype(float) for name in (one, other))
    return float(np.abs(first - second).mean())


FLOW = ("--flow", "../flow.safetensors")


def test_a_flow_sets_measured_attributes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _edit(*FLOW, "--set", "redness=0.9", "--set", "lightness=80", "--sheet") == 0
    assert new_files(folder) == {
        "a.redness-to-0.9.lightness-to-80.png",
        "a.redness-to-0.9.lightness-to-80.sheet.png",
    }
    told = capsys.readouterr().out
    assert "redness: from " in told
    assert "(measured) to 0.9" in told
    assert "lightness is now " in told


def test_settings_are_made_in_their_order() -> None:
    assert _edit(*FLOW, "--set", "redness=0.9", "--set", "lightness=80", "--out", "one.png") == 0
    assert _edit(*FLOW, "--set", "lightness=80", "--set", "redness=0.9", "--out", "other.png") == 0
    assert _difference("one.png", "other.png") > 0


def test_given_attributes_need_no_scorer(capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--from", "redness=0.5", "--from", "lightness=30")
    assert _edit(*FLOW, "--set", "redness=0.5", *given, "--scorer", "nothing.onnx", "--out", "same.png") == 0
    assert "from 0.5 (given) to 0.5" in capsys.readouterr().out
    assert _edit("--direction", "smile", "--strength", "0", "--out", "plain.png") == 0
    assert _difference("same.png", "plain.png") == 0


def test_published_weights_edit(capsys: pytest.CaptureFixture[str]) -> None:
    given = [f"--from={one.name}={one.usual}" for one in load_flow(Path(PUBLISHED)).attributes]
    assert _edit("--flow", PUBLISHED, "--set", "smile=0.2", "--set", "age=40", *given, "--out", "a.png") == 0
    assert "smile: from 1 (given) to 0.2" in capsys.readouterr().out


def test_a_mapper_has_its_strength(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _edit("--mapper", MAPPER) == 0
    assert "levels by +1, as there is no --strength" in capsys.readouterr().out
    assert _edit("--direction", "smile", "--mapper", MAPPER, "--strength", "0", "--strength", "3") == 0
    assert "its 18 rows were mapped by resolution to the 6" in capsys.readouterr().err
    assert new_files(folder) == {"a.levels+1.png", "a.smile+0.levels+3.png"}
    assert _difference("a.levels+1.png", "a.smile+0.levels+3.png") > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--set", "redness=0.5"), "for the attributes of a --flow"),
        (FLOW, "--set age=40"),
        ((*FLOW, "--set", "redness"), "'redness' is no setting"),
        ((*FLOW, "--set", "smile=1"), "knows no attribute 'smile'"),
        ((*FLOW, "--set", "redness=7"), "runs from -1 to 1"),
        ((*FLOW, "--set", "redness=0.5", "--from", "lightness=400"), "runs from 0 to 100"),
        (("--flow", "nothing.pt", "--set", "a=1"), "no file nothing.pt"),
        (("--flow", MAPPER, "--set", "a=1"), "holds no flow"),
        (("--mapper", PUBLISHED), "holds no mapper"),
        (("--mapper", MAPPER, "--strength", "1", "--strength", "2"), "needs its --strength"),
        (("--mapper", MAPPER, "--raw"), "--raw is for the strengths of directions"),
    ],
)
def test_bad_input_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert _edit(*arguments) == 2
    assert words in one_sentence(capsys)
    assert not new_files(folder)
