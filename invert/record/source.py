"""The photo or film that a record was made from, identified by its sha256."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.reading.files import open_regular


@dataclass(frozen=True)
class Source:
    """The file that was inverted.

    Attributes:
        name: the file's name, without folders.
        sha256: of the file's bytes, in hexadecimal.
        path: where the file was; records store it relative to their folder, so that both can move together. None if
            there is no relative path (another drive).
    """

    name: str
    sha256: str
    path: Path | None = None

    @staticmethod
    def of(photo: Path) -> "Source":
        """The source for an existing file; InputError if it cannot be read."""
        return Source(photo.name, _file_sha256(photo), photo.absolute())

    def find(self, *folders: Path) -> Path | None:
        """The unchanged file at its path or in one of ``folders``; None if there is none."""
        paths = [*([self.path] if self.path else []), *(folder / self.name for folder in folders)]
        return next((path for path in paths if self.is_copy(path)), None)

    def is_copy(self, path: Path) -> bool:
        """Whether this is the unchanged file, whatever its name; InputError if it cannot be read."""
        return path.is_file() and _file_sha256(path) == self.sha256

    def to_dict(self, folder: Path) -> dict[str, JSON]:
        """The values in the types of JSON, for a record in ``folder``."""
        return {"name": self.name, "sha256": self.sha256, "path": relative_path(self.path, folder)}

    @staticmethod
    def from_dict(values: dict[str, Any], folder: Path) -> "Source":
        """The inverse of ``to_dict``; KeyError or TypeError for missing or invalid values."""
        path = values["path"]
        absolute = None if path is None else Path(os.path.normpath(folder / path))
        return Source(str(values["name"]), str(values["sha256"]), absolute)


def relative_path(path: Path | None, folder: Path) -> str | None:
    """The path relative to ``folder``, with forward slashes; None between the drives of Windows."""
    if path is None:
        return None
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return None


def _file_sha256(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} may not be read: {error.strerror or error}.") from error
