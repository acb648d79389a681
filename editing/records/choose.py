"""Which record a command means by what the user typed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.records.code_files import is_code_file, read_code
from stylegan_latents.generator.cli.progress import show_status
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.files import RECORD_SUFFIX, records_by_age

if TYPE_CHECKING:
    from stylegan_latents.invert.record.inversion import Inversion


def read_record(named: str | Path | None) -> "tuple[Path, Inversion]":
    """Read the record that a command means; which one it is, is printed where the user did not name it.

    Args:
        named: a record; a code's file of another project (``read_code``); a folder, for the newest that can be
            read; a photo, for the record made from it, here or beside it; None for the newest in this folder.

    Raises:
        InputError: there is no such record, or it cannot be read.
    """
    named = None if named is None else Path(named)
    if named is not None and is_code_file(named):
        return read_code(named)
    path, inversion = (named, None) if named is not None and _is_record(named) else _found(named)
    if path != named:
        print(f"Using {path}, the newest record here" if named is None else f"Using {path}")
    return path, inversion or _load(path)


def resolve_record(named: Path | None) -> Path:
    """The path of the record that ``read_record`` reads.

    Raises:
        InputError: there is no such record.
    """
    return named if named is not None and (_is_record(named) or is_code_file(named)) else _found(named)[0]


def _is_record(named: Path) -> bool:
    return named.name.endswith(".safetensors") and not named.is_dir()


def _found(named: Path | None) -> "tuple[Path, Inversion | None]":
    """The record of a folder, which is read to know that it can be, or of a photo."""
    if named is None or named.is_dir():
        return _newest_readable(named or Path())
    beside = [folder / f"{named.stem}{RECORD_SUFFIX}" for folder in (Path(), named.parent)]
    for record in beside:
        if record.is_file():
            return record, None
    if named.exists():
        raise InputError(f"{named} is no record; run `invert {named}` first.")
    raise InputError(f"There is no record {named}; give a file that ends with {RECORD_SUFFIX}.")


def _newest_readable(folder: Path) -> "tuple[Path, Inversion]":
    """The newest record that can be read; newer ones that cannot are named on stderr."""
    errors: list[InputError] = []
    for record in records_by_age(folder):
        try:
            inversion = _load(record)
        except InputError as error:
            errors.append(error)
            continue
        for unreadable in errors:
            print(f"edit: skipped: {unreadable}", file=sys.stderr)
        return record, inversion
    raise errors[0]


def _load(path: Path) -> "Inversion":
    with show_status("Reading the record"):
        # PyTorch comes with it, which takes a while.
        from stylegan_latents.invert.record.inversion import Inversion
    return Inversion.load(path)
