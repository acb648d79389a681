"""Methods, masks, small faces and reports on the command line, with real searches on a small model."""

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from stylegan_latents.editing.commands.cli import main as edit
from stylegan_latents.invert.commands.cli import main
from stylegan_latents.invert.commands.report_table import Report
from stylegan_latents.invert.record.inversion import Inversion
from tests.invert.small_search import small_search  # noqa: F401
from tests.small_models import save_small_model

pytestmark = pytest.mark.usefixtures("small_search")
MODEL = ("--model", "../small.safetensors", "--device", "cpu")
RECORD = "me.inversion.safetensors"


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save_small_model(tmp_path)
    Image.linear_gradient("L").convert("RGB").save("me.png")
    Image.new("L", (256, 256), 0).save("mask.png")
    return tmp_path / "here"


def _run(*arguments: str) -> int:
    return main([*arguments, "--no-align", "--quality", "draft", *MODEL])


def _error(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_pivotal_writes_a_record_that_edit_draws(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("me.png", "--method", "pivotal", "--steps", "3", "--weights", "channels", "--quiet") == 0
    record = Inversion.load(RECORD)
    assert record.method == "pivotal"
    assert record.settings["form"] == "channels"
    assert record.weights is not None
    assert edit(["mix", RECORD, "seed:1", "--layers", "coarse", *MODEL]) == 0
    capsys.readouterr()
    assert _run("me.png", "--method", "pivotal", "--steps", "3", "--weights", "channels") == 0
    assert "Skipped 1 already done" in capsys.readouterr().out
    # Another method is another result, and is not written over this one unasked.
    assert _run("me.png", "--steps", "3") == 2
    assert "exists already" in _error(capsys)


def test_a_mask_is_part_of_what_a_record_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("me.png", "--steps", "3", "--mask", "mask.png", "--quiet") == 0
    assert Inversion.load(RECORD).settings["mask"]
    assert _run("me.png", "--steps", "3", "--mask", "mask.png") == 0
    assert "Skipped 1" in capsys.readouterr().out
    assert _run("me.png", "--steps", "3") == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Image.new("L", (256, 255)), "256x255 pixels and me.png 256x256"),
        (lambda: Image.new("L", (256, 256), 255), "white all over"),
        (None, "There is no mask mask.png"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(make: object, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    if callable(make):
        make().save("mask.png")
    else:
        Path("mask.png").unlink()
    assert _run("me.png", "--steps", "3", "--mask", "mask.png", "--quiet") == 2
    assert words in _error(capsys)
    assert not Path(RECORD).exists()


def test_a_mask_is_for_one_photo(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("me.png", "mask.png", "--mask", "mask.png") == 2
    assert "A mask is for one photo" in _error(capsys)


def test_a_low_resolution_is_kept_in_the_record() -> None:
    assert _run("me.png", "--steps", "3", "--low-resolution", "8", "--quiet") == 0
    assert Inversion.load(RECORD).settings["low_resolution"] == 8


def test_a_photo_without_a_face_may_be_a_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["me.png", "--steps", "3", "--quiet", *MODEL]) != 0
    assert "For a profile, add --detector cnn." in capsys.readouterr().err


def test_another_detector_is_for_aligned_photos(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("me.png", "--steps", "3", "--detector", "cnn", "--no-align") == 2
    assert "--detector is for faces that are aligned" in _error(capsys)


def test_a_report_over_methods(capsys: pytest.CaptureFixture[str]) -> None:
    for method in ("optimize", "pivotal"):
        arguments = ["me.png", "--method", method, "--steps", "3", "--out", method, "--report", "table.csv"]
        assert _run(*arguments) == 0
        assert "Wrote table.csv, table.png" in capsys.readouterr().out
    with Path("table.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == ["optimize", "pivotal", "optimize", "pivotal"]
    assert all(float(row["lpips_vgg"]) > 0 and float(row["seconds"]) > 0 for row in rows)
    assert {row["photo"] for row in rows} == {"me.png", "(median)"}
    assert Image.open("table.png").width > 3 * 256


def test_a_report_of_what_was_done_without_one_measures_it() -> None:
    Image.new("RGB", (256, 256), (10, 80, 200)).save("me.png")
    assert _run("me.png", "--steps", "2", "--quiet") == 0
    assert "lpips_vgg" not in Inversion.load(RECORD).metrics
    assert _run("me.png", "--steps", "2", "--quiet", "--report", "table.csv") == 0
    assert _run("me.png", "--steps", "2", "--quiet", "--out", "other", "--report", "other.csv") == 0
    late, early = (next(iter(Report(Path(name)).rows.values())) for name in ("table.csv", "other.csv"))
    assert late["lpips_vgg"]
    assert late["w_distance"]
    differ = {name for name in late if late[name] != early[name]}
    assert differ == {"seconds", "picture"}
    colours = {colour for _, colour in Image.open("table.png").convert("RGB").getcolors(1_000_000) or []}
    assert (10, 80, 200) in colours  # the photo itself


def test_a_report_that_cannot_be_written_is_told_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("me.png", "--report", "table.txt") == 2
    assert ".csv" in _error(capsys)
    assert not Path(RECORD).exists()


def test_what_must_not_change_is_told_to_tuning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from stylegan_latents.invert.inverters.pivotal import PivotalTuning

    told: list[Tensor] = []
    tune = PivotalTuning.tune

    def watched(self: PivotalTuning, *arguments: Any, **options: Any) -> Inversion:
        told.append(options["unchanged"])
        return tune(self, *arguments, **options)

    monkeypatch.setattr(PivotalTuning, "tune", watched)
    Image.new("L", (128, 256), 255).save("half.png")
    left = Image.new("L", (256, 256), 0)
    left.paste(255, (0, 0, 128, 256))
    left.save("left.png")
    options = ("--method", "pivotal", "--steps", "2", "--quiet")
    assert _run("me.png", *options, "--keep-unchanged", "half.png") == 2
    assert "128x256 pixels" in _error(capsys)
    assert _run("me.png", "--keep-unchanged", "left.png") == 2
    assert "add --method pivotal" in _error(capsys)
    assert _run("me.png", *options, "--keep-unchanged", "left.png") == 0
    assert Inversion.load(RECORD).settings["keep_unchanged"]
    assert told[0].shape == (1, 1, 32, 32)
    assert (told[0][..., :14] > 0.98).all()
    assert (told[0][..., 18:] < 0.02).all()
    assert _run("me.png", *options) == 2
    assert "exists already" in _error(capsys)


def test_a_search_with_little_memory_finds_the_same_code(folder: Path) -> None:
    codes = []
    for options in ((), ("--low-memory", "--overwrite")):
        assert _run("me.png", "--method", "optimize", "--steps", "4", "--precision", "float32", *options) == 0
        codes.append(Inversion.load(folder / RECORD).ws)
    assert torch.allclose(*codes, atol=1e-3)
