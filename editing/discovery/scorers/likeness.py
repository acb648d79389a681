"""Who a face is, as numbers that a step can be asked to leave alone: dlib's descriptor of it (King 2017)."""

import functools
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.discovery.scorers.scorer import Array

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.encoders.face_recognition import FaceDistance

_NUMBERS = 128


@functools.cache
def _network() -> "FaceDistance":
    from stylegan_latents.encoders.face_recognition import FaceDistance

    return FaceDistance()


class LikenessScorer:
    """The 128 numbers of dlib's network for faces aligned as FFHQ's.

    The euclidean length of their change is the identity distance. Faces are cut out where they are on average, as
    aligned faces are always in the same place. The network is loaded at first use, once for the process.
    """

    names = tuple(f"likeness-{number:03d}" for number in range(_NUMBERS))
    version = "dlib-likeness-2"

    def __call__(self, images: "Tensor") -> Array:
        """Embed aligned faces.

        Args:
            images: float32 ``[N, 3, H, W]`` in [-1, 1]; 256 pixels a side are enough.

        Returns:
            float64 ``[N, 128]``.

        Raises:
            InputError: the network cannot be fetched.
        """
        import torch

        if not len(images):
            return np.empty((0, _NUMBERS))
        with torch.no_grad():
            numbers: Array = _network().features(images.float().cpu()).double().numpy()
        return numbers
