"""How far drawn faces are from being the person of their targets, for a search to make small.

Losses on a face recognition network's features hold inversions to the person (Richardson et al., "Encoding in
Style", 2021, section 3.2). Here it is dlib's, and each face is looked at where its target has it.
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

_MARGIN = 0.25  # of the square that dlib cuts out, as in the network's training
_FINE = 64  # dlib's landmarks are whole numbers; these are given in so small parts of a pixel


@functools.cache
def _network() -> FaceRecognition:
    return FaceRecognition.load()


class FaceIdentity:
    """Descriptors of the faces of images, each where its target has it, and their squared distance.

    Args:
        corners: ``[N, 3, 2]``, where the faces are, as ``face_chips`` takes them.
        has_face: ``[N]``; an image without a face is at the distance 0 from everything.
        network: None for dlib's, which is fetched once.

    Raises:
        InputError: the network cannot be fetched or read.
    """

    def __init__(self, corners: Tensor, has_face: Tensor, network: FaceRecognition | None = None) -> None:
        self.network = _network() if network is None else network
        self.corners, self.has_face = corners, has_face

    @classmethod
    def of_landmarks(cls, landmarks: Sequence[Landmarks | None], side: int) -> "FaceIdentity | None":
        """The distance for aligned crops of ``side`` pixels with a face at these landmarks.

        Args:
            landmarks: of each crop, in its pixels; None for one that shows no face.
            side: of the images that the landmarks were found in. Other sides of the same images may be compared.

        Returns:
            None where there is no face at all.

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
        """The same distance on a device, with convolutions in ``dtype``."""
        network = copy.deepcopy(self.network).to(device).in_precision(dtype)
        return FaceIdentity(self.corners.to(device), self.has_face.to(device), network)

    def __getitem__(self, image: int) -> "FaceIdentity":
        """The distance of one image alone."""
        rows = slice(image, image + 1)
        return FaceIdentity(self.corners[rows], self.has_face[rows], self.network)

    def features(self, images: Tensor) -> Tensor:
        """Images ``[N, 3, H, H]`` in [-1, 1] to descriptors, float32 ``[N, 128]``."""
        descriptors: Tensor = self.network(face_chips(images, self.corners, self.network.side))
        return descriptors

    def distance(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """The squared euclidean distance ``[N]`` of descriptors: below 0.36 for the same person."""
        return (ours - theirs).square().sum(dim=1) * self.has_face


def chip_corners(landmarks: Landmarks, side: int) -> Array:
    """Where dlib cuts a face out of an aligned crop of ``side`` pixels, as ``face_chips`` takes it.

    Args:
        landmarks: in pixels of the crop. Where some are unknown, the place is that of the mean face.
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
