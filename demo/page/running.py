"""Long work whose progress the page shows while it runs, and which a visitor can stop."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from stylegan_latents.demo.page.status_line import duration
from stylegan_latents.demo.session.queue import Place
from stylegan_latents.demo.session.visit import Visit

Item = TypeVar("Item")
Result = TypeVar("Result")

_EVERY, _ASKED_EVERY = 0.4, 0.5


class StoppedError(Exception):
    """The visitor stopped the work and wants nothing of it, or has gone."""


@dataclass(frozen=True)
class Done(Generic[Result]):
    """What the work gave."""

    result: Result


def wait_for_turn(visit: Visit, place: Place, *, every: float = _ASKED_EVERY) -> Iterator[str]:
    """Wait until long work may begin.

    Args:
        visit: who waits; one who asks to stop waits no longer.
        place: in the line.
        every: seconds between two looks.

    Yields:
        How many wait before and for how long, in words, whenever that changes.

    Raises:
        StoppedError: the visitor stopped it.
    """
    told = None
    while not place.wait(0.0 if told is None else every):
        if visit.stop.is_set():
            raise StoppedError
        words = waiting_words(place.before, place.seconds_left)
        if words != told:
            told = words
            yield words


def waiting_words(before: int, seconds_left: float | None) -> str:
    """Where in the line someone is, in a sentence."""
    others = {0: "You are next", 1: "1 other waits before you"}.get(before, f"{before} others wait before you")
    return f"Others are being served. {others}{'' if seconds_left is None else f', {duration(seconds_left)}'}."


def run_reporting(
    visit: Visit, work: Callable[[Callable[[Item], None]], Result], *, every: float = _EVERY
) -> Iterator[Item | Done[Result]]:
    """Run long work in a thread that has the studio's turn, and give what it reports.

    Args:
        visit: whose work it is, inside ``Visit.at_work`` where the visitor began it.
        work: takes a function to report with. That function lets other visitors compute first, and it ends the
            work when the visitor stopped it: by ``KeyboardInterrupt``, which a search takes as the wish to keep
            what was found, or by ``StoppedError``.
        every: the fewest seconds between two items given; only the newest is.

    Yields:
        What was reported, and at last ``Done``.

    Raises:
        StoppedError: the visitor stopped it.
        Exception: whatever the work raised.
    """
    turns = visit.studio.turns
    reports: queue.Queue[Item] = queue.Queue()
    ended = threading.Event()
    results: list[Result] = []
    errors: list[BaseException] = []

    def report(item: Item) -> None:
        reports.put(item)
        turns.give_way()
        if visit.stop.is_set():
            if visit.keep:
                raise KeyboardInterrupt
            raise StoppedError

    def run() -> None:
        try:
            with turns:
                if visit.stop.is_set():
                    raise StoppedError
                results.append(work(report))
        except BaseException as error:  # raised again below, in the visitor's own thread
            errors.append(error)
        finally:
            ended.set()

    thread = threading.Thread(target=run, name="demo-work", daemon=True)
    thread.start()
    try:
        while not ended.wait(every):
            newest = None
            while not reports.empty():
                newest = reports.get()
            if newest is not None:
                yield newest
    except GeneratorExit:
        visit.stop.set()  # the page has gone
        raise
    finally:
        thread.join()
    if errors and isinstance(errors[0], KeyboardInterrupt):
        raise StoppedError
    if errors:
        raise errors[0]
    yield Done(results[0])
