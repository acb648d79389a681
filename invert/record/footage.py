"""What a record says of the film that it was made from."""

import itertools
import math
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylegan_latents.generator.json_values import JSON
from stylegan_latents.invert.record.source import Source


@dataclass(frozen=True)
class Footage:
    """A film, and which of its frames the codes of a record stand for.

    Attributes:
        source: the film.
        size: (width, height) of its upright frames.
        rate: its frames a second.
        times: when each frame begins, in seconds; of as many frames as were looked at.
        frames: the frame of each code, ascending.
        bridged: those of them in which the face was not seen; their codes lie between their neighbours'.
        every: each how manieth frame was inverted.
        scenes: the first frame of each scene; no picture lies between two scenes.

    Raises:
        ValueError: they do not fit together.
    """

    source: Source
    size: tuple[int, int]
    rate: float
    times: tuple[float, ...]
    frames: tuple[int, ...]
    bridged: tuple[int, ...] = ()
    every: int = 1
    scenes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        ascending = all(
            before < after for numbers in (self.frames, self.times) for before, after in itertools.pairwise(numbers)
        )
        inside = bool(self.frames) and self.frames[0] >= 0 and self.frames[-1] < len(self.times)
        numbers = all(math.isfinite(value) for value in (*self.times, self.rate))
        if not (ascending and inside and numbers and self.rate > 0 and min(*self.size, self.every) > 0):
            raise ValueError("a film's frames do not fit together")
        if not set(self.bridged) <= set(self.frames):
            raise ValueError("a bridged frame has no code")

    def between(self, frame: int) -> tuple[int, int, float] | None:
        """Where a frame lies among the codes: after which, before which, and how far from one to the other.

        That is above 1 where it lies a little behind the second. None for a frame without a face: before the
        first, after the last, or in a gap.
        """
        after = bisect_right(self.frames, frame)
        if not after:
            return None
        low = self.frames[after - 1]
        high = self.frames[after] if after < len(self.frames) else None
        if high is not None and high - low <= self.every and high not in self.scenes:
            return after - 1, after, (frame - low) / (high - low)
        if frame == low or frame - low >= self.every:
            return (after - 1, after - 1, 0.0) if frame == low else None
        # Behind a scene's last code its movement goes on for the few frames that are left.
        before = self.frames[after - 2] if after > 1 and low not in self.scenes else None
        if before is not None and low - before <= self.every:
            return after - 2, after - 1, 1 + (frame - low) / (low - before)
        return after - 1, after - 1, 0.0

    def nearest(self, frame: int) -> tuple[int, int, float]:
        """As ``between``; the nearest code for a frame without a face."""
        found = self.between(frame)
        if found is not None:
            return found
        at = min(range(len(self.frames)), key=lambda index: abs(self.frames[index] - frame))
        return at, at, 0.0

    def to_dict(self, folder: Path) -> dict[str, JSON]:
        """In the types of JSON, for a record in ``folder``; ``from_dict`` gives it back."""
        return {
            "source": self.source.to_dict(folder),
            "size": list(self.size),
            "rate": self.rate,
            "times": list(self.times),
            "frames": list(self.frames),
            "bridged": list(self.bridged),
            "every": self.every,
            "scenes": list(self.scenes),
        }

    @staticmethod
    def from_dict(values: dict[str, Any], folder: Path) -> "Footage":
        """Read what ``to_dict`` gave, from a record in ``folder``.

        Raises:
            KeyError, TypeError, ValueError: something is missing, of another type, or does not fit.
        """
        width, height = values["size"]
        return Footage(
            Source.from_dict(values["source"], folder),
            (int(width), int(height)),
            float(values["rate"]),
            tuple(float(time) for time in values["times"]),
            tuple(int(frame) for frame in values["frames"]),
            tuple(int(frame) for frame in values["bridged"]),
            int(values["every"]),
            tuple(int(frame) for frame in values["scenes"]),
        )
