"""The photo that a record was made from, and how to know it again."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.json_values import JSON


@dataclass(frozen=True)
class Source:
    """The photo that was inverted.

    Attributes:
        name: the file's name, without folders.
        sha256: of the file's bytes, in hexadecimal.
        path: where the file was. A record on disk keeps it relative to itself, so that a folder can move as a
            whole; None when there is no such way (another drive).
    """

    name: str
    sha256: str
    path: Path | None = None

    @staticmethod
    def of(photo: Path) -> "Source":
        """Describe a photo that exists.

        Raises:
            InputError: it cannot be read.
        """
        return Source(photo.name, _file_sha256(photo), photo.absolute())

    def find(self, *folders: Path) -> Path | None:
        """The photo, where it was or in one of ``folders``; None when it is gone or changed."""
        places = [folder / self.name for folder in folders]
        for place in [self.path, *places] if self.path else places:
            if place.is_file() and _file_sha256(place) == self.sha256:
                return place
        return None

    def to_dict(self, folder: Path) -> dict[str, JSON]:
        """In the types of JSON, for a record in ``folder``; ``from_dict`` gives it back."""
        return {"name": self.name, "sha256": self.sha256, "path": relative_path(self.path, folder)}

    @staticmethod
    def from_dict(values: dict[str, Any], folder: Path) -> "Source":
        """Read what ``to_dict`` gave, from a record in ``folder``.

        Raises:
            KeyError, TypeError: something is missing or of another type.
        """
        path = values["path"]
        place = None if path is None else Path(os.path.normpath(folder / path))
        return Source(str(values["name"]), str(values["sha256"]), place)


def relative_path(path: Path | None, folder: Path) -> str | None:
    """A way from ``folder`` to ``path``, with forward slashes; None between the drives of Windows."""
    if path is None:
        return None
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return None


def _file_sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} may not be read: {error.strerror or error}.") from error
