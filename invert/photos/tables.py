"""Photos in image tables: WebDataset's ``.tar`` shards and Parquet files with a column of pictures.

A table is listed without reading its pictures; each is read when it is its turn.
"""

import contextlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.remote_files import open_file, read_address
from stylegan_latents.invert.photos.files import PHOTO_SUFFIXES

if TYPE_CHECKING:
    import pyarrow.parquet

TABLE_SUFFIXES = (".tar", ".parquet")
_PICTURE_COLUMNS = ("image", "img", "picture", "photo", "jpg", "jpeg", "png", "webp", "bytes")
_NAME_COLUMNS = ("path", "file_name", "filename", "name", "__key__", "key", "id")
_MOST_BYTES = 1 << 30
_ROWS_AT_ONCE = 8


class Origin(Protocol):
    """Where a photo is that has no file of its own on this machine."""

    def read(self) -> bytes:
        """The photo's bytes; InputError if they cannot be read."""


@dataclass(frozen=True, slots=True)
class AtAddress:
    """A photo at an address that fsspec reads."""

    address: str

    def read(self) -> bytes:
        """See ``Origin``."""
        return read_address(self.address)


@dataclass(frozen=True, slots=True)
class InTar:
    """A file in a shard, by its position."""

    table: str
    offset: int
    size: int

    def read(self) -> bytes:
        """See ``Origin``."""
        with open_file(self.table) as file:
            file.seek(self.offset)
            return file.read(self.size)


@dataclass(frozen=True, slots=True)
class InParquet:
    """A cell of a column of pictures, by its row group and its row in that."""

    table: str
    column: str
    group: int
    row: int

    def read(self) -> bytes:
        """See ``Origin``."""
        cell = _CURSOR.cell(self)
        data = cell.get("bytes") if isinstance(cell, dict) else cell
        if not isinstance(data, bytes):
            raise InputError(f"Row {self.row} of row group {self.group} of {self.table} holds no picture's bytes.")
        return data


def list_table(table: str) -> Iterator[tuple[str, Origin]]:
    """The photos of a table, in its order: the name of each, with a suffix where the table has one, and its place.

    Args:
        table: a path or an address that ends with one of ``TABLE_SUFFIXES``.

    Raises:
        InputError: it cannot be read, is compressed or damaged, or has no photo; or pyarrow is not installed.
    """
    found = _tar_members(table) if table.endswith(".tar") else _parquet_cells(table)
    first = next(found, None)
    if first is None:
        raise InputError(f"{table} holds no photo; give a table of JPEG or PNG pictures.")
    yield first
    yield from found


def _tar_members(table: str) -> Iterator[tuple[str, Origin]]:
    with open_file(table) as file:
        try:
            with tarfile.open(fileobj=file, mode="r:") as shard:
                for member in shard:
                    shard.members = []  # type: ignore[attr-defined]  # would hold every header
                    name = PurePosixPath(member.name).name
                    if not member.isreg() or member.issparse() or name.startswith("."):
                        continue
                    if PurePosixPath(name).suffix.lower() in PHOTO_SUFFIXES and 0 < member.size <= _MOST_BYTES:
                        yield name, InTar(table, member.offset_data, member.size)
        except tarfile.TarError as error:
            raise InputError(f"{table} is no .tar file, or compressed, or damaged ({error}); unpack it.") from error


def _parquet_cells(table: str) -> Iterator[tuple[str, Origin]]:
    with open_file(table) as file:
        parquet = _parquet(file, table)
        columns = parquet.schema_arrow
        column, inner = _picture_column(columns, table)
        names = next((name for name in _NAME_COLUMNS if name in columns.names), None)
        read = f"{column}.path" if inner else names
        number = 0
        for group in range(parquet.num_row_groups):
            rows = parquet.metadata.row_group(group).num_rows
            given: list[Any] = [None] * rows
            if read is not None:
                given = parquet.read_row_group(group, columns=[read]).column(0).to_pylist()
            for row, value in enumerate(given):
                value = value.get("path") if isinstance(value, dict) else value
                name = PurePosixPath(str(value)).name.lstrip(".") if value is not None else ""
                yield name or f"{PurePosixPath(table).stem}-{number:06d}", InParquet(table, column, group, row)
                number += 1


def _parquet(file: BinaryIO, table: str) -> "pyarrow.parquet.ParquetFile":
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(f'{table} needs pyarrow; run `pip install "stylegan-latents[tables]"`.') from error
    try:
        return pyarrow.parquet.ParquetFile(file)
    except pyarrow.ArrowException as error:
        raise InputError(f"{table} is no Parquet file, or is damaged; copy or download it again.") from error


def _picture_column(schema: "pyarrow.Schema", table: str) -> tuple[str, bool]:
    """The column of pictures, and whether it holds ``{bytes, path}``, as Hugging Face's do."""
    import pyarrow

    def holds(kind: pyarrow.DataType) -> bool:
        return bool(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind))

    found: dict[str, bool] = {}
    for one in schema:
        if holds(one.type):
            found[one.name] = False
        elif pyarrow.types.is_struct(one.type) and one.type.get_field_index("bytes") >= 0:
            found[one.name] = one.type.get_field_index("path") >= 0
    for name in (*_PICTURE_COLUMNS, *(found if len(found) == 1 else ())):
        if name in found:
            return name, found[name]
    raise InputError(
        f"{table} has no column of pictures' bytes, such as 'image', among {', '.join(schema.names)[:200]}."
    )


class _Cursor:
    """Reads cells one after another with a few rows in memory; a step back begins the row group again."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._at: InParquet | None = None
        self._rows: Iterator[Any] = iter(())

    def cell(self, wanted: InParquet) -> Any:
        at = self._at
        where = (wanted.table, wanted.column, wanted.group)
        if at is None or (at.table, at.column, at.group) != where or at.row >= wanted.row:
            self._begin(wanted)
            at = None
        ahead = wanted.row - (-1 if at is None else at.row) - 1
        self._at = None
        with _readable(wanted.table):
            for _ in range(ahead):
                next(self._rows)
            value = next(self._rows, None)
        self._at = wanted
        return value

    def _begin(self, wanted: InParquet) -> None:
        self._open.close()
        parquet = _parquet(self._open.enter_context(open_file(wanted.table)), wanted.table)
        batches = parquet.iter_batches(_ROWS_AT_ONCE, row_groups=[wanted.group], columns=[wanted.column])
        self._rows = (cell.as_py() for batch in batches for cell in batch.column(0))


@contextlib.contextmanager
def _readable(table: str) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, StopIteration) as error:
        raise InputError(f"{table} is damaged ({error}); copy or download it again.") from error


_CURSOR = _Cursor()
