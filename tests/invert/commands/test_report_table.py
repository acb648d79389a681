import csv
import math
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.report_table import COLUMNS, Report, check_report


def _add(report: Report, photo: str, method: str, lpips: float, seconds: float = 3.0, options: str = "") -> None:
    picture = report.path.with_name(f"{photo}.{method}.png")
    Image.new("RGB", (40, 40), (200, 30, 30)).save(picture)
    report.add(
        photo=photo,
        method=method,
        quality="good",
        seconds=seconds,
        metrics={"lpips_alex": lpips, "psnr": 20.0, "identity": math.nan},
        picture=picture,
        crop=Image.new("RGB", (64, 64), (30, 30, 200)),
        options=options,
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_rows_and_medians_of_several_runs_are_one_table(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    first = Report(path)
    for photo, lpips in (("a.jpg", 0.1), ("b.jpg", 0.2), ("c.jpg", 0.6)):
        _add(first, photo, "optimize", lpips)
    assert first.write() == [path, path.with_suffix(".png")]
    second = Report(path)
    _add(second, "a.jpg", "pivotal", 0.01, seconds=60)
    _add(second, "c.jpg", "optimize", 0.4, seconds=math.nan)
    second.write()
    rows = _rows(path)
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 4 + 2
    medians = {row["method"]: row for row in rows if row["photo"] == "(median)"}
    assert medians["optimize"]["lpips_alex"] == "0.2"
    assert medians["pivotal"]["seconds"] == "60"
    assert medians["optimize"]["identity"] == ""
    # What was there already keeps the time that it took.
    assert next(row["seconds"] for row in rows if row["photo"] == "c.jpg") == "3.000"
    picture = Image.open(path.with_suffix(".png")).convert("RGB")
    colours = {colour for _, colour in picture.getcolors(1_000_000) or []}
    assert {(200, 30, 30), (30, 30, 200)} <= colours


def test_a_report_may_be_parquet_and_goes_on(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "table.parquet"
    first = Report(path)
    _add(first, "a.jpg", "optimize", 0.125)
    first.write()
    second = Report(path)
    _add(second, "b\udcff.jpg", "optimize", 0.25, seconds=math.nan)
    assert second.write() == [path, path.with_suffix(".png")]
    third = Report(path)
    _add(third, "b\udcff.jpg", "optimize", 0.5)
    third.write_table()
    table = parquet.read_table(path)
    assert tuple(table.column_names) == COLUMNS
    assert table.column("lpips_alex").to_pylist() == [0.125, 0.5]
    assert table.column("identity").to_pylist() == [None, None]
    assert [str(field.type) for field in table.schema][-2:] == ["double", "string"]


def test_tables_of_several_runs_are_joined_once_each(tmp_path: Path) -> None:
    first, second, joined = (Report(tmp_path / name) for name in ("1.csv", "2.csv", "all.csv"))
    _add(first, "a.jpg", "optimize", 0.1)
    _add(second, "a.jpg", "optimize", 0.2)
    _add(second, "b.jpg", "optimize", 0.3)
    joined.merge(first)
    joined.merge(second)
    assert [row["lpips_alex"] for row in joined.rows.values()] == ["0.2", "0.3"]
    other = Report(tmp_path / "elsewhere" / "3.csv")
    other.path.parent.mkdir()
    _add(other, "b.jpg", "optimize", 0.4)
    with pytest.raises(InputError, match=r"another 'b\.jpg' than the tables before"):
        joined.merge(other)


def test_options_make_rows_and_medians_of_their_own(tmp_path: Path) -> None:
    report = Report(tmp_path / "table.csv")
    _add(report, "a.jpg", "pivotal", 0.1)
    _add(report, "a.jpg", "pivotal", 0.3, options="weights low-rank")
    report.write()
    rows = _rows(report.path)
    assert {(row["options"], row["lpips_alex"]) for row in rows} == {("", "0.1"), ("weights low-rank", "0.3")}
    assert len(rows) == 2 + 2


def test_a_report_from_before_there_were_options_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    old = [name for name in COLUMNS if name != "options"]
    values = {"photo": "a.jpg", "method": "optimize", "quality": "good", "lpips_alex": "0.2", "picture": "a.png"}
    path.write_text("\n".join([",".join(old), ",".join(values.get(name, "") for name in old), ""]))
    report = Report(path)
    _add(report, "a.jpg", "optimize", 0.1)
    report.write()
    assert [row["lpips_alex"] for row in _rows(path)] == ["0.1", "0.1"]


def test_a_report_may_go_into_a_folder_that_is_still_to_be_made(tmp_path: Path) -> None:
    check_report(tmp_path / "new" / "table.csv")
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file"):
        check_report(tmp_path / "file" / "table.csv")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("table.txt", None, "end the name with .csv"),
        ("table.csv", "x,y\n1,2\n", "another table"),
        ("table.parquet", "x,y\n1,2\n", "cannot be read"),
        ("table.csv", ",".join(COLUMNS) + "\na,b,c,,fast,,,,,,,,\n", "cannot be read"),
    ],
)
def test_what_is_no_report_is_refused_and_kept(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=words):
        check_report(path)
    assert content is None or path.read_text() == content


def test_a_photo_of_the_reports_name_is_not_replaced_by_its_picture(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "me.png")
    with pytest.raises(InputError, match=r"me\.png exists already"):
        check_report(tmp_path / "me.csv")
