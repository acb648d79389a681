"""Preprocessing of pictures for a network: size, values, order of the channels."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

Colour = tuple[float, float, float]
Resampling = Literal["bilinear", "bicubic", "nearest-exact"]

IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_STD: Colour = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """Preprocessing of pictures for a network.

    A value from 0 to 255 becomes ``(value * scale + offset - mean) / std``.

    Attributes:
        size: height and width in pixels of what the network gets; None takes what the network says, or 224 where
            it leaves that open.
        resized: height and width that the picture is brought to before its centre of ``size`` is cut out; None
            cuts nothing.
        resampling: of the resizing; what is made smaller is smoothed.
        scale, offset: of the values.
        mean, std: of each channel, red, green and blue; ImageNet's by default.
        bgr: whether the network takes blue first.
        channels_last: whether it takes ``[1, height, width, 3]``; None takes what the network says, or
            ``[1, 3, height, width]`` where it leaves that open.
    """

    size: tuple[int, int] | None = None
    resized: tuple[int, int] | None = None
    resampling: Resampling = "bilinear"
    scale: float = 1 / 255
    offset: float = 0.0
    mean: Colour = IMAGENET_MEAN
    std: Colour = IMAGENET_STD
    bgr: bool = False
    channels_last: bool | None = None

    def __call__(self, images: "Tensor", size: tuple[int, int]) -> npt.NDArray[np.float32]:
        """Prepare pictures.

        Args:
            images: float32 ``[N, 3, H, W]`` in [-1, 1].
            size: height and width to give, ``size`` or what takes its place.

        Returns:
            float32 ``[N, 3, height, width]``, channels first whatever the network takes.
        """
        import torch

        smooth = self.resampling != "nearest-exact"
        drawn = torch.nn.functional.interpolate(
            images.detach().float(), self.resized or size, mode=self.resampling, antialias=smooth
        )
        top, left = ((had - wanted) // 2 for had, wanted in zip(drawn.shape[2:], size, strict=True))
        drawn = drawn[:, :, top : top + size[0], left : left + size[1]]
        values = (drawn.clamp(-1, 1) + 1) * 127.5
        mean, std = (torch.tensor(colour)[:, None, None].to(values) for colour in (self.mean, self.std))
        values = (values * self.scale + self.offset - mean) / std
        result: npt.NDArray[np.float32] = (values.flip(1) if self.bgr else values).cpu().numpy()
        return result

    def describe(self, size: tuple[int, int]) -> str:
        """What the network gets, in a few words: ``224 x 224 pixels, RGB, values from -1 to 1``."""
        black, white = (
            (value * self.scale + self.offset - np.array(self.mean)) / np.array(self.std) for value in (0, 255)
        )
        low, high = np.minimum(black, white).min(), np.maximum(black, white).max()
        order = "BGR" if self.bgr else "RGB"
        return f"{size[1]} x {size[0]} pixels, {order}, values from {low:.3g} to {high:.3g}"
