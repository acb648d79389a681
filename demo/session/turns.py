"""Who computes now: one at a time, in the order of asking."""

import threading
import time
from typing import Self


class Turns:
    """A lock that is given in the order of asking, so that a long search lets others in between two steps.

    One computation at a time keeps memory bounded, and two on the same cores would not be sooner.

    Attributes:
        ended: when a turn ended last, by ``monotonic``.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._tickets = 0
        self._serving = 0
        self.ended = time.monotonic()

    def __enter__(self) -> Self:
        with self._changed:
            ticket, self._tickets = self._tickets, self._tickets + 1
            self._changed.wait_for(lambda: self._serving == ticket)
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._serving += 1
            self.ended = time.monotonic()
            self._changed.notify_all()

    @property
    def idle(self) -> bool:
        """Whether nobody computes or waits to."""
        return self._serving == self._tickets

    def give_way(self) -> None:
        """Let those go first who asked meanwhile; called by who has the turn."""
        self.__exit__()
        self.__enter__()
