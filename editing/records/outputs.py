"""Where a command's picture or film goes, decided before the work."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_writable, shortened
from stylegan_latents.invert.record.files import RECORD_SUFFIX

_LONGEST_NAME = 200  # in bytes; the rest of the 255 that a name may have is for what is made beside it


def picture_target(out: Path | None, default: str, overwrite: bool) -> Path:
    """Where the picture goes; an ``out`` without a suffix is a folder.

    Args:
        out: what the user asked for; None for ``default`` in this folder.
        default: a file's name.
        overwrite: whether an existing picture may be replaced.

    Raises:
        InputError: no picture is written with such a suffix, or one exists and may not be replaced.
    """
    from stylegan_latents.invert.photos.files import check_picture_suffix

    target = placed(out, default)
    check_picture_suffix(target)
    return free(target, overwrite)


@dataclass(frozen=True)
class EditedFiles:
    """What a search from a record writes: those that are asked for, in the order of ``iter``."""

    picture: Path
    record: Path
    sheet: Path | None

    @classmethod
    def beside(cls, picture: Path, *, sheet: bool, overwrite: bool) -> Self:
        """The record and the sheet beside a picture.

        Raises:
            InputError: one exists and may not be replaced.
        """
        record = free(picture.with_name(f"{picture.stem}{RECORD_SUFFIX}"), overwrite)
        figure = free(picture.with_name(f"{picture.stem}.sheet.png"), overwrite) if sheet else None
        return cls(picture, record, figure)

    def __iter__(self) -> Iterator[Path]:
        return iter([file for file in (self.picture, self.record, self.sheet) if file is not None])


def film_target(out: Path | None, default: str, overwrite: bool) -> Path:
    """Where the film goes, as ``picture_target`` for pictures.

    Raises:
        InputError: no film is written with such a suffix, or one exists and may not be replaced.
    """
    from stylegan_latents.invert.films.write import check_film

    target = placed(out, default)
    check_film(target, overwrite=overwrite)
    return target


def placed(out: Path | None, default: str) -> Path:
    """What the user asked for; an ``out`` that is a folder, or has no suffix, takes the default's name."""
    if out is None:
        return Path(default)
    return out / default if out.is_dir() or not out.suffix else out


def free(path: Path, overwrite: bool) -> Path:
    """Refuse, before the work, what could not be written after it.

    Raises:
        InputError: the file exists and may not be replaced, or its folder may not be written.
    """
    check_writable(path.parent)
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; add --overwrite to replace it, or name another with --out.")
    return path


def file_name(parts: Sequence[str], suffix: str = ".png") -> str:
    """A picture's or film's name from its parts, ``me.mix.you-coarse.png``.

    Letters that some file system does not take become underscores, and a long name is cut.
    """
    name = re.sub(r"[^\w.+,-]+", "_", ".".join(parts))
    return f"{shortened(name, _LONGEST_NAME)}{suffix}"
