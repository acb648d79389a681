"""Finding faces, with dlib unless another detector is given."""

from PIL import Image

from stylegan_latents.invert.faces.detector import Face, FaceDetector, NoFaceError, choose_faces
from stylegan_latents.invert.faces.dlib_detector import DlibDetector
from stylegan_latents.invert.faces.landmarks import Landmarks

DLIB: FaceDetector = DlibDetector()


def find_faces(image: Image.Image, *, detector: FaceDetector = DLIB) -> list[Face]:
    """Find all faces in a photo of any size, largest first."""
    return detector.find(image)


def follow_face(image: Image.Image, before: Face, *, detector: FaceDetector = DLIB) -> Face | None:
    """Find the face ``before`` in the next frame of a film; None if no face overlaps with its box."""
    return detector.follow(image, before)


def landmarks_of_crop(crop: Image.Image, *, detector: FaceDetector = DLIB) -> Landmarks | None:
    """The landmarks of the largest face in an aligned crop, in its pixels; None if no face is found."""
    return detector.read_crop(crop)


def require_faces(
    image: Image.Image, which: str = "largest", name: str = "the photo", detector: FaceDetector = DLIB
) -> list[Face]:
    """Find and choose faces.

    Args:
        image: the photo.
        which: as for ``choose_faces``.
        name: of the photo in error messages.
        detector: dlib's by default.

    Raises:
        InputError: no face was found, or none of that number.
    """
    faces = detector.find(image)
    if not faces:
        raise NoFaceError(detector.no_face_message(image, name))
    return choose_faces(faces, which)
