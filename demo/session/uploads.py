"""An uploaded photo with the faces in it, and one in which a face is still to be marked."""

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
        name: what the visitor's own file is called.
        faces: found in it; empty for a photo that is taken as it is.
        thumbnails: one for each face, or the photo's central square.
        largest: the number of the largest face.
        by_hand: whether the faces' landmarks were given by hand.
        reduced_to: width and height where it was too large and was made smaller; None where it is whole.
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
        """The faces' landmarks where they were given by hand; else none."""
        return [face.landmarks for face in self.faces] if self.by_hand else []

    def read(self) -> "Image":
        """The photo as a viewer shows it."""
        return read_photo(self.path)

    def face(self, number: int) -> "detector.Face | None":
        """The face of this number from the left; None for a photo that is taken as it is."""
        return self.faces[number] if self.faces else None

    def which(self, number: int) -> str | None:
        """What ``--face`` chooses this face by; None for a photo that is taken as it is."""
        if not self.faces:
            return None
        return "largest" if number == self.largest else str(number)

    def stem(self, number: int) -> str:
        """What a record of this face is called."""
        stem = Path(self.name).stem
        return f"{stem}.face{number}" if len(self.faces) > 1 else stem

    def source(self) -> Source:
        """The photo as a record names it: by the visitor's name for it, without the server's folder."""
        return dataclasses.replace(Source.of(self.path), name=self.name, path=None)


@dataclass(eq=False)
class Marking:
    """A photo in which no face was found, and where the visitor clicked to say where one is.

    Attributes:
        path, name: as of ``Photo``.
        size: (width, height) of the photo.
        shown: a small copy's file, which is clicked on.
        marks: up to four places in pixels of the photo.
        reduced_to: as of ``Photo``.
    """

    path: Path
    name: str
    size: tuple[int, int]
    shown: Path
    marks: list[tuple[float, float]] = field(default_factory=list)
    reduced_to: tuple[int, int] | None = None
