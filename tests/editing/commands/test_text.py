import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.text import image_text
from stylegan_latents.editing.text.image_text import OpenCLIP
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.locks import OutputLocks
from stylegan_latents.invert.record.inversion import Inversion
from tests.editing.command_folder import MODEL, enter_folder, new_files, one_sentence
from tests.editing.discovery.finders.test_text import ColourTexts

RECORD = "a.inversion.safetensors"
COMMAND = ("text", "a red picture", RECORD, "--steps", "8")


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(image_text, "OpenCLIP", lambda *_, **__: ColourTexts())
    return enter_folder(tmp_path, monkeypatch)


def test_a_picture_and_a_record_are_written_and_edits_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*COMMAND, "--sheet", *MODEL]) == 0
    assert new_files(folder) == {"a.text.a_red_picture.png", "a.text.a_red_picture.sheet.png"}
    made, first = (Inversion.load(f"{name}.inversion.safetensors") for name in ("a.text.a_red_picture", "a"))
    assert (made.method, made.settings["text"], made.settings["changed_from"]) == (
        "text",
        "a red picture",
        "optimize",
    )
    assert float(made.settings["fit"]) > float(made.settings["fit_before"])  # type: ignore[arg-type]
    assert not torch.equal(made.ws, first.ws)
    assert f"from {made.settings['fit_before']:.3f} to {made.settings['fit']:.3f}" in capsys.readouterr().out
    assert (
        main(["a.text.a_red_picture.inversion.safetensors", "-d", "smile", "-s", "0", "--out", "b.png", *MODEL])
        == 0
    )
    same, changed = (np.asarray(Image.open(name)) for name in ("b.png", "a.text.a_red_picture.png"))
    assert (same == changed).all()


def test_only_the_chosen_layers_move() -> None:
    assert main([*COMMAND, "--layers", "1-2", "--out", "new/one.png", *MODEL]) == 0
    made, before = Inversion.load("new/one.inversion.safetensors").ws, Inversion.load(RECORD).ws
    assert [row for row in range(6) if not torch.equal(made[:, row], before[:, row])] == [1, 2]


def test_ctrl_c_keeps_the_code_so_far(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stylegan_latents.editing.text.optimizer import TextOptimizer

    step, done = TextOptimizer._step, []

    def stop(search: TextOptimizer, *rest: object) -> None:
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt
        step(search, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(TextOptimizer, "_step", stop)
    assert main([*COMMAND, *MODEL]) == 130
    assert Inversion.load("a.text.a_red_picture.inversion.safetensors").settings["steps"] == 2
    assert "a.text.a_red_picture.png" in new_files(folder)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["text", " ", RECORD], "Give a text"),
        (["text", "a red picture", "missing"], "no record missing"),
        (["text", RECORD, "a red picture"], f"The text comes first: edit text 'a red picture' {RECORD}."),
        ([*COMMAND, "--learning-rate", "0"], "above 0"),
        ([*COMMAND, "--distance-weight", "-1"], "0 or above"),
        ([*COMMAND, "--layers", "99"], "99"),
        ([*COMMAND, "--weights", "nowhere.pt"], "no file nowhere.pt"),
        ([*COMMAND, "--weights", "folder/clip"], "no file folder/clip"),
        ([*COMMAND, "--out", "x.xyz"], ".xyz"),
        ([*COMMAND, "--learning-rate", "1e30"], "diverged"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main([*words, *MODEL]) == 2
    assert said in one_sentence(capsys)
    assert new_files(folder) == set()


def test_nothing_is_replaced_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.png").write_text("mine")
    assert main([*COMMAND, "--out", "x.png", *MODEL]) == 2
    assert "add --overwrite" in one_sentence(capsys)
    assert Path("x.png").read_text() == "mine"


def test_what_another_run_is_making_is_said_before_the_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(_locks: OutputLocks, target: Path) -> None:
        raise InputError(f"Another run is making {target}.")

    monkeypatch.setattr(OutputLocks, "take", taken)
    assert main([*COMMAND, *MODEL]) == 2
    assert "Another run is making a.text.a_red_picture.png" in one_sentence(capsys)
    assert main(["interpolate", RECORD, "seed:1", "--out", "x.gif", *MODEL]) == 2
    assert "Another run is making x.gif" in one_sentence(capsys)
    assert main(["discover", "-m", "sefa", "-n", "1", *MODEL]) == 2
    assert "Another run is making sefa-00.safetensors" in one_sentence(capsys)


def test_without_open_clip_it_is_said_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(image_text, "OpenCLIP", OpenCLIP)
    monkeypatch.setitem(sys.modules, "open_clip", None)
    assert main([*COMMAND, *MODEL]) == 2
    assert "pip install open_clip_torch" in one_sentence(capsys)
    assert new_files(folder) == set()
