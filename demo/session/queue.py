"""Who may work: a few at once, the others round by round, so that nobody's many requests hold up the rest."""

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
_TOO_MANY = "Too many others wait for this just now; please try again in a few minutes."


class Client(NamedTuple):
    """Who asks.

    Attributes:
        address: of the machine, such as ``127.0.0.1``.
        session: of the browser's tab.
    """

    address: str = ""
    session: str = ""


def in_turns(
    waiting: Sequence[Item],
    client: Callable[[Item], Client],
    working: Sequence[Client] = (),
    served: Mapping[Hashable, int] | None = None,
) -> list[Item]:
    """What waits, reordered: each address's first, then each address's second, and so on; likewise its sessions.

    Args:
        waiting: in the order of coming.
        client: whose an item is.
        working: those at work, who count as their address's and session's first.
        served: when an address or a client was served last; among equals the least is first.
    """
    ordered = list(waiting)
    keys: tuple[Callable[[Client], Hashable], ...] = (_whole, _address)
    for key in keys:
        count = Counter(key(one) for one in working)
        ranks = []
        for item in ordered:
            own = key(client(item))
            ranks.append((count[own], (served or {}).get(own, 0)))
            count[own] += 1
        ordered = [item for _, item in sorted(zip(ranks, ordered, strict=True), key=lambda pair: pair[0])]
    return ordered


def _whole(client: Client) -> Client:
    return client


def _address(client: Client) -> str:
    return client.address


class WaitingQueue:
    """A waiting queue before a few workplaces.

    Addresses take turns, and so do the sessions of one address: next is whoever's address has the fewest at work,
    and among equals the one that was served longest ago.

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
        """A ticket, given back at the end of the block.

        When more than ``most`` would wait, whoever would be served last is refused, which need not be who came
        last.

        Args:
            client: who asks.

        Raises:
            InputError: too many wait already.
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
        """Wait, however long it takes, and work in the block; see ``enter``."""
        with self.enter(client) as ticket:
            ticket.wait(None)
            yield ticket

    @property
    def idle(self) -> bool:
        """Whether nobody works or waits."""
        return not self._present

    def _order(self) -> "list[Ticket]":
        """Those who wait, as they will be served if nobody else comes."""
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
        """The mean of the last few, or what those who work now expect in all; in seconds."""
        known = list(self._durations) or [
            ticket.ends - ticket.begun for ticket in working if ticket.ends is not None and ticket.begun is not None
        ]
        return sum(known) / len(known) if known else None


class Ticket:
    """One client's place in a ``WaitingQueue``.

    Attributes:
        client: whose it is.
        begun: when its work began, by the queue's clock; None while it waits.
        ends: when its work is expected to end; None where that is not known.
        refused: whether it was sent away for others of whom fewer wait.
    """

    def __init__(self, queue: WaitingQueue, client: Client) -> None:
        self._queue, self.client = queue, client
        self.begun: float | None = None
        self.ends: float | None = None
        self.refused = False

    def wait(self, seconds: float | None) -> bool:
        """Wait until the work may begin, so many seconds at most; whether it may.

        Raises:
            InputError: too many others wait.
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
        """Let others work who wait by now and whose turn it is; called by who works."""
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
        """Tell those who wait how long this work will still take; None where that is not known."""
        if seconds_left is not None:
            self.ends = self._queue._clock() + seconds_left

    @property
    def ahead(self) -> int:
        """How many others wait before it."""
        with self._queue._changed:
            return self._index

    @property
    def seconds_left(self) -> float | None:
        """An estimate of when its work may begin, by what those at work expect and by how long others took.

        None before anything is known.
        """
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
        """How long its own work will still take, in seconds."""
        if self.ends is not None:
            return max(0.0, self.ends - now)
        return None if usual is None or self.begun is None else max(0.0, self.begun + usual - now)
