"""An uploaded photo with its faces, and one whose face is being marked."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.invert.photos.files import read_photo
from stylegan_latents.invert.record.source import Source

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.invert.faces import detector
    from stylegan_latents.invert.faces.landmarks import Landmarks


@dataclass(frozen=True, eq=False)
class Photo:
    """An upload in the visit's folder, with its faces from left to right.

    Attributes:
        path: the file.
        name: of the visitor's own file.
        faces: empty for a photo that is not aligned.
        thumbnails: one for each face, or the photo's central square.
        largest: number of the largest face.
        by_hand: whether the landmarks were marked by hand.
        reduced_to: (width, height) of a photo that was reduced; else None.
    """

    path: Path
    name: str
    faces: "list[detector.Face]"
    thumbnails: list[str]
    largest: int = 0
    by_hand: bool = False
    reduced_to: tuple[int, int] | None = None

    @property
    def landmarks(self) -> "list[Landmarks]":
        """The landmarks marked by hand; else none."""
        return [face.landmarks for face in self.faces] if self.by_hand else []

    @property
    def thumbnail(self) -> str:
        """The thumbnail of the largest face, if it is among them; else the last one."""
        return self.thumbnails[min(self.largest, len(self.thumbnails) - 1)]

    def read(self) -> "Image":
        """The photo, upright."""
        return read_photo(self.path)

    def face(self, number: int) -> "detector.Face | None":
        """The face of this number from the left; None for a photo that is not aligned."""
        return self.faces[number] if self.faces else None

    def which(self, number: int) -> str | None:
        """The value of ``--face`` for this face; None for a photo that is not aligned."""
        if not self.faces:
            return None
        return "largest" if number == self.largest else str(number)

    def stem(self, number: int) -> str:
        """The name of this face's record."""
        stem = Path(self.name).stem
        return f"{stem}.face{number}" if len(self.faces) > 1 else stem

    def source(self) -> Source:
        """The source for a record, with the visitor's file name and without the server's path."""
        return dataclasses.replace(Source.of(self.path), name=self.name, path=None)


@dataclass(eq=False)
class Marking:
    """A photo without a detected face, and the visitor's clicks that mark one.

    Attributes:
        path, name, reduced_to: as in ``Photo``.
        size: (width, height) of the photo.
        shown: file of the small copy that is clicked on.
        marks: up to four points in pixels of the photo.
    """

    path: Path
    name: str
    size: tuple[int, int]
    shown: Path
    marks: list[tuple[float, float]] = field(default_factory=list)
    reduced_to: tuple[int, int] | None = None
