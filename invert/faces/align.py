"""Aligning a photo as FFHQ's were: the crop, the transform it was made with, and a crop without a face.

The crop's geometry and its treatment of the photo's border are those of FFHQ (Karras et al. 2019,
appendix A); generators and encoders trained on FFHQ know faces at this place only.

Coordinates are in pixels of the photo; a pixel's centre has whole-numbered coordinates, as in dlib, so
a photo of width w spans -0.5 to w - 0.5.
"""

import numpy as np
from PIL import Image

from stylegan_latents.invert.faces.detector import Face, choose_faces, find_faces, landmarks_of, require_faces
from stylegan_latents.invert.faces.landmarks import Box, aligned_box
from stylegan_latents.invert.photos.crop import Alignment, Array, _quarter_turn, crop_of, no_align

__all__ = [
    "Alignment",
    "Box",
    "Face",
    "align_face",
    "aligned_box",
    "choose_faces",
    "crop_of",
    "ffhq_quad",
    "find_faces",
    "landmarks_of",
    "no_align",
    "require_faces",
]


def ffhq_quad(landmarks: Array) -> Array:
    """The corners of FFHQ's crop, from the 68 landmarks.

    Args:
        landmarks: float64 ``[68, 2]`` in pixels of the photo.

    Returns:
        float64 ``[4, 2]``: top left, bottom left, bottom right, top right, in pixels of the photo.
    """
    left_eye, right_eye = landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)
    eyes = (left_eye + right_eye) / 2
    eye_to_eye = right_eye - left_eye
    # Points 48 and 54 are the corners of the mouth.
    eye_to_mouth = (landmarks[48] + landmarks[54]) / 2 - eyes
    across = eye_to_eye - _quarter_turn(eye_to_mouth)
    across *= max(2.0 * np.hypot(*eye_to_eye), 1.8 * np.hypot(*eye_to_mouth)) / np.hypot(*across)
    down = _quarter_turn(across)
    centre = eyes + 0.1 * eye_to_mouth
    return np.stack(
        [centre - across - down, centre - across + down, centre + across + down, centre + across - down]
    )


def align_face(image: Image.Image, face: Face, size: int) -> tuple[Image.Image, Alignment]:
    """Cut a face out of a photo as FFHQ's faces were cut.

    What lies outside the photo is filled by reflection, blurred and faded to the median colour. The crop is
    resampled at twice its final resolution with an antialiasing filter on both sides.

    Args:
        image: the upright photo.
        face: one of ``find_faces``.
        size: side of the crop in pixels.

    Returns:
        The crop, RGB, ``[size, size]``, and how it was made.
    """
    alignment = Alignment(ffhq_quad(face.landmarks), image.size, size, "ffhq")
    return crop_of(image, alignment), alignment
