"""Who a face is, as numbers that a step can be asked to leave alone: dlib's descriptor of it (King 2017)."""

from typing import TYPE_CHECKING

import numpy as np

from editing.discovery.scorer import Array, to_pixels

if TYPE_CHECKING:
    from torch import Tensor

_NUMBERS = 128


class LikenessScorer:
    """The 128 numbers of :class:`invert.identity.Identity` for faces aligned as FFHQ's.

    The euclidean length of their change is the identity distance. Landmarks are read in a fixed box, without a
    detector, as aligned faces are always in the same place.
    """

    names = tuple(f"likeness-{number:03d}" for number in range(_NUMBERS))
    version = "dlib-likeness-1"

    def __call__(self, images: "Tensor") -> Array:
        """Embed aligned faces.

        Args:
            images: float32 ``[N, 3, H, W]`` in [-1, 1]; 256 pixels a side are enough.

        Returns:
            float64 ``[N, 128]``.

        Raises:
            InputError: a model cannot be fetched.
        """
        from PIL import Image

        from invert.faces import Face, landmarks_of
        from invert.identity import Identity
        from invert.landmarks import aligned_box

        identity = Identity()
        rows = np.empty((len(images), _NUMBERS))
        for row, picture in zip(rows, to_pixels(images), strict=True):
            box = aligned_box(len(picture))
            landmarks = landmarks_of(picture, box)
            row[:] = (
                np.nan
                if landmarks is None
                else identity.embed_face(Image.fromarray(picture), Face(box, landmarks, 1.0))
            )
        return rows
