"""Tables of strangers, CSV and Parquet: their size in memory is known before they are parsed."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.reading.budget import check_declared
from stylegan_latents.generator.reading.files import DamagedFileError, open_regular, read_regular, refusing_damage

_ROW, _CELL = 240, 40
_LARGEST, _MOST_COLUMNS = 1 << 28, 10_000


def read_csv(
    path: str | os.PathLike[str], *, encoding: str = "utf-8-sig", errors: str = "strict"
) -> tuple[tuple[str, ...], list[tuple[int, dict[str, str]]]]:
    """The header, and the number and the cells by column of every line; further cells stand under ``""``.

    Args:
        path: the file.
        encoding, errors: see ``bytes.decode``.

    Raises:
        InputError: it cannot be read, or is no CSV.
    """
    name = Path(path).name
    data = read_regular(path, largest=_LARGEST)
    lines = max(data.count(b"\n"), data.count(b"\r"))
    check_declared(name, _ROW * lines + _CELL * data.count(b","), len(data))
    try:
        reader = csv.DictReader(io.StringIO(data.decode(encoding, errors), newline=""), restkey="", restval="")
        header = [column.strip() for column in reader.fieldnames or ()]
        if len(header) * lines > 4 * len(data) + (1 << 20):
            raise DamagedFileError(f"{printable(name)} has far more columns than cells.")
        reader.fieldnames = header
        return tuple(header), [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DamagedFileError(f"{printable(name)} cannot be read as a CSV: {printable(str(error))}.") from error


def read_parquet(path: str | os.PathLike[str]) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """The names of the columns, and the rows by column; needs pyarrow.

    Raises:
        InputError: it cannot be read, or is no Parquet file.
    """
    from pyarrow import parquet

    name = Path(path).name
    with refusing_damage(path), open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        table = parquet.ParquetFile(file, memory_map=False)
        about = table.metadata
        if about.num_columns > _MOST_COLUMNS:
            raise InputError(f"{printable(name)} has {about.num_columns:,} columns, more than are read.")
        check_declared(name, about.num_rows * (_ROW + _CELL * about.num_columns), size)
        check_declared(name, sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups)), size)
        rows = table.read(use_threads=False)
        if rows.num_rows != about.num_rows:
            raise DamagedFileError(f"{printable(name)} is damaged: it has other rows than it says.")
        columns: Sequence[str] = rows.column_names
        return tuple(columns), rows.to_pylist()
