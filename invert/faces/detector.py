"""The interface of face detectors, and the choice among detected faces.

A new detector is a class with the method ``find``, in a file of its own beside this one. Pass it as ``detector=``
to ``find_faces``, ``require_faces`` and, for films, ``look_for_faces``.
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
        box: a square around brows, mouth and chin.
        landmarks: in pixels of the picture.
        score: the detector's confidence, on its own scale; dlib's is about 0.3 for a dim face and above 1 for a
            clear one.
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
    """Finds faces and their landmarks. Only ``find`` has to be defined."""

    def find(self, image: Image.Image) -> list[Face]:
        """All faces in a picture of any size and mode, largest first."""
        ...

    def follow(self, image: Image.Image, before: Face) -> Face | None:
        """The same face in the next frame of a film; None if no face overlaps with its last box."""
        near = [face for face in self.find(image) if overlap(face.box, before.box) > 0.4]
        return max(near, key=lambda face: overlap(face.box, before.box), default=None)

    def read_crop(self, crop: Image.Image) -> Landmarks | None:
        """The landmarks of the largest face in a small aligned crop; None if there is none."""
        faces = self.find(crop)
        return faces[0].landmarks if faces else None

    def no_face_message(self, image: Image.Image, name: str) -> str:  # noqa: ARG002
        """The error message for a picture in which ``find`` found no face."""
        return no_face(name)


def no_face(name: str) -> str:
    """The error message for a picture called ``name`` without a face."""
    return (
        f"No face was found in {name}; use a larger, upright, frontal and evenly lit photo, --landmarks to say "
        "where eyes and mouth are, or --no-align when it is an aligned crop already or shows something else."
    )


def choose_faces(faces: list[Face], which: str) -> list[Face]:
    """Choose faces as ``--face`` does.

    Args:
        faces: of one picture.
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
    """Intersection of two boxes as a fraction of the smaller one."""
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, two))
    return max(width, 0.0) * max(height, 0.0) / max(smaller, 1e-9)
