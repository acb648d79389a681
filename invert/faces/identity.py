"""The identity distance between two faces, by dlib's face recognition.

A 29-layer residual network (King 2017, after He et al. 2016) maps a face to 128 numbers; faces of one person lie
within a euclidean distance of 0.6, which is right for 99.38 % of the pairs in Labeled Faces in the Wild.
"""

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylegan_latents.generator.ops.memory import return_freed_memory
from stylegan_latents.invert.faces.detector import Face
from stylegan_latents.invert.faces.dlib_landmarks import in_copy, release_predictor, surroundings, to_dlib
from stylegan_latents.invert.faces.find import find_faces

if TYPE_CHECKING:
    from torch import Tensor

Embedding = npt.NDArray[np.float64]
SAME_PERSON = 0.6
"""Largest distance between faces of the same person."""


@functools.cache
def _network() -> Any:
    import dlib

    from stylegan_latents.generator.weights.zoo import fetch

    return dlib.face_recognition_model_v1(str(fetch("dlib-face-recognition")))


def release_networks() -> None:
    """Free the memory of dlib's models, 0.1 GB, which are loaded again when they are needed."""
    _network.cache_clear()
    release_predictor()
    return_freed_memory()


class Identity:
    """Measures identity distances. The networks are loaded at first use, once per process."""

    def __call__(self, image: Image.Image) -> Embedding | None:
        """Embed the largest face of a picture: float64 ``[128]``, or None if no face is found."""
        faces = find_faces(image)
        return self.embed_face(image, faces[0]) if faces else None

    def embed_face(self, image: Image.Image, face: Face) -> Embedding:
        """Embed a detected face: float64 ``[128]``; InputError if landmarks are missing."""
        pixels, corner, scale = surroundings(image.convert("RGB"), face.box)
        landmarks = face.landmarks.mapped(lambda points: in_copy(points, corner, scale))
        left, top, right, bottom = in_copy(np.array(face.box).reshape(2, 2), corner, scale).ravel().tolist()
        shape = to_dlib(landmarks, (left, top, right, bottom))
        return np.array(_network().compute_face_descriptor(pixels, shape), dtype=np.float64)

    def embed_aligned(self, images: "Tensor") -> list[Embedding | None]:
        """Embed the face in each image of ``[N, 3, H, W]`` in [-1, 1]; None if none is found."""
        from stylegan_latents.invert.photos.files import to_picture

        return [self(picture) for picture in to_picture(images)]

    @staticmethod
    def distance(one: Embedding, two: Embedding) -> float:
        """Euclidean distance of two embeddings: below 0.6 for the same person."""
        return float(np.linalg.norm(one - two))
