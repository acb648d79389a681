import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from tests.editing.command_folder import MODEL, G, enter_folder, one_sentence

QUICK = ("--scorer", "colour", "--features", "none", "--codes", "3", "--steps", "3", *MODEL)


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    return enter_folder(tmp_path, monkeypatch)


def test_directions_and_files_are_compared_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    np.save("other.npy", np.linspace(-1, 1, G.w_dim)[None])
    command = ["evaluate", "-d", "smile", "-d", "other.npy", "--score", "lightness", "--out", "report"]
    assert main([*command, *QUICK]) == 0
    out = capsys.readouterr().out
    assert "small: 3 codes at truncation 0.7" in out
    assert Path("report/evaluation.txt").read_text() in out
    rows = _rows("report/evaluation.csv")
    assert [(row["direction"], row["score"], row["strength"]) for row in rows] == [
        ("smile", "lightness", "-2.0"),
        ("smile", "lightness", "2.0"),
        ("other", "lightness", "-2.0"),
        ("other", "lightness", "2.0"),
    ]
    assert all(float(row["intended"]) for row in rows)
    values = json.loads(Path("report/evaluation.json").read_text())
    assert values["settings"]["scorer"] == "colour-1"
    assert [one["direction"] for one in values["directions"]] == ["smile", "other"]
    width, height = Image.open("report/pictures.png").size
    assert width > 3 * 256
    assert height > 2 * 256
    assert Image.open("report/plots.png").width > 1000


def test_a_model_without_faces_has_no_scores_of_faces(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "-d", "smile", "--no-figure", "--features", "none", "--codes", "2", *MODEL]) == 2
    assert "No face was found in eight pictures of 'small', and the scorer 'faces' measures" in one_sentence(capsys)
    assert not Path("evaluation").exists()


def test_known_directions_are_the_default_and_style_channels_fit_in(folder: Path) -> None:
    assert main(["discover", "-m", "stylespace", "-n", "1", "--samples", "2", "--mask", str(_mask()), *MODEL]) == 0
    assert main(["evaluate", "--no-figure", *QUICK]) == 0
    rows = _rows("evaluation/evaluation.csv")
    assert {row["direction"] for row in rows} == {"smile"}
    command = ["evaluate", "-d", "stylespace-00.safetensors", "--no-figure", "--out", "s", "--strengths", "1", "3"]
    assert main([*command, *QUICK]) == 0
    assert {path.name for path in (folder / "s").iterdir()} == {
        "evaluation.txt",
        "evaluation.csv",
        "evaluation.json",
    }
    rows = _rows("s/evaluation.csv")
    assert [row["strength"] for row in rows] == ["1.0", "2.0", "3.0"]


def _rows(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(path).read_text().splitlines()))


def _mask() -> Path:
    pixels = np.zeros((16, 16), np.uint8)
    pixels[:8] = 255
    Image.fromarray(pixels).save("top.png")
    return Path("top.png")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-d", "smile", "--score", "tall"], "There is no score 'tall'; colour has lightness"),
        (["-d", "smile", "--score", "contrast", "--score", "redness"], "1 direction came with 2 scores"),
        (["--score", "contrast"], "A --score needs the --direction"),
        (["-d", "smlie"], "did you mean smile?"),
        (["-d", "smile", "--strengths", "1", "1"], "has no width"),
        (["-d", "smile", "--layers", "99"], "99"),
        (["-d", "smile", "--out", "report.csv"], "takes a folder"),
        (["-d", "smile", "--scorer", "scores.csv"], "scores no new picture"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("scores.csv").write_text("seed,tall\n0,1\n")
    assert main(["evaluate", *QUICK, "--no-figure", *words]) == 2
    assert said in one_sentence(capsys)


def test_a_report_is_not_replaced_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--no-figure", *QUICK]) == 0
    before = Path("evaluation/evaluation.txt").read_bytes()
    assert main(["evaluate", "--no-figure", "--codes", "4", *QUICK]) == 2
    capsys.readouterr()
    assert main(["evaluate", "--no-figure", *QUICK, "--seed", "3", "--overwrite"]) == 0
    assert Path("evaluation/evaluation.txt").read_bytes() != before
    assert not torch.is_inference_mode_enabled()
