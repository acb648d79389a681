"""A differentiable identity loss on the features of dlib's face recognition network.

It keeps the identity of inversions (Richardson et al., "Encoding in Style", 2021, section 3.2). Each face is
cropped where its target has it.
"""

import copy
import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from stylegan_latents.encoders.face_recognition import MEAN_CORNERS, FaceRecognition, face_chips
from stylegan_latents.invert.faces.dlib_landmarks import to_dlib
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.crop import Array

_MARGIN = 0.25  # of the square that dlib crops, as in the network's training
_FINE = 64  # dlib's landmarks are integers; they are passed in this fraction of a pixel


@functools.cache
def _network() -> FaceRecognition:
    return FaceRecognition.load()


class FaceIdentity:
    """Identity loss of N images: the squared distance between face descriptors.

    Args:
        corners: ``[N, 3, 2]``, where the targets have their faces, as for ``face_chips``.
        has_face: ``[N]``; the loss of an image without a face is 0.
        network: None for dlib's, which is fetched once.

    Raises:
        InputError: the network cannot be fetched or read.
    """

    def __init__(self, corners: Tensor, has_face: Tensor, network: FaceRecognition | None = None) -> None:
        self.network = _network() if network is None else network
        self.corners, self.has_face = corners, has_face

    @classmethod
    def of_landmarks(cls, landmarks: Sequence[Landmarks | None], side: int) -> "FaceIdentity | None":
        """The loss for aligned crops with faces at these landmarks.

        Args:
            landmarks: of each crop, in its pixels; None for a crop without a face.
            side: of the crops, in pixels. Resized copies of them may be compared.

        Returns:
            None where no crop shows a face.

        Raises:
            InputError: the network cannot be fetched or read.
        """
        has_face = [points is not None for points in landmarks]
        if not any(has_face):
            return None
        nowhere = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        corners = [nowhere if points is None else chip_corners(points, side) for points in landmarks]
        return cls(torch.from_numpy(np.stack(corners)).float(), torch.tensor(has_face))

    def to(self, device: torch.device, dtype: torch.dtype) -> "FaceIdentity":
        """The same loss on a device, with convolutions in ``dtype``."""
        network = copy.deepcopy(self.network).to(device).in_precision(dtype)
        return FaceIdentity(self.corners.to(device), self.has_face.to(device), network)

    def __getitem__(self, image: int) -> "FaceIdentity":
        """The loss of one image alone."""
        rows = slice(image, image + 1)
        return FaceIdentity(self.corners[rows], self.has_face[rows], self.network)

    def features(self, images: Tensor) -> Tensor:
        """Descriptors, float32 ``[N, 128]``, of images ``[N, 3, H, H]`` in [-1, 1]."""
        descriptors: Tensor = self.network(face_chips(images, self.corners, self.network.side))
        return descriptors

    def distance(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """The squared euclidean distance ``[N]`` of descriptors: below 0.36 for the same person."""
        return (ours - theirs).square().sum(dim=1) * self.has_face


def chip_corners(landmarks: Landmarks, side: int) -> Array:
    """The corners, ``[3, 2]``, of dlib's face crop in an aligned crop of ``side`` pixels, as for ``face_chips``.

    Args:
        landmarks: in pixels of the crop. If some are missing, the mean face's corners are returned.
        side: of the crop.
    """
    if landmarks.missing:
        return np.array(MEAN_CORNERS)
    import dlib

    fine = landmarks.mapped(lambda points: (points + 0.5) * _FINE)
    chip = dlib.get_face_chip_details(to_dlib(fine, (0, 0, side * _FINE, side * _FINE)), size=150, padding=_MARGIN)
    low = np.array([chip.rect.left(), chip.rect.top()])
    high = np.array([chip.rect.right(), chip.rect.bottom()])
    turn = np.array([[np.cos(chip.angle), -np.sin(chip.angle)], [np.sin(chip.angle), np.cos(chip.angle)]])
    corners = np.array([low, [high[0], low[1]], [low[0], high[1]]])
    centre = (low + high) / 2
    return np.asarray((centre + (corners - centre) @ turn.T) / _FINE / side)
