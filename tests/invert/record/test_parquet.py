"""The records of a folder as one table."""

import math
from pathlib import Path

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert import read_records
from stylegan_latents.invert.record.source import Source
from tests.small_models import small_generator, small_record

pytest.importorskip("pyarrow")


def test_records_become_rows_with_codes_metrics_and_settings(tmp_path: Path) -> None:
    G = small_generator()
    pair = small_record(G, 2, metrics={"lpips_alex": [0.25, math.nan]}, settings={"steps": 3, "crop": [1, 2]})
    pair.save(tmp_path / "pair.inversion.safetensors")
    source = Source("one\udcff.jpg", "00", tmp_path / "one\udcff.jpg")
    one = small_record(G, settings={"steps": 0.5, "crop": None, "fast": True}, sources=[source])
    one.save(tmp_path / "one.inversion.safetensors")
    table = read_records(tmp_path)
    rows = table.to_pylist()
    assert [(Path(row["record"]).name.split(".")[0], row["image"]) for row in rows] == [
        ("one", 0), ("pair", 0), ("pair", 1),
    ]  # fmt: skip
    assert [row["code"] for row in rows] == [*one.ws.tolist(), *pair.ws.tolist()]
    assert [row["metrics.lpips_alex"] for row in rows] == [0.1, 0.25, None]
    assert [row["settings.steps"] for row in rows] == [0.5, 3.0, 3.0]
    assert [row["settings.crop"] for row in rows] == [None, "[1, 2]", "[1, 2]"]
    assert [row["settings.fast"] for row in rows] == [True, None, None]
    assert [row["photo"] is None for row in rows] == [False, True, True]
    assert {row["fingerprint"] for row in rows} == {G.fingerprint}


def test_a_table_goes_through_parquet_to_pandas_and_polars(tmp_path: Path) -> None:
    from pyarrow import parquet

    record = small_record(small_generator())
    record.save(tmp_path / "me.inversion.safetensors")
    table = read_records(tmp_path)
    parquet.write_table(table, tmp_path / "all.parquet")
    back = parquet.read_table(tmp_path / "all.parquet")
    assert back.equals(table)
    frame = pytest.importorskip("pandas").DataFrame
    assert isinstance(back.to_pandas(), frame)
    codes = pytest.importorskip("polars").from_arrow(back)["code"]
    assert codes.to_list() == record.ws.tolist()


def test_a_folder_without_records_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="that `invert` wrote"):
        read_records(tmp_path)
