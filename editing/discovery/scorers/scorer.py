"""The interface of scorers of pictures, and several scorers as one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS, Group

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.cli.progress import Begin
    from stylegan_latents.generator.layers import Box

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Unit:
    """What a score is measured in.

    Attributes:
        name: such as ``degrees``; empty for a number without a unit.
        low, high: the range that scores can have.
    """

    name: str = ""
    low: float = -np.inf
    high: float = np.inf

    def check(self, score: str, value: float) -> None:
        """Refuse a value that no picture can have.

        Raises:
            InputError: it is outside of the range.
        """
        if not self.low <= value <= self.high:
            name = f" {self.name}" if self.name else ""
            raise InputError(f"'{score}' runs from {self.low:g} to {self.high:g}{name}, so {value:g} is no target.")


@dataclass(frozen=True)
class Attribute:
    """What to find a direction for.

    Attributes:
        name: of the direction and of the score it changes.
        positive, negative: what strengths above and below 0 do.
        layers: the groups of rows that move, as a person types them.
        fixed: scores to leave alone, beside those of all other attributes.
    """

    name: str
    positive: str
    negative: str
    layers: str
    fixed: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[Group, ...]:
        """``layers`` as groups."""
        parts = self.layers.split(",")
        return tuple(group for group in GROUPS if "all" in parts or group in parts)


class Scorer(ABC):
    """Gives every picture one number for each of its names.

    Attributes:
        names: what the numbers measure, each once.
        version: changes whenever the same picture would score differently; cached scores depend on it.
        units: of the scores by name; a score without an entry is a number of any size.
        exclusive: groups of names that are mutually exclusive classes, so that no score of a group changes alone.
        attributes: to find directions for by default; empty for every score.
        notes: sentences on the accuracy of the scores, if it is known.
        focus: the part of the picture that is scored in detail: left, top, right and bottom in sides of it; None
            for all of it. ``Generator.sketch`` draws the rest coarser.
    """

    names: tuple[str, ...]
    version: str
    units: Mapping[str, Unit] = {}
    exclusive: tuple[tuple[str, ...], ...] = ()
    attributes: tuple[Attribute, ...] = ()
    notes: tuple[str, ...] = ()
    focus: "Box | None" = None

    @classmethod
    def open(cls, text: str, begin: "Begin", *, trusted: bool = False) -> Self:  # noqa: ARG003 - for files
        """Open the scorer of a command line.

        Args:
            text: the scorer's name, or the path of its file or folder.
            begin: makes a progress bar.
            trusted: whether a program in a file may run where the system has no sandbox for it.

        Raises:
            InputError: it cannot be read.
        """
        return cls()

    @abstractmethod
    def score(self, images: "Tensor") -> Array:
        """Score pictures; may be called from several threads at once.

        Args:
            images: float32 ``[N, 3, H, W]`` in [-1, 1].

        Returns:
            float64 ``[N, len(names)]``; NaN where a picture cannot be scored, for one where there is no face.
        """

    def check(self, images: "Tensor", shown: str) -> None:  # noqa: B027 - most scorers take any picture
        """Refuse pictures that do not show what this scorer measures.

        Args:
            images: some of them, float32 ``[N, 3, H, W]`` in [-1, 1].
            shown: what the message calls them, such as ``the model's pictures``.

        Raises:
            InputError: at most half of them can be scored.
        """

    def default_attributes(self) -> tuple[Attribute, ...]:
        """``attributes``, or every score; of two mutually exclusive classes the second, which serves both."""
        mirrored = {group[0] for group in self.exclusive if len(group) == 2}
        return self.attributes or tuple(
            Attribute(name, f"more {name}", f"less {name}", "all") for name in self.names if name not in mirrored
        )

    def grey(self) -> "Scorer":
        """A scorer without the scores that all grey pictures share; itself where there are none."""
        return self

    def faster(self) -> "Scorer":
        """A faster, less exact scorer of the same names for many samples; itself if there is none."""
        return self


class Scorers(Scorer):
    """Several scorers as one."""

    def __init__(self, parts: Sequence[Scorer]) -> None:
        self.parts = tuple(parts)
        self.names = tuple(name for part in self.parts for name in part.names)
        self.version = "+".join(part.version for part in self.parts)
        self.focus = _bounding_box([part.focus for part in parts])
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"the names of the scores are not unique: {', '.join(self.names)}")

    def check(self, images: "Tensor", shown: str) -> None:
        """Refuse what one of the parts refuses."""
        for part in self.parts:
            part.check(images, shown)

    def score(self, images: "Tensor") -> Array:
        """The scores of all parts, ``[N, len(names)]``, in their order."""
        return np.concatenate([part.score(images) for part in self.parts], axis=1)


def _bounding_box(boxes: "Sequence[Box | None]") -> "Box | None":
    """The smallest box around all boxes; None if one is."""
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
