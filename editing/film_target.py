"""Where a command's film goes, decided before the work."""

from pathlib import Path

from invert.film import check_film


def film_target(out: Path | None, default: str, overwrite: bool) -> Path:
    """Where the film goes; an ``out`` that is a folder, or has no suffix, takes it under its own name.

    Args:
        out: what the user asked for; None for ``default`` in this folder.
        default: a file's name.
        overwrite: whether an existing film may be replaced.

    Raises:
        InputError: no film is written with such a suffix, or one exists and may not be replaced.
    """
    target = Path(default) if out is None else out
    if out is not None and (out.is_dir() or not out.suffix):
        target = out / default
    check_film(target, overwrite=overwrite)
    return target
