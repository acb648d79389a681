"""What a face detector gives, and the choice among the faces that one found.

Another detector is a class with the method ``find``, in a file of its own beside this one. It is handed on as
``detector=`` to what looks for faces (``find_faces``, ``require_faces``, ``look_for_faces`` of films).
"""

from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.landmarks import Landmarks

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the picture."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture.

    Attributes:
        box: a square about brows, mouth and chin: (left, top, right, bottom) in pixels of the picture.
        landmarks: in pixels of the picture.
        score: the detector's confidence, on its own scale. dlib's is around 0.3 for a face that is hard to see and
            above 1 for a clear one.
    """

    box: Box
    landmarks: Landmarks
    score: float

    @property
    def size(self) -> float:
        """Side of the box in pixels."""
        return self.box[2] - self.box[0]


class NoFaceError(InputError):
    """No face was found."""


class FaceDetector(Protocol):
    """Finds faces and their landmarks. A subclass has to define ``find``; the rest follows from it."""

    def find(self, image: Image.Image) -> list[Face]:
        """Every face in a picture of any size and mode, largest first; empty when there is none."""
        ...

    def follow(self, image: Image.Image, before: Face) -> Face | None:
        """The same face in the next frame of a film; None where none overlaps with where it was."""
        near = [face for face in self.find(image) if overlap(face.box, before.box) > 0.4]
        return max(near, key=lambda face: overlap(face.box, before.box), default=None)

    def read_crop(self, crop: Image.Image) -> Landmarks | None:
        """The landmarks of the largest face of an aligned, small crop; None where there is none."""
        faces = self.find(crop)
        return faces[0].landmarks if faces else None

    def say_none(self, image: Image.Image, name: str) -> str:  # noqa: ARG002
        """The sentence for a picture in which ``find`` found nothing, and what to do about it."""
        return no_face(name)


def no_face(name: str) -> str:
    """The sentence for a picture called ``name`` in which there is no face."""
    return (
        f"No face was found in {name}; use a larger, upright, frontal and evenly lit photo, --landmarks to say "
        "where eyes and mouth are, or --no-align when it is an aligned crop already or shows something else."
    )


def choose_faces(faces: list[Face], which: str) -> list[Face]:
    """Pick faces as the command line names them.

    Args:
        faces: what a detector found.
        which: ``largest``; ``all``, from left to right; or a number counted from 0, from left to right.

    Raises:
        InputError: there is no face, no face of that number, or ``which`` is something else.
    """
    if not faces:
        raise NoFaceError(no_face("the photo"))
    from_left = sorted(faces, key=lambda face: face.box[0] + face.box[2])
    if which == "all":
        return from_left
    if which == "largest":
        return [max(faces, key=lambda face: face.size)]
    if not (which.isascii() and which.isdigit()):
        raise InputError(f"--face takes largest, all or a number counted from 0, not {which!r}.")
    if int(which) >= len(faces):
        count = "1 face, number 0" if len(faces) == 1 else f"{len(faces)} faces, numbers 0 to {len(faces) - 1}"
        raise InputError(f"There is no face number {which}: the photo shows {count}, counted from the left.")
    return [from_left[int(which)]]


def overlap(one: Box, two: Box) -> float:
    """Common area of two boxes as a fraction of the smaller one."""
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, two))
    return max(width, 0.0) * max(height, 0.0) / max(smaller, 1e-9)
