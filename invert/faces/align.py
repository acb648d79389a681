"""Alignment of faces as in FFHQ (Karras et al. 2019, appendix A), on which generators and encoders are trained.

Coordinates are in pixels of the photo; a pixel's centre has integer coordinates, as in dlib, so that a photo of
width w spans -0.5 to w - 0.5.
"""

import numpy as np
from PIL import Image

from stylegan_latents.invert.faces.detector import Face, choose_faces
from stylegan_latents.invert.faces.find import find_faces, require_faces
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.crop import Alignment, Array, crop_of, no_align, quarter_turn

__all__ = [
    "Alignment",
    "Face",
    "align_face",
    "choose_faces",
    "crop_of",
    "ffhq_quad",
    "find_faces",
    "no_align",
    "require_faces",
]


def ffhq_quad(landmarks: Landmarks) -> Array:
    """The corners of FFHQ's crop of one face (Karras et al. 2019, appendix A).

    The horizontal axis is the mean of the line between the eyes and the perpendicular to the line from eyes to
    mouth. Half the side is 2 times the distance between the eyes or 1.8 times that from eyes to mouth, whichever is
    larger; the centre lies a tenth of the way from the eyes to the mouth.

    Args:
        landmarks: in pixels of the photo; eyes and corners of the mouth are used.

    Returns:
        float64 ``[4, 2]``: top left, bottom left, bottom right, top right, in pixels of the photo.
    """
    left_eye, right_eye = landmarks.left_eye.mean(axis=0), landmarks.right_eye.mean(axis=0)
    eyes = (left_eye + right_eye) / 2
    eye_to_eye = right_eye - left_eye
    eye_to_mouth = (landmarks.mouth_corners[0] + landmarks.mouth_corners[1]) / 2 - eyes
    across = eye_to_eye - quarter_turn(eye_to_mouth)
    across *= max(2.0 * np.hypot(*eye_to_eye), 1.8 * np.hypot(*eye_to_mouth)) / np.hypot(*across)
    down = quarter_turn(across)
    centre = eyes + 0.1 * eye_to_mouth
    return np.stack(
        [centre - across - down, centre - across + down, centre + across + down, centre + across - down]
    )


def align_face(image: Image.Image, face: Face, size: int) -> tuple[Image.Image, Alignment]:
    """Crop a face as in FFHQ.

    What lies outside the photo is filled by reflection, blurred and faded to the median colour. The crop is
    resampled at twice its final resolution, with antialiasing.

    Args:
        image: the upright photo, of any size and mode.
        face: a face in that photo, detected or with landmarks placed by hand.
        size: side of the crop in pixels.

    Returns:
        The crop, RGB, ``[size, size]``, and its alignment.

    Raises:
        InputError: the crop lies wholly outside the photo.
    """
    alignment = Alignment(ffhq_quad(face.landmarks), image.size, size, "ffhq")
    return crop_of(image, alignment), alignment
