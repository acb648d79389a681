from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.invert.record.inversion import Inversion
from tests.editing.command_folder import MODEL, enter_folder, new_files, one_sentence

RECORD = "a.inversion.safetensors"
POINTS = ("--from", "10,10", "--to", "20,10", "--steps", "3")


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_folder(tmp_path, monkeypatch)


def test_a_picture_and_a_record_are_written_and_edits_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drag", RECORD, *POINTS, "--sheet", *MODEL]) == 0
    assert new_files(folder) == {"a.dragged.png", "a.dragged.sheet.png"}
    printed = capsys.readouterr()
    assert "after 3 steps, and more steps may bring the points nearer; the points are at" in printed.out
    assert "a: step 3 of 3, 10 pixels to go" in printed.err
    made = Inversion.load("a.dragged.inversion.safetensors")
    assert made.method == "drag"
    assert made.settings["handles"] == [[10.0, 10.0, 20.0, 10.0]]
    assert not torch.equal(made.ws, Inversion.load(RECORD).ws)
    assert main(["a.dragged.inversion.safetensors", "-d", "smile", "-s", "0", "--out", "same.png", *MODEL]) == 0
    same, dragged = (np.asarray(Image.open(name)) for name in ("same.png", "a.dragged.png"))
    assert (same == dragged).all()
    assert main(["drag", RECORD, *POINTS, *MODEL]) == 2
    assert "a.dragged.png exists already" in capsys.readouterr().err


@pytest.mark.slow
def test_a_mask_and_several_points_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.pad(np.full((16, 32), 255, np.uint8), ((0, 16), (0, 0)))).save("mask.png")
    more = ("--from", "5,5", "--to", "5,9", "--mask", "mask.png", "--features", "8", "--layers", "coarse")
    assert main(["drag", RECORD, *POINTS, *more, "--out", "new/one.png", *MODEL]) == 0
    assert "outside" not in capsys.readouterr().err
    made = Inversion.load("new/one.inversion.safetensors")
    assert made.settings["resolution"] == 8
    before = Inversion.load(RECORD).ws
    moved = [row for row in range(before.shape[1]) if not torch.equal(made.ws[:, row], before[:, row])]
    assert moved == made.settings["rows"]


def test_a_point_outside_of_the_mask_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.pad(np.full((16, 32), 255, np.uint8), ((0, 16), (0, 0)))).save("mask.png")
    stays = ("--from", "3,31", "--to", "3,31")
    assert (
        main(["drag", RECORD, *POINTS, *stays, "--mask", "mask.png", "--from", "5,30", "--to", "5,9", *MODEL]) == 0
    )
    told = [line for line in capsys.readouterr().err.splitlines() if "outside" in line]
    assert told == ["edit drag: Warning: the point 5,30 is outside of the mask, which holds it back."]


def test_ctrl_c_keeps_the_code_so_far(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from stylegan_latents.editing.drag.search import Search

    step = Search.step

    def stop(search: Search) -> None:
        if search.done == 2:
            raise KeyboardInterrupt
        step(search)

    monkeypatch.setattr(Search, "step", stop)
    assert main(["drag", RECORD, *POINTS, *MODEL]) == 130
    assert "a.dragged.png" in new_files(folder)
    assert Inversion.load("a.dragged.inversion.safetensors").settings["steps"] == 2
    assert "Stopped." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Give points and their targets"),
        (["--from", "1,2"], "Each --from needs its --to: 1 came with 0"),
        (["--from", "1,2", "--to", "here"], "'here' is no point"),
        (["--from", "1,2", "--to", "1,nan"], "'1,nan' is no point"),
        (["--from", "1,2", "--to", "1,40"], "outside of the picture; x and y go from 0 to 31"),
        (["--from", "1,2", "--to", "1,2"], "No point is to move"),
        (["--from", "1,2", "--to", "3,2", "--layers", "99"], "99"),
        (["--from", "1,2", "--to", "3,2", "--features", "9"], "no features of 9 pixels"),
        (["--from", "1,2", "--to", "3,2", "--mask", "ears"], "'ears' is no region"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    folder: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drag", RECORD, *words, *MODEL]) == 2
    assert said in one_sentence(capsys)
    assert not new_files(folder)
