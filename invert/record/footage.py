"""The film that a record was made from."""

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
    """A film, and the frames that a record has codes of.

    Attributes:
        source: the film's file.
        size: (width, height) of its upright frames.
        rate: frames per second.
        times: the start of each processed frame, in seconds.
        frames: the frame of each code, ascending.
        bridged: those of them without a detected face, whose codes are interpolated.
        every: every Nth frame was inverted.
        scenes: the first frame of each scene; codes are not interpolated between scenes.

    Raises:
        ValueError: the values do not fit together.
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
        """A frame's position among the codes: two indices and the weight of the second code.

        The weight is above 1 for frames shortly after the second one. None for a frame without a face: before the
        first code, after the last, or in a gap.
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
        # After a scene's last code, extrapolate for the few frames that are left.
        before = self.frames[after - 2] if after > 1 and low not in self.scenes else None
        if before is not None and low - before <= self.every:
            return after - 2, after - 1, 1 + (frame - low) / (low - before)
        return after - 1, after - 1, 0.0

    def nearest(self, frame: int) -> tuple[int, int, float]:
        """As ``between``, with the nearest code for a frame without a face."""
        found = self.between(frame)
        if found is not None:
            return found
        at = min(range(len(self.frames)), key=lambda index: abs(self.frames[index] - frame))
        return at, at, 0.0

    def to_dict(self, folder: Path) -> dict[str, JSON]:
        """The values in the types of JSON, for a record in ``folder``."""
        lists = {name: list(getattr(self, name)) for name in ("size", "times", "frames", "bridged", "scenes")}
        return {"source": self.source.to_dict(folder), "rate": self.rate, "every": self.every, **lists}

    @staticmethod
    def from_dict(values: dict[str, Any], folder: Path) -> "Footage":
        """The inverse of ``to_dict``; KeyError, TypeError or ValueError for missing or invalid values."""
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
