import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.discovery.scorers.colour import ColourScorer
from stylegan_latents.editing.evaluation.evaluator import Contender
from stylegan_latents.editing.evaluation.inversions import editability
from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.invert.commands.report_table import Report
from tests.editing.command_folder import MODEL, G, enter_folder, one_sentence
from tests.small_models import small_record

FILL = ("evaluate", "--report", "table.csv", "--scorer", "colour", *MODEL)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    return enter_folder(tmp_path, monkeypatch)


class _Brightness:
    """Takes how bright a picture is for who it shows; the dark show nobody."""

    def __call__(self, picture: Image.Image) -> "np.ndarray | None":
        return np.array([np.asarray(picture, dtype=float).mean()])

    @staticmethod
    def distance(one: np.ndarray, two: np.ndarray) -> float:
        return float(np.abs(one - two)[0])


def _report() -> Report:
    report = Report(Path("table.csv"))
    for name, lpips in (("a", 0.1), ("b", 0.1), ("gone", 0.3), ("other-search", 0.4)):
        file = "a" if name == "other-search" else name
        report.add(
            photo=f"{name}.jpg",
            method="optimize",
            quality="good",
            seconds=1.0,
            metrics={"lpips_alex": lpips},
            picture=Path(f"{file}.inverted.png"),
        )
    return report


def test_an_inversion_is_edited_both_ways_and_compared_with_itself() -> None:
    direction = find_direction("smile", G)
    opened = OpenRecord(Path("a.inversion.safetensors"), generator=G)
    scorer, identity = ColourScorer(), _Brightness()
    counted: list[int] = []
    found = editability(
        opened,
        [Contender("smile", direction, "lightness")],
        scorer,
        np.full(5, 0.5),
        identity=identity,  # type: ignore[arg-type]
        count=lambda: counted.append(1),
    )
    pictures = [opened.edited([(direction, strength)]).picture for strength in (-2, 0, 2)]
    low, before, high = (identity(picture) for picture in pictures)
    assert low is not None
    assert before is not None
    assert high is not None
    distances = [identity.distance(before, low), identity.distance(before, high)]
    assert found["edit_identity"] == pytest.approx(np.mean(distances), rel=1e-3)
    assert found["edit_identity_worst"] == found["edit_identity"]
    # Lightness is from 0 to 1; from -2 to 2 are four steps of strength 1.
    scores = [scorer_of(scorer, picture) for picture in (pictures[0], pictures[2])]
    assert found["edit_change"] == pytest.approx((scores[1] - scores[0]) / 0.5 / 4, rel=1e-3)
    assert len(counted) == 2


def scorer_of(scorer: ColourScorer, picture: Image.Image) -> float:
    from stylegan_latents.invert.photos.files import to_tensor

    return float(scorer.score(to_tensor(picture))[0, 0])


def test_what_is_not_measured_is_not_a_number() -> None:
    opened = OpenRecord(Path("a.inversion.safetensors"), generator=G)
    found = editability(opened, [Contender("smile", find_direction("smile", G))], ColourScorer(), np.ones(5))
    assert all(math.isnan(value) for value in found.values())


def test_a_report_is_filled_in(capsys: pytest.CaptureFixture[str]) -> None:
    _report().write()
    assert main([*FILL, "-d", "smile", "--score", "lightness"]) == 0
    output = capsys.readouterr().out
    assert "2 of 4 rows have no record any more" in output
    assert "Wrote table.csv" in output
    rows = {row["photo"]: row for row in Report(Path("table.csv")).rows.values()}
    assert float(rows["a.jpg"]["edit_change"]) != float(rows["b.jpg"]["edit_change"])
    assert rows["gone.jpg"]["edit_change"] == ""
    # Its file holds another search's record now, which its measures tell.
    assert rows["other-search.jpg"]["edit_change"] == ""
    assert rows["a.jpg"]["edit_identity"] == ""  # nobody is looked for where faces are not scored
    assert rows["a.jpg"]["seconds"] == "1.000"


def test_a_new_search_is_to_be_measured_anew() -> None:
    report = _report()
    key = next(iter(report.rows))
    report.set_editability(key, {"edit_identity": 0.4, "edit_identity_worst": 0.5, "edit_change": 1.0})
    report.write_table()
    same: dict[str, Any] = {
        "photo": "a.jpg",
        "method": "optimize",
        "quality": "good",
        "metrics": {"lpips_alex": 0.1},
        "picture": Path("a.inverted.png"),
    }
    again = Report(Path("table.csv"))
    again.add(seconds=math.nan, **same)
    assert again.rows[key]["edit_identity"] == "0.4"
    assert again.medians()[0]["edit_identity"] == "0.4"
    again.add(seconds=2.0, **same)
    assert again.rows[key]["edit_identity"] == ""


def test_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FILL]) == 2
    assert "There is no report table.csv" in one_sentence(capsys)
    for options in (("--codes", "16"), ("--strengths", "-1", "1"), ("--no-figure",), ("--out", "elsewhere")):
        assert main([*FILL, *options]) == 2
        assert f"{options[0].replace('no-', '')} is for edits of samples" in one_sentence(capsys)
    report = _report()
    report.write()
    assert main([*FILL, "-d", "smile", "--score", "tall"]) == 2
    assert "There is no score 'tall'" in capsys.readouterr().err
    for name in ("a", "b"):
        small_record(G, metrics={}).save(f"{name}.inversion.safetensors", overwrite=True)
    assert main([*FILL]) == 2
    assert "None of the inversions in table.csv is there" in one_sentence(capsys)
