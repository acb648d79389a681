"""Finds the record that a command's argument names."""

import difflib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.records.code_files import is_code_file, read_code
from stylegan_latents.generator.cli.progress import show_status
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.record.files import (
    PICTURE_SUFFIX,
    RECORD_SUFFIX,
    record_name,
    record_stem,
    records_by_age,
    result_stem,
)

if TYPE_CHECKING:
    from stylegan_latents.invert.record.inversion import Inversion


def read_record(named: str | Path | None) -> "tuple[Path, Inversion]":
    """Read the record that an argument names; its path is printed where it differs from the argument.

    Args:
        named: a record; a photo or its inverted picture, for its record in this folder or beside it; a folder,
            for its newest record that can be read; a code's file of another project (``read_code``); None for this
            folder's newest record.

    Raises:
        InputError: there is no such record, or it cannot be read.
    """
    named = None if named is None else Path(named)
    if named is not None and is_code_file(named):
        return read_code(named)
    path, inversion = (named, None) if named is not None and _is_record(named) else _found(named)
    if path != named:
        print(printable(f"Using {path}, the newest record here" if named is None else f"Using {path}"))
    return path, inversion or _load(path)


def _is_record(named: Path) -> bool:
    return named.name.endswith(".safetensors") and not named.is_dir()


def _found(named: Path | None) -> "tuple[Path, Inversion | None]":
    """The record of a photo, or of a folder, which is read to know that it can be."""
    if named is None or named.is_dir():
        return _newest_readable(named or Path())
    stems = dict.fromkeys([named.stem, result_stem(named.stem), named.name.removesuffix(PICTURE_SUFFIX)])
    beside = [folder / record_name(stem) for stem in stems for folder in (Path(), named.parent)]
    for record in beside:
        if record.is_file():
            return record, None
    if named.exists():
        raise InputError(f"{named} is no record; run `invert {shlex.quote(str(named))}` first.")
    raise InputError(f"There is no record {named}; {_hint(named)}")


def _hint(named: Path) -> str:
    """What to give in place of a record that does not exist."""
    here = {record_stem(path): path for path in named.parent.glob(f"*{RECORD_SUFFIX}")}
    near = difflib.get_close_matches(result_stem(named.stem), here, n=1)
    if near:
        return f"did you mean {here[near[0]]}?"
    return f"give a photo that was inverted, or a file that ends with {RECORD_SUFFIX}."


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
            print(printable(f"edit: skipped: {unreadable}"), file=sys.stderr)
        return record, inversion
    raise errors[0]


def _load(path: Path) -> "Inversion":
    with show_status("Reading the record"):
        # Imports PyTorch, which takes a while.
        from stylegan_latents.invert.record.inversion import Inversion
    return Inversion.load(path)


def model_of(path: Path, record: "Inversion") -> str:
    """A record's model for ``load``: its file, where it was, beside the record at ``path``, or here; or its name.

    Raises:
        InputError: it is in none of these places.
    """
    from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL, models

    name, file = record.model or DEFAULT_MODEL, record.model_file
    if file is not None:
        paths = (file, path.absolute().parent / file.name, Path(file.name))
        found = next((one for one in paths if one.exists()), None)
        if found is None:
            raise InputError(f"The model of {path} is not at {file} any more; give that model's file with --model.")
        return str(found)
    if name not in models() and not Path(name).exists() and not name.startswith("hf://"):
        raise InputError(
            f"{path} was made with the model '{name}', not with '{DEFAULT_MODEL}'; give that model's file with "
            "--model."
        )
    return name
