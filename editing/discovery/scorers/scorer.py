"""The interface of everything that measures pictures, and putting several measures side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.layers import Box

Array = npt.NDArray[np.float64]


class Scorer(Protocol):
    """Gives every picture one number for each of its names.

    Attributes:
        names: what the numbers measure, each once.
        version: changes whenever the same picture would score differently; cached scores depend on it.

    A scorer may also have a ``focus``, the part of the picture that it looks at closely: left, top, right and
    bottom in sides of it. Where pictures need not be exact, the rest is drawn coarser then; see
    ``Generator.sketch``.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def version(self) -> str: ...

    def __call__(self, images: "Tensor") -> Array:
        """Score pictures; may be called from several threads at once.

        Args:
            images: float32 ``[N, 3, H, W]`` in [-1, 1].

        Returns:
            float64 ``[N, len(names)]``; NaN where a picture cannot be scored, for one where there is no face.
        """
        ...


class Scorers:
    """Several scorers as one."""

    def __init__(self, parts: Sequence[Scorer]) -> None:
        self.parts = tuple(parts)
        self.names = tuple(name for part in self.parts for name in part.names)
        self.version = "+".join(part.version for part in self.parts)
        self.focus = _about([focus_of(part) for part in parts])
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"the names of the scores are not unique: {', '.join(self.names)}")

    def __call__(self, images: "Tensor") -> Array:
        """The scores of all parts, ``[N, len(names)]``, in their order."""
        return np.concatenate([part(images) for part in self.parts], axis=1)


def focus_of(scorer: Scorer) -> "Box | None":
    """The part of the picture that it looks at closely; None for all of it."""
    return getattr(scorer, "focus", None)


def _about(boxes: "Sequence[Box | None]") -> "Box | None":
    """The smallest box about all of them."""
    known = [box for box in boxes if box is not None]
    if len(known) < len(boxes) or not known:
        return None
    left, top, right, bottom = zip(*known, strict=True)
    return min(left), min(top), max(right), max(bottom)


def to_pixels(images: "Tensor") -> npt.NDArray[np.uint8]:
    """float32 ``[N, 3, H, W]`` in [-1, 1] to uint8 ``[N, H, W, 3]``, which dlib and the classifiers read."""
    import torch

    pixels = images.detach().float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    result: npt.NDArray[np.uint8] = pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return result
