"""Fair queues: a few clients work at once, the others take turns, so that nobody's many requests block the rest."""

import math
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from stylegan_latents.generator.errors import InputError

Item = TypeVar("Item")

_DURATIONS_KEPT = 8
_CLIENTS_KEPT = 4096
_HOUR = 3600.0
_TOO_MANY = "Too many others are waiting for this; please try again in a few minutes."


class Client(NamedTuple):
    """A visitor.

    Attributes:
        address: of the machine, such as ``127.0.0.1``; the user's name where users have passwords of their own.
        session: of the browser tab.
        user: the name of a visitor who has logged in; empty for others.
    """

    address: str = ""
    session: str = ""
    user: str = ""


def in_turns(
    waiting: Sequence[Item],
    client: Callable[[Item], Client],
    working: Sequence[Client] = (),
    served: Mapping[Hashable, int] | None = None,
) -> list[Item]:
    """Items in round-robin order of addresses, and of the sessions of each address.

    Args:
        waiting: in the order of arrival.
        client: the client of an item.
        working: clients at work, which count as their address's and session's first.
        served: a number that says when an address or client was served last; ties go to the smallest.
    """
    ordered = list(waiting)
    keys: tuple[Callable[[Client], Hashable], ...] = (lambda one: one, lambda one: one.address)
    for key in keys:
        count = Counter(key(one) for one in working)
        ranks = []
        for item in ordered:
            own = key(client(item))
            ranks.append((count[own], (served or {}).get(own, 0)))
            count[own] += 1
        ordered = [item for _, item in sorted(zip(ranks, ordered, strict=True), key=lambda pair: pair[0])]
    return ordered


class WaitingQueue:
    """A queue in which addresses take turns, and so do the sessions of each address.

    Next is the address with the fewest at work, and among equals the one served longest ago.

    Args:
        at_once: how many may work at once.
        most: how many may wait; None for any number.
        clock: in seconds.

    Attributes:
        ended: when work ended last, by ``clock``.
    """

    def __init__(self, at_once: int, most: int | None = 64, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once, self._most, self._clock = at_once, most, clock
        self._changed = threading.Condition()
        self._present: list[Ticket] = []
        self._durations: deque[float] = deque(maxlen=_DURATIONS_KEPT)
        self._served: OrderedDict[Hashable, int] = OrderedDict()
        self._count = 0
        self.ended = clock()

    @contextmanager
    def enter(self, client: Client = Client()) -> "Iterator[Ticket]":  # noqa: B008
        """A ticket for the block. When more than ``most`` would wait, the one to be served last is refused.

        Raises:
            InputError: this one was refused.
        """
        ticket = Ticket(self, client)
        with self._changed:
            self._present.append(ticket)
            if self._most is not None and len(self._present) - self._at_once > self._most:
                last = self._order()[-1]
                self._present.remove(last)
                if last is ticket:
                    raise InputError(_TOO_MANY)
                last.refused = True
                self._changed.notify_all()
            if ticket._may_begin():
                self._begin(ticket)
        try:
            yield ticket
        finally:
            with self._changed:
                if ticket in self._present:
                    self._present.remove(ticket)
                if ticket.begun is not None:
                    self.ended = self._clock()
                    self._durations.append(self.ended - ticket.begun)
                self._changed.notify_all()

    @contextmanager
    def turn(self, client: Client = Client()) -> "Iterator[Ticket]":  # noqa: B008
        """Wait for the turn without a limit, and hold it in the block; see ``enter``."""
        with self.enter(client) as ticket:
            ticket.wait(None)
            yield ticket

    @property
    def working(self) -> list[Client]:
        """Who works."""
        with self._changed:
            return [ticket.client for ticket in self._present if ticket.begun is not None]

    @property
    def waiting(self) -> int:
        """How many wait."""
        with self._changed:
            return sum(ticket.begun is None for ticket in self._present)

    @property
    def idle(self) -> bool:
        """Whether nobody works or waits."""
        return not self._present

    def _order(self) -> "list[Ticket]":
        """Waiting tickets in the order of service."""
        waiting = [ticket for ticket in self._present if ticket.begun is None]
        working = [ticket.client for ticket in self._present if ticket.begun is not None]
        return in_turns(waiting, lambda ticket: ticket.client, working, self._served)

    def _begin(self, ticket: "Ticket") -> None:
        ticket.begun = self._clock()
        self._count += 1
        for key in (ticket.client, ticket.client.address):
            self._served[key] = self._count
            self._served.move_to_end(key)
        while len(self._served) > _CLIENTS_KEPT:
            self._served.popitem(last=False)
        self._changed.notify_all()

    def _usual_duration(self, working: "Sequence[Ticket]") -> float | None:
        """Mean duration of the last few, or else as expected by those at work, in seconds."""
        known = list(self._durations) or [
            ticket.ends - ticket.begun for ticket in working if ticket.ends is not None and ticket.begun is not None
        ]
        return sum(known) / len(known) if known else None


class Allowance:
    """Counts what visitors begin.

    Args:
        per_hour: how much an address may begin in an hour; None for any number.
        clock: in seconds.
    """

    def __init__(self, per_hour: int | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_hour, self._clock = per_hour, clock
        self._begun: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, address: str) -> None:
        """Count one more.

        Raises:
            InputError: the visitor of this address has begun as many as are allowed.
        """
        if self._per_hour is None:
            return
        now = self._clock()
        with self._lock:
            begun = self._begun.setdefault(address, deque())
            self._begun.move_to_end(address)
            while len(self._begun) > _CLIENTS_KEPT:
                self._begun.popitem(last=False)
            while begun and now - begun[0] >= _HOUR:
                begun.popleft()
            if len(begun) >= self._per_hour:
                minutes = math.ceil((_HOUR - (now - begun[0])) / 60)
                raise InputError(
                    f"The limit here is {self._per_hour} searches, films or drags an hour; the next may begin in "
                    f"{minutes} minutes."
                )
            begun.append(now)


class Ticket:
    """One client's place in a ``WaitingQueue``.

    Attributes:
        client: that holds it.
        begun: when its work began, by the queue's clock; None while it waits.
        ends: when its work is expected to end; None if unknown.
        refused: whether it lost its place to a client with fewer waiting.
    """

    def __init__(self, queue: WaitingQueue, client: Client) -> None:
        self._queue, self.client = queue, client
        self.begun: float | None = None
        self.ends: float | None = None
        self.refused = False

    def wait(self, seconds: float | None) -> bool:
        """Wait until the work may begin, for ``seconds`` at most; returns whether it may.

        Raises:
            InputError: the ticket was refused.
        """
        queue = self._queue
        with queue._changed:
            may = queue._changed.wait_for(lambda: self.refused or self._may_begin(), seconds)
            if self.refused:
                raise InputError(_TOO_MANY)
            if may and self.begun is None:
                queue._begin(self)
            return may

    def yield_to_others(self) -> None:
        """Let waiting clients work whose turn it is; called by the one at work."""
        queue = self._queue
        with queue._changed:
            if len(queue._present) <= queue._at_once:
                return
            self.begun = None
            queue._present.remove(self)
            queue._present.append(self)
            queue._changed.notify_all()
        self.wait(None)

    def expect(self, seconds_left: float | None) -> None:
        """Set how long this work will still take; None if unknown."""
        if seconds_left is not None:
            self.ends = self._queue._clock() + seconds_left

    @property
    def ahead(self) -> int:
        """How many wait before it."""
        with self._queue._changed:
            return self._index

    @property
    def others_at_work(self) -> list[str]:
        """Names of the logged-in visitors whose turn it is."""
        return [client.user for client in self._queue.working if client.user]

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds until its work may begin; None if nothing is known yet."""
        queue, now = self._queue, self._queue._clock()
        with queue._changed:
            working = [ticket for ticket in queue._present if ticket.begun is not None]
            usual = queue._usual_duration(working)
            known = [left for ticket in working if (left := ticket._left(now, usual)) is not None]
            ahead = self._index
        if not known or (ahead and usual is None):
            return None
        return min(known) + ahead * (usual or 0.0) / queue._at_once

    @property
    def _index(self) -> int:
        waiting = self._queue._order()
        return waiting.index(self) if self in waiting else 0

    def _may_begin(self) -> bool:
        if self.begun is not None:
            return True
        queue = self._queue
        free = queue._at_once - sum(ticket.begun is not None for ticket in queue._present)
        return free > 0 and self in queue._order()[:free]

    def _left(self, now: float, usual: float | None) -> float | None:
        """Estimated seconds until its work ends."""
        if self.ends is not None:
            return max(0.0, self.ends - now)
        return None if usual is None or self.begun is None else max(0.0, self.begun + usual - now)
