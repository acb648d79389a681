"""The files of one browser session, in one folder of bounded size."""

import itertools
import os
import re
import shutil
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

PREFIX = "stylegan-demo-"
MOST_BYTES = 500 << 20
_LONGEST_NAME, _LONGEST_STEM = 40, 140
_KEPT_PER_SLOT = 6
ANEW = "“Forget me” deletes everything and begins a new visit."
ENDED = "This visit has ended and its files are deleted; reload the page to begin a new one."


class VisitFiles:
    """A visit's folder.

    Args:
        folder: made with the first file, deleted with the visit.

    Attributes:
        closed: whether the visit has ended, so that nothing is written any more.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.closed = False
        self._numbers = itertools.count(1)
        self._slots: dict[str, list[Path]] = {}

    def new_path(self, stem: str, suffix: str, *, longest: int = _LONGEST_NAME) -> Path:
        """An unused path in the folder, whatever the stem contains, of which ``longest`` characters are kept.

        Raises:
            InputError: the visit has ended.
        """
        if self.closed:
            raise InputError(ENDED)
        own = self.folder / f"{next(self._numbers):04d}"
        own.mkdir(parents=True, exist_ok=True)
        return own / f"{clean_name(stem, longest)}{suffix}"

    def store(
        self,
        picture: "Image",
        slot: str,
        *,
        suffix: str = ".jpg",
        stem: str | None = None,
        most: int = _KEPT_PER_SLOT,
    ) -> str:
        """Write a picture for the page; the last ``most`` of each slot are kept.

        Args:
            picture: any RGB picture.
            slot: its purpose, such as ``preview``.
            suffix: ``.jpg`` is faster, ``.png`` exact.
            stem: of the file name, which a download takes; the slot by default.
            most: pictures kept of the slot.

        Returns:
            The path, as Gradio's components take it.
        """
        path = self.new_path(stem or slot, suffix, longest=_LONGEST_STEM)
        picture.save(path, quality=92, compress_level=4)  # each format takes its own
        return self.hold(path, slot, most)

    def hold(self, path: Path, slot: str, most: int = _KEPT_PER_SLOT) -> str:
        """Assign a file of ``new_path`` to a slot, whose oldest files are deleted; returns the path."""
        files = self._slots.setdefault(slot, [])
        files.append(path)
        while len(files) > most:
            shutil.rmtree(files.pop(0).parent, ignore_errors=True)
        return str(path)

    def take(self, upload: Path) -> Path:
        """Copy an uploaded file into the folder; the upload itself is deleted soon after.

        Raises:
            InputError: it is incomplete, the visit holds too much, or has ended.
        """
        self.check_room(upload.stat().st_size)
        path = self.new_path(upload.stem, upload.suffix.lower())
        try:
            shutil.copyfile(upload, path)
        except OSError as error:
            raise InputError("The upload did not arrive whole; upload the file again.") from error
        return path

    def check_room(self, more: int) -> None:
        """Raise InputError if there is no room for so many more bytes."""
        held = sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())
        if held + more > MOST_BYTES:
            raise InputError(f"This visit holds {MOST_BYTES >> 20} MB already; {ANEW}")

    def delete(self) -> None:
        """Delete everything, and refuse further writes."""
        self.closed = True
        shutil.rmtree(self.folder, ignore_errors=True)


def clean_name(text: str, longest: int = _LONGEST_NAME) -> str:
    """A name for files and the page: at most ``longest`` letters, digits and the signs ``_.+-``."""
    name = re.sub(r"[^\w.+-]+", "_", text).strip("._")[:longest]
    return name or "face"


def free_name(name: str, taken: Container[str]) -> str:
    """The name, with a number if it is taken."""
    if name not in taken:
        return name
    return next(f"{name}-{i}" for i in itertools.count(2) if f"{name}-{i}" not in taken)


def own_prefix() -> str:
    """Prefix of this process's folders."""
    return f"{PREFIX}{os.getpid()}-"
