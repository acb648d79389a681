"""Colours of whole pictures, for generators of any object."""

from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer, Unit, to_pixels

if TYPE_CHECKING:
    from torch import Tensor

_LUMA = np.array([0.299, 0.587, 0.114])
_UNITS = {
    "lightness": Unit("", 0, 1),
    "contrast": Unit("", 0, 0.5),
    "colourfulness": Unit("", 0),
    "redness": Unit("", -1, 1),
    "yellowness": Unit("", -1, 1),
}


class ColourScorer(Scorer):
    """Lightness, contrast, colourfulness, redness and yellowness of pictures.

    ``lightness`` is the mean and ``contrast`` the standard deviation of luma, from 0 to 1; ``colourfulness`` is
    Hasler & Süsstrunk's (2003); ``redness`` and ``yellowness`` are mean differences of red and green, and of
    their mean and blue.
    """

    names: tuple[str, ...] = ("lightness", "contrast", "colourfulness", "redness", "yellowness")
    version = "colour-1"
    units = _UNITS

    def score(self, images: "Tensor") -> Array:
        """Score pictures.

        Args:
            images: float32 ``[N, 3, H, W]`` in [-1, 1].

        Returns:
            float64 ``[N, 5]``, in the order of ``names``.
        """
        pixels = to_pixels(images).astype(np.float64).reshape(len(images), -1, 3) / 255
        light = pixels @ _LUMA
        red_green = pixels[..., 0] - pixels[..., 1]
        yellow_blue = pixels[..., :2].mean(axis=-1) - pixels[..., 2]
        spread = np.hypot(red_green.std(axis=1), yellow_blue.std(axis=1))
        colourful = spread + 0.3 * np.hypot(red_green.mean(axis=1), yellow_blue.mean(axis=1))
        scores = [
            light.mean(axis=1),
            light.std(axis=1),
            colourful,
            red_green.mean(axis=1),
            yellow_blue.mean(axis=1),
        ]
        return np.stack(scores, axis=1)[:, : len(self.names)]

    def grey(self) -> Scorer:
        """Lightness and contrast alone."""
        return _GreyScorer()


class _GreyScorer(ColourScorer):
    names = ColourScorer.names[:2]
    version = "colour-1-grey"
