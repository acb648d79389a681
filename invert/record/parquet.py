"""Results as tables for pandas, polars and databases: reports as Parquet, and the records of a folder."""

import json
import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.reading.tables import read_parquet as read_table
from stylegan_latents.invert.record.files import RECORD_SUFFIX

if TYPE_CHECKING:
    import pyarrow

    from stylegan_latents.invert.record.inversion import Inversion


def read_records(folder: str | os.PathLike[str]) -> "pyarrow.Table":
    """The records in a folder as one table, a row for each image: each photo, each frame of a film.

    ``polars.from_arrow(table)`` and ``table.to_pandas()`` take it on, ``pyarrow.parquet.write_table(table, path)``
    keeps it.

    Args:
        folder: its ``*.inversion.safetensors`` are read, by name.

    Returns:
        The columns ``record`` (the file), ``image`` (the row within it, from 0), ``photo`` (the photo's or film's
        path, null where it is not known), ``model``, ``fingerprint``, ``latent_space``, ``method``, ``version`` and
        ``code`` (a list of ``num_ws`` lists of ``w_dim`` float32). Then ``metrics.*``, a column for each measure,
        and ``settings.*``, one for each setting of any record: a number, a truth value or a text where all records
        agree on that, JSON otherwise. What a record does not have is null.

    Raises:
        InputError: pyarrow is not installed, the folder has no record, or one cannot be read.
    """
    pyarrow = import_pyarrow("A table of records")
    from stylegan_latents.invert.record.inversion import Inversion

    paths = sorted(Path(folder).glob(f"*{RECORD_SUFFIX}"))
    if not paths:
        raise InputError(f"There is no *{RECORD_SUFFIX} in {folder}; name the folder that `invert` wrote to.")
    rows: list[dict[str, Any]] = []
    codes = []
    for path in paths:
        record = Inversion.load(path)
        rows += _rows(path, record)
        codes += [_code(code.numpy()) for code in record.ws]
    fixed = ("record", "image", "photo", "model", "fingerprint", "latent_space", "method", "version")
    others = sorted({name for row in rows for name in row} - {*fixed})
    columns = {name: _column([row.get(name) for row in rows]) for name in (*fixed, *others)}
    return pyarrow.table(columns).add_column(len(fixed), "code", pyarrow.concat_arrays(codes))


def _rows(path: Path, record: "Inversion") -> Iterable[dict[str, Any]]:
    film = record.footage
    for image in range(len(record)):
        photo = film.source if film is not None else record.sources[image] if record.sources else None
        measured = {f"metrics.{name}": values[image] for name, values in record.metrics.items()}
        yield {
            "record": str(path),
            "image": image,
            "photo": None if photo is None else str(photo.path or photo.name),
            "model": record.model,
            "fingerprint": record.fingerprint,
            "latent_space": record.latent_space,
            "method": record.method,
            "version": record.version,
            **{name: value if math.isfinite(value) else None for name, value in measured.items()},
            **{f"settings.{name}": value for name, value in record.settings.items()},
        }


def _code(code: Any) -> "pyarrow.Array":
    """One code ``[num_ws, w_dim]`` as an array of one entry."""
    import pyarrow

    rows, width = code.shape
    values = pyarrow.array(code.reshape(-1))
    lines = pyarrow.LargeListArray.from_arrays(pyarrow.array(range(0, (rows + 1) * width, width)), values)
    return pyarrow.LargeListArray.from_arrays(pyarrow.array([0, rows]), lines)


def _column(values: Sequence[Any]) -> "pyarrow.Array":
    """One type for all: as they are, as numbers, or else as JSON."""
    import pyarrow

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pyarrow.array([None if value is None else float(value) for value in values])
    if len(kinds) <= 1 and not kinds & {list, dict}:
        return pyarrow.array([utf8(value) if isinstance(value, str) else value for value in values])
    return pyarrow.array([None if value is None else json.dumps(value, sort_keys=True) for value in values])


def write_parquet(path: Path, columns: Mapping[str, Sequence[str]], numbers: Collection[str]) -> None:
    """Write a table of texts, whole or not at all; a file that is there is replaced.

    Args:
        path: of the file.
        columns: each with its values; an empty one of a number becomes null.
        numbers: the columns that are kept as float64.

    Raises:
        InputError: it cannot be written.
    """
    import pyarrow
    from pyarrow import parquet

    def typed(name: str, values: Sequence[str]) -> "pyarrow.Array":
        if name in numbers:
            return pyarrow.array([float(value) if value else None for value in values], pyarrow.float64())
        return pyarrow.array([utf8(value) for value in values], pyarrow.string())

    table = pyarrow.table({name: typed(name, values) for name, values in columns.items()})
    # Opened here, as pyarrow takes no path that is not UTF-8.
    with atomic_path(path, overwrite=True) as temporary, temporary.open("wb") as file:
        parquet.write_table(table, file)


def read_parquet(path: Path) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """The names of the columns, and the rows as texts, with an empty one for null.

    Raises:
        InputError: it cannot be read.
    """
    columns, table = read_table(path)

    def text(value: object) -> str:
        return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)

    rows = [{name: text(value) for name, value in row.items()} for row in table]
    return columns, rows


def import_pyarrow(what: str) -> Any:
    """The package ``pyarrow``.

    Args:
        what: needs it, to begin the sentence with.

    Raises:
        InputError: it is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise InputError(f"{what} needs pyarrow: pip install 'stylegan-latents[tables]'.") from error
    return pyarrow


def utf8(text: str) -> str:
    """A text for Parquet: bytes of a file's name that are not UTF-8, which it refuses, become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
