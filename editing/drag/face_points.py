"""Where points of a face are in another picture of it, by its landmarks, which know nothing of a search.

Features follow what looks alike, and a face whose features were pulled about may look alike without being there. A
point near landmarks moves as they do, so a detector tells where it is to about a pixel of 1024.
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.invert.faces.detector import Face, FaceDetector, overlap
from stylegan_latents.invert.faces.find import DLIB, find_faces
from stylegan_latents.invert.photos.files import to_picture

# How far from a landmark a point is known by it, in distances between the eyes; landmarks of lips are as far apart.
_KNOWN_WITHIN = 0.12
# Overlap of boxes of the same face.
_SAME = 0.4


class FacePoints:
    """Finds points of a face again.

    Args:
        G: the generator that draws the face.
        ws: its code, ``[1, num_ws, w_dim]``.
        starts: the points, ``[n, 2]`` in fractions of the side.
        noise: see ``Generator.synthesize``.
        detector: of faces, dlib's by default.

    Attributes:
        known: whether each point is near a landmark, bool ``[n]``; all False if no face is found.
    """

    def __init__(
        self, G: Generator, ws: Tensor, starts: Tensor, noise: Noise = "const", detector: FaceDetector = DLIB
    ) -> None:
        self.G, self.noise, self.detector = G, noise, detector
        self.starts = starts.double().cpu()
        self.known = torch.zeros(len(starts), dtype=torch.bool)
        self.first = next(iter(find_faces(self._picture(ws), detector=detector)), None)
        if self.first is None:
            return
        left, right = self.first.landmarks.left_eye.mean(0), self.first.landmarks.right_eye.mean(0)
        unit = float(np.linalg.norm(left - right)) / G.resolution
        self.landmarks = self._landmarks(self.first)
        away = torch.cdist(self.starts, self.landmarks) / unit
        self.known = away.amin(dim=1) <= _KNOWN_WITHIN
        # Inverse distances (Shepard 1968): a landmark itself moves as the detector says.
        self.weights = torch.nn.functional.normalize((away + 1e-3) ** -4, p=1, dim=1)

    def find(self, ws: Tensor) -> Tensor | None:
        """The points in the picture of another code, float32 ``[n, 2]`` in fractions; None if the face is lost.

        Points that are not ``known`` are guesses.
        """
        if self.first is None:
            return None
        # In the whole picture, as the first time: landmarks depend on the box, by about a pixel of 1024.
        first = self.first.box
        faces = find_faces(self._picture(ws), detector=self.detector)
        now = max(faces, key=lambda face: overlap(face.box, first), default=None)
        if now is None or overlap(now.box, first) < _SAME:
            return None
        return (self.starts + self.weights @ (self._landmarks(now) - self.landmarks)).float()

    def _landmarks(self, face: Face) -> Tensor:
        return torch.from_numpy((face.landmarks.points + 0.5) / self.G.resolution)

    @torch.no_grad()
    def _picture(self, ws: Tensor) -> Image.Image:
        return to_picture(self.G.synthesize(ws, self.noise))[0]
