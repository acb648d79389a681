"""Which record a command means by what the user typed."""

import difflib
import sys
from pathlib import Path

from stylegan_latents.generator.cli.progress import show_status
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.record.files import RECORD_SUFFIX, records_by_age


def resolve_record(named: Path | None, words: tuple[str, ...] = ()) -> Path:
    """The record that a command means.

    Args:
        named: a record; a folder, for the newest that can be read; a photo, for the record made from it, here
            or beside it; None for the newest in this folder.
        words: names of commands, to suggest one for a misspelt one.

    Raises:
        InputError: there is no such record.
    """
    if named is None or named.is_dir():
        return _newest_readable(named or Path())
    if named.name.endswith(".safetensors"):
        return named
    beside = [folder / f"{named.stem}{RECORD_SUFFIX}" for folder in (Path(), named.parent)]
    for record in beside:
        if record.is_file():
            return record
    if named.exists():
        raise InputError(f"{named} is no record; run `invert {named}` first.")
    near = difflib.get_close_matches(str(named), words, n=1)
    hint = f"; did you mean `edit {near[0]}`?" if near else f"; give a file that ends with {RECORD_SUFFIX}."
    raise InputError(f"There is no record {named}{hint}")


def announced_record(named: Path | None, words: tuple[str, ...] = ()) -> Path:
    """As ``resolve_record``; said aloud where it is not what the user named."""
    path = resolve_record(named, words)
    if path != named:
        print(printable(f"Using {path}, the newest record here" if named is None else f"Using {path}"))
    return path


def _newest_readable(folder: Path) -> Path:
    """The newest record that can be read; newer ones that cannot are named on stderr."""
    records = records_by_age(folder)
    with show_status("Reading the record"):
        # PyTorch comes with it, which takes a while.
        from stylegan_latents.invert.record.inversion import Inversion

    errors: list[InputError] = []
    for record in records:
        try:
            Inversion.load(record)
        except InputError as error:
            errors.append(error)
            continue
        for unreadable in errors:
            print(printable(f"edit: skipped: {unreadable}"), file=sys.stderr)
        return record
    raise errors[0]
