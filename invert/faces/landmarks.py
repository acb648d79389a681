"""The landmarks of a face by name, from a detector or placed by hand.

Left and right are as the viewer sees them: the left eye is on the left of an upright picture. Coordinates are x and
y in pixels, where a pixel's centre has integer coordinates, as in dlib; a picture of width w spans -0.5 to w - 0.5.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.crop import Array

if TYPE_CHECKING:
    from stylegan_latents.generator.json_values import JSON


def _none() -> Array:
    return np.empty((0, 2))


@dataclass(frozen=True, eq=False, kw_only=True)
class Landmarks:
    """Points of one face, float64 ``[k, 2]`` each, or of several, ``[N, k, 2]``; k is 0 where they are unknown.

    Each field has the points of iBUG's 300-W (Sagonas et al. 2013) in their order. A detector with other points has
    to select these.

    Attributes:
        outline: 17, from the left ear down to the chin (the 9th) and up to the right ear.
        left_brow, right_brow: 5 each, from left to right.
        nose_bridge: 4, from between the eyes down to the tip.
        nose_base: 5, under the nostrils from left to right.
        left_eye, right_eye: 6 each, around the lids clockwise from the left corner; or 1, the eye's centre.
        outer_lips: 12, around the lips clockwise from the left corner of the mouth.
        inner_lips: 8, around the gap between the lips, in the same way.
        mouth_corners: 2, left and right.
    """

    outline: Array = field(default_factory=_none)
    left_brow: Array = field(default_factory=_none)
    right_brow: Array = field(default_factory=_none)
    nose_bridge: Array = field(default_factory=_none)
    nose_base: Array = field(default_factory=_none)
    left_eye: Array
    right_eye: Array
    outer_lips: Array = field(default_factory=_none)
    inner_lips: Array = field(default_factory=_none)
    mouth_corners: Array

    def __post_init__(self) -> None:
        for name, count in COUNTS.items():
            found = getattr(self, name).shape[-2]
            required = name in ("left_eye", "right_eye", "mouth_corners")
            if found != count and not (found == 0 and not required) and not (found == 1 and name.endswith("_eye")):
                raise ValueError(f"{name} takes {'1 or ' * name.endswith('_eye')}{count} points, not {found}")

    @classmethod
    def from_ibug(cls, points: Array) -> Self:
        """Landmarks from the 68 points of iBUG's 300-W, ``[..., 68, 2]``."""
        found, begin = {}, 0
        for name in _IN_IBUG:
            found[name] = points[..., begin : begin + COUNTS[name], :]
            begin += COUNTS[name]
        return cls(**found, mouth_corners=found["outer_lips"][..., [0, 6], :])

    @classmethod
    def stack(cls, faces: Sequence["Landmarks"]) -> Self:
        """Several faces with the same points as one object, ``[N, k, 2]``."""
        return cls(**{one.name: np.stack([getattr(face, one.name) for face in faces]) for one in fields(cls)})

    def __getitem__(self, rows: npt.NDArray[np.generic] | int) -> "Landmarks":
        """One face of several, or some of them."""
        return self.mapped(lambda points: points[rows])

    def mapped(self, change: Callable[[Array], Array]) -> "Landmarks":
        """The landmarks with ``change`` applied to the points of each field, ``[..., k, 2]``."""
        return Landmarks(**{one.name: change(getattr(self, one.name)) for one in fields(self)})

    @property
    def points(self) -> Array:
        """All known points, float64 ``[..., K, 2]``; in iBUG's order if they are all 68."""
        names = _IN_IBUG if self.outer_lips.shape[-2] else (*_IN_IBUG, "mouth_corners")
        return np.concatenate([getattr(self, name) for name in names], axis=-2)

    @property
    def brows(self) -> Array:
        """Both brows' points, from left to right."""
        return np.concatenate([self.left_brow, self.right_brow], axis=-2)

    @property
    def nose(self) -> Array:
        """The nose's points, bridge and base."""
        return np.concatenate([self.nose_bridge, self.nose_base], axis=-2)

    @property
    def chin(self) -> Array:
        """The lowest point of the outline, ``[..., 2]``."""
        return self.outline[..., 8, :]

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields with unknown points."""
        return tuple(name for name, count in COUNTS.items() if getattr(self, name).shape[-2] < count)

    def require(self, purpose: str, *names: str) -> None:
        """Raise InputError if ``purpose`` lacks points of the named fields, by default of all."""
        lacking = [name for name in self.missing if not names or name in names]
        if lacking:
            few = ", ".join(f"{name} ({COUNTS[name]} points)" for name in lacking)
            raise InputError(f"For {purpose} these landmarks lack {few}; add them.")

    def to_dict(self) -> "dict[str, JSON]":
        """The known points of one face in the types of JSON: ``[x, y]`` by the name of their field."""
        known = {one.name: getattr(self, one.name).tolist() for one in fields(self)}
        return {name: points for name, points in known.items() if points}


COUNTS = {
    "outline": 17, "left_brow": 5, "right_brow": 5, "nose_bridge": 4, "nose_base": 5, "left_eye": 6, "right_eye": 6,
    "outer_lips": 12, "inner_lips": 8, "mouth_corners": 2,
}  # fmt: skip
"""The number of points of each field of ``Landmarks``."""

_IN_IBUG = tuple(COUNTS)[:-1]
