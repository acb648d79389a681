"""Looking for faces, with dlib unless another detector is given."""

from PIL import Image

from stylegan_latents.invert.faces.detector import Face, FaceDetector, NoFaceError, choose_faces
from stylegan_latents.invert.faces.dlib_detector import DlibDetector
from stylegan_latents.invert.faces.landmarks import Landmarks

DLIB: FaceDetector = DlibDetector()


def find_faces(image: Image.Image, *, detector: FaceDetector = DLIB) -> list[Face]:
    """Find every face in a photo of any size.

    Returns:
        The faces, largest first; empty when there is none.
    """
    return detector.find(image)


def follow_face(image: Image.Image, before: Face, *, detector: FaceDetector = DLIB) -> Face | None:
    """Find the same face in the next frame of a film: where it was or close by.

    Args:
        image: the frame.
        before: the face in the frame before.
        detector: what looks for it.

    Returns:
        The face; None where there is none that overlaps with where it was.
    """
    return detector.follow(image, before)


def landmarks_of_crop(crop: Image.Image, *, detector: FaceDetector = DLIB) -> Landmarks | None:
    """The landmarks of the largest face of an aligned crop, in its pixels; None where no face is found."""
    return detector.read_crop(crop)


def require_faces(
    image: Image.Image, which: str = "largest", name: str = "the photo", detector: FaceDetector = DLIB
) -> list[Face]:
    """Find and choose faces; when there is none, say why as far as that can be known.

    Args:
        image: the photo.
        which: as in ``choose_faces``.
        name: what the message calls the photo, such as its file name.
        detector: what looks for them.

    Raises:
        InputError: no face was found, or none of that number.
    """
    faces = detector.find(image)
    if not faces:
        raise NoFaceError(detector.say_none(image, name))
    return choose_faces(faces, which)
