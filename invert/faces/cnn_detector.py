"""dlib's convolutional face detector, which also finds profiles and half hidden faces, in seconds on a CPU.

King, "Max-Margin Object Detection", 2015, with a small network. Landmarks are dlib's, which were trained on frontal
and half-turned faces: in a full profile those of the hidden side are guesses.
"""

import functools
from typing import Any

import numpy as np
from PIL import Image

from stylegan_latents.invert.faces.detector import Face, FaceDetector, overlap
from stylegan_latents.invert.faces.dlib_landmarks import read_landmarks

_SIDE = 1000  # pixels of the picture's long side; faces of 80 pixels are found there, of 40 at twice the side
_LEAST_SCORE = 0.4  # profiles score 0.6 and more


@functools.cache
def _network() -> Any:
    import dlib

    from stylegan_latents.generator.weights.zoo import fetch

    return dlib.cnn_face_detection_model_v1(str(fetch("dlib-cnn-faces")))


class CnnDetector(FaceDetector):
    """Finds faces from any side with dlib's network, which is loaded at first use.

    Where it finds none in the picture resized to ``max_side`` pixels, it looks again at twice that.
    """

    def __init__(self, max_side: int = _SIDE) -> None:
        self.max_side = max_side

    def find(self, image: Image.Image) -> list[Face]:
        """See ``FaceDetector``."""
        image = image.convert("RGB")
        found: list[Face] = []
        for side in (self.max_side, 2 * self.max_side):
            scale = side / max(image.size)
            size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
            copy = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
            for hit in _network()(np.asarray(copy), 0):
                edges = (hit.rect.left(), hit.rect.top(), hit.rect.right(), hit.rect.bottom())
                left, top, right, bottom = (float((edge + 0.5) / scale - 0.5) for edge in edges)
                box = (left, top, right, bottom)
                apart = all(overlap(box, other.box) < 0.4 for other in found)
                if hit.confidence >= _LEAST_SCORE and apart:
                    found.append(Face(box, read_landmarks(image, box), float(hit.confidence)))
            if found:
                break
        return sorted(found, key=lambda face: -face.size)
