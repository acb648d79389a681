"""Records on disk, by their names alone."""

from pathlib import Path

from generator.errors import InputError

RECORD_SUFFIX = ".inversion.safetensors"
"""What a record's file name ends with."""


def newest_record(folder: Path) -> Path:
    """The record that was written last in a folder.

    Raises:
        InputError: the folder holds none, or may not be read.
    """
    try:
        records = [(path.stat().st_mtime_ns, path) for path in folder.glob(f"*{RECORD_SUFFIX}")]
    except OSError as error:
        raise InputError(f"The folder {folder} may not be read: {error.strerror or error}.") from error
    if not records:
        raise InputError(
            f"There is no *{RECORD_SUFFIX} in this folder; run `invert PHOTO` first, or name a record."
        )
    return max(records)[1]


def record_stem(record: Path) -> str:
    """``me`` for ``me.inversion.safetensors``."""
    return record.name.removesuffix(RECORD_SUFFIX) if record.name.endswith(RECORD_SUFFIX) else record.stem
