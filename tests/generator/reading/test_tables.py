from pathlib import Path

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.tables import read_csv, read_parquet


def test_lines_come_with_their_numbers_and_cells_by_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\ufeffseed, smile\n1,"two\nlines"\n2\n3,4,5\n', encoding="utf-8")
    header, rows = read_csv(path)
    assert header == ("seed", "smile")
    assert [number for number, _ in rows] == [3, 4, 5]
    assert [row["smile"] for _, row in rows] == ["two\nlines", "", "4"]
    assert rows[2][1][""] == ["5"]  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n\xff,1\n", "cannot be read as a CSV"),
        (b"a," * 50_000 + b"b\n" + b"1\n" * 500, "far more columns than cells"),
        (b"a,b\n" + b",\n" * 2_000_000, r"declares data of \d+ MB"),
    ],
)
def test_no_table_takes_far_more_memory_than_its_file(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_csv(tmp_path / "a.csv")


def test_parquet_is_read_and_bounded_by_its_rows(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"a": [1, 2], "b": ["x", None]}), tmp_path / "a.parquet")
    assert read_parquet(tmp_path / "a.parquet") == (("a", "b"), [{"a": 1, "b": "x"}, {"a": 2, "b": None}])
    parquet.write_table(pyarrow.table({"a": pyarrow.nulls(5_000_000)}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"b\.parquet declares data of 1\.4 GB"):
        read_parquet(tmp_path / "b.parquet")
