"""Who may begin long work: a few at a time, the others in the order of their coming, who are told how long."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stylegan_latents.generator.errors import InputError

_REMEMBERED = 8


class Line:
    """A waiting line before a few places.

    Args:
        places: how many may work at once.
        most: how many may wait.
        clock: in seconds.
    """

    def __init__(self, places: int, most: int = 64, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._places, self._most, self._clock = places, most, clock
        self._changed = threading.Condition()
        self._present: list[Place] = []
        self._lasted: deque[float] = deque(maxlen=_REMEMBERED)

    @contextmanager
    def enter(self) -> "Iterator[Place]":
        """A place at the end of the line, given up at the end of the block.

        Raises:
            InputError: too many wait already.
        """
        with self._changed:
            if len(self._present) - self._places >= self._most:
                raise InputError("Too many others wait for this just now; please try again in a few minutes.")
            place = Place(self)
            self._present.append(place)
        try:
            yield place
        finally:
            with self._changed:
                if place.begun is not None:
                    self._lasted.append(self._clock() - place.begun)
                self._present.remove(place)
                self._changed.notify_all()

    def _usual(self, working: "list[Place]") -> float | None:
        """How long one's work takes: the mean of the last few, or what those who work now expect in all."""
        lasted = list(self._lasted) or [
            place.ends - place.begun for place in working if place.ends is not None and place.begun is not None
        ]
        return sum(lasted) / len(lasted) if lasted else None


class Place:
    """One visitor's place in a ``Line``.

    Attributes:
        begun: when its turn came, by the line's clock; None before.
        ends: when its work is expected to end; None where nobody has said so.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self.begun: float | None = None
        self.ends: float | None = None

    def wait(self, seconds: float) -> bool:
        """Wait for its turn, so many seconds at most; whether it has come."""
        line = self._line
        with line._changed:
            come = line._changed.wait_for(lambda: self._index < line._places, seconds)
            if come and self.begun is None:
                self.begun = line._clock()
            return come

    def expect(self, seconds_left: float | None) -> None:
        """Tell those who wait how long this one's work will still take; None where that is not known."""
        if seconds_left is not None:
            self.ends = self._line._clock() + seconds_left

    @property
    def before(self) -> int:
        """How many others wait before it."""
        with self._line._changed:
            return max(0, self._index - self._line._places)

    @property
    def seconds_left(self) -> float | None:
        """An estimate of when its turn comes: by what those at work expect, and by how long others took.

        None before anything is known.
        """
        line, now = self._line, self._line._clock()
        with line._changed:
            working = line._present[: line._places]
            usual = line._usual(working)
            known = [left for place in working if (left := place._left(now, usual)) is not None]
            before = self._index - line._places
        if not known or (before and usual is None):
            return None
        return min(known) + before * (usual or 0.0) / line._places

    @property
    def _index(self) -> int:
        return self._line._present.index(self)

    def _left(self, now: float, usual: float | None) -> float | None:
        """How long its own work will still take."""
        if self.ends is not None:
            return max(0.0, self.ends - now)
        return None if usual is None or self.begun is None else max(0.0, self.begun + usual - now)
