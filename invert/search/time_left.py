"""How long a search and what follows it take, from the search's first steps."""

import math
import time
from collections.abc import Callable, Sequence

import torch

Phase = tuple[int, float]
"""A number of steps, and how long one takes, in any unit that the phases of a search share."""

_STEPS_SEEN = 4  # after the first one, in which libraries prepare
# What follows a search of one picture, measured on one core of a server: drawing and comparing it in float32, in
# steps; finding and recognising its face and writing the files, in seconds.
_DRAWING, _FACE_AND_FILES = 1.0, 1.0
_FULL_METRICS = 2.0  # steps
_BEFORE = 1.5  # seconds: reading a photo, finding its face, the encoder


class TimeLeft:
    """Estimates the time until the results of a search are written.

    What follows the search gains nothing from threads or a GPU, but is slowed down by other programs, as the steps
    are; by how much, the processor time of this process tells.

    Args:
        phases: of the search, ``Inverter.phases``.
        pictures: number of pictures searched at once.
        device: that computes.
        full: whether the slow metrics are measured, too.
        clock, worked: in seconds; the latter is the processor time of all threads of this process.
    """

    def __init__(
        self,
        phases: Sequence[Phase],
        *,
        pictures: int = 1,
        device: torch.device | None = None,
        full: bool = False,
        clock: Callable[[], float] = time.monotonic,
        worked: Callable[[], float] = time.process_time,
    ) -> None:
        self._phases, self._pictures, self._full = phases, pictures, full
        # The thread that drives a GPU is one, too.
        self._threads = torch.get_num_threads() if device is None or device.type == "cpu" else 1
        self._clock, self._worked = clock, worked
        self._first: tuple[int, float, float] | None = None
        self._pace = self._after = math.nan

    def after_step(self, step: int) -> float | None:
        """The seconds left now that a step, from 1, is done; None until a few steps are done."""
        now, worked = self._clock(), self._worked()
        if self._first is None:
            self._first = step, now, worked
        first, begun, worked_before = self._first
        if step - first < _STEPS_SEEN or now <= begun:
            return None
        self._pace = (now - begun) / (self._work(step) - self._work(first))
        slowdown = max(1.0, (now - begun) * self._threads / max(worked - worked_before, 1e-3))
        drawing = (_DRAWING + _FULL_METRICS * self._full) * self._pace * self._phases[0][1]
        self._after = drawing + _FACE_AND_FILES * slowdown * self._pictures
        self._before = _BEFORE * slowdown * self._pictures
        return self._pace * (self._work(math.inf) - self._work(step)) + self._after

    def of_another(self) -> float:
        """The seconds that another search of as many pictures takes, once ``after_step`` has an estimate."""
        return self._before + self._pace * self._work(math.inf) + self._after

    def _work(self, steps: float) -> float:
        """The duration of the first steps, in the phases' unit."""
        total = 0.0
        for count, cost in self._phases:
            total += cost * min(steps, count)
            steps = max(steps - count, 0)
        return total


def duration(seconds: float) -> str:
    """An estimate in words: ``about 40 s``, ``about 3 minutes``, ``about 2.5 hours``."""
    if seconds < 150:  # half a minute more or less is then at most a fifth
        return f"about {math.ceil(seconds)} s"
    return f"about {round(seconds / 60)} minutes" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"
