"""Paths of the files that a command writes, chosen and checked before the work."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_writable, shortened
from stylegan_latents.invert.record.files import record_name

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.invert.record.inversion import Inversion

_LONGEST_NAME = 200  # in bytes, of 255: names of files beside it are longer


def picture_target(out: Path | None, default: str, overwrite: bool) -> Path:
    """The picture's path: ``out``, ``default`` in that folder, or in this one.

    Raises:
        InputError: no picture is written with such a suffix, or one exists and may not be replaced.
    """
    from stylegan_latents.invert.photos.files import check_picture_suffix

    target = placed(out, default)
    check_picture_suffix(target)
    return free(target, overwrite)


@dataclass(frozen=True)
class EditedFiles:
    """The files that a search from a record writes: a picture with its record, and a sheet if it is wanted."""

    picture: Path
    record: Path
    sheet: Path | None
    overwrite: bool

    @classmethod
    def of(cls, opened: "OpenRecord", out: Path | None, default: str, *, sheet: bool, overwrite: bool) -> Self:
        """The paths for a picture, see ``picture_target``, with record and sheet beside it.

        Raises:
            InputError: a file exists and may not be replaced, or is what the record was made from.
        """
        picture = picture_target(out, default, overwrite)
        record = free(picture.with_name(record_name(picture.stem)), overwrite)
        files = cls(picture, record, sheet_target(picture, overwrite) if sheet else None, overwrite)
        for file in files:
            opened.check_output(file)
        return files

    def __iter__(self) -> Iterator[Path]:
        return iter([file for file in (self.picture, self.record, self.sheet) if file is not None])

    def write(self, record: "Inversion", picture: "Image", sheet: "Callable[[], Image]") -> None:
        """Write the files; the record first, as the picture can be made from it again."""
        from stylegan_latents.invert.photos.files import save_picture

        record.save(self.record, overwrite=self.overwrite)
        save_picture(picture, self.picture, overwrite=self.overwrite)
        if self.sheet is not None:
            save_picture(sheet(), self.sheet, overwrite=self.overwrite)


def sheet_target(picture: Path, overwrite: bool) -> Path:
    """The path of the before/after sheet beside a picture."""
    return free(picture.with_name(f"{shortened(picture.stem, _LONGEST_NAME)}.sheet.png"), overwrite)


def film_target(out: Path | None, default: str, overwrite: bool) -> Path:
    """The film's path; see ``picture_target``."""
    from stylegan_latents.invert.films.write import check_film

    target = placed(out, default)
    check_film(target, overwrite=overwrite)
    return target


def placed(out: Path | None, default: str) -> Path:
    """The user's ``out``; in a folder, or a path without a suffix, the default's name, shortened."""
    default = f"{shortened(Path(default).stem, _LONGEST_NAME)}{Path(default).suffix}"
    if out is None:
        return Path(default)
    return out / default if out.is_dir() or not out.suffix else out


def free(path: Path, overwrite: bool) -> Path:
    """The path, or InputError if the file may not be replaced or its folder is not writable."""
    check_writable(path.parent)
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; add --overwrite to replace it, or name another with --out.")
    return path


def file_name(parts: Sequence[str], suffix: str = ".png") -> str:
    """A file's name from its parts, ``me.mix.you-coarse.png``, safe on every file system.

    A name that is too long loses the end of its first part, so that different edits of one record differ in name.
    """
    first, *others = (re.sub(r"[^\w.+,-]+", "_", part) for part in parts)
    rest = shortened("".join(f".{other}" for other in others), _LONGEST_NAME // 2)
    return f"{shortened(first, _LONGEST_NAME - len(os.fsencode(rest)))}{rest}{suffix}"
