"""Long work that reports its progress to the page and that a visitor can stop."""

import contextlib
import html
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from stylegan_latents.demo.session.queue import Ticket
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.search.time_left import duration

Item = TypeVar("Item")
Result = TypeVar("Result")
Steps = tuple[str, int, int]
"""What is done, how many steps of it, and of how many."""


_REPORT_SECONDS, _POLL_SECONDS = 0.4, 0.5


class StoppedError(Exception):
    """The visitor stopped the work without keeping a result, or has gone."""


@dataclass(frozen=True)
class Done(Generic[Result]):
    """The result of the work."""

    result: Result


def wait_in_queue(visit: Visit, ticket: Ticket, *, every: float = _POLL_SECONDS) -> Iterator[str]:
    """Wait until long work may begin.

    Args:
        visit: whose ``stop`` ends the wait.
        ticket: of the queue.
        every: seconds between two checks.

    Yields:
        The place in the queue and the expected wait, in words, whenever they change.

    Raises:
        StoppedError: the visitor stopped it.
    """
    shown = None
    while not ticket.wait(0.0 if shown is None else every):
        if visit.stop.is_set():
            raise StoppedError
        words = waiting_status(ticket.ahead, ticket.seconds_left, ticket.others_at_work)
        if words != shown:
            shown = words
            yield words


def waiting_status(ahead: int, seconds_left: float | None, turn_of: Sequence[str] = ()) -> str:
    """The place in the queue as a sentence; ``turn_of`` are the names of those at work, if they are known."""
    serving = f"It is the turn of {' and '.join(turn_of)}." if turn_of else "Others are being served."
    others = {0: "You are next", 1: "1 other waits before you"}.get(ahead, f"{ahead} others wait before you")
    return f"{serving} {others}{'' if seconds_left is None else f', {duration(seconds_left)}'}."


def run_reporting(
    visit: Visit,
    work: Callable[[Callable[[Item], None]], Result],
    *,
    every: float = _REPORT_SECONDS,
    on_left: Callable[[Result], object] | None = None,
) -> Iterator[Item | Done[Result]]:
    """Run long work in a thread that holds the turn to compute, and yield its reports.

    Args:
        visit: whose work it is; inside ``Visit.at_work`` if the visitor started it.
        work: takes a function that it reports with. That function lets other visitors compute first; after a
            stop it raises ``KeyboardInterrupt``, on which a search returns its best result, if ``visit.keep``,
            else ``StoppedError``.
        every: seconds between two yields, each of the newest report.
        on_left: takes the result so far if the connection to the page is lost, as the visitor may come back.

    Yields:
        Reports, and finally ``Done``.

    Raises:
        StoppedError: the visitor stopped it.
        Exception: raised by the work.
    """
    reports: queue.Queue[Item] = queue.Queue()
    ended = threading.Event()
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            with visit.computing() as turn:

                def report(item: Item) -> None:
                    reports.put(item)
                    turn.yield_to_others()
                    if visit.stop.is_set():
                        if visit.keep:
                            raise KeyboardInterrupt
                        raise StoppedError

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
    except GeneratorExit:  # the page has gone
        visit.keep = on_left is not None
        visit.stop.set()
        thread.join()
        if results and on_left is not None:
            with contextlib.suppress(InputError):  # the visit has ended
                on_left(results[0])
        raise
    finally:
        thread.join()
    if errors and isinstance(errors[0], KeyboardInterrupt):
        raise StoppedError
    if errors:
        raise errors[0]
    yield Done(results[0])


@dataclass(frozen=True)
class Stage:
    """Progress of long work.

    Attributes:
        words: what is done, without the time left.
        part: from 0 to 1; None if unknown.
        picture: path of the newest picture; None if there is none yet, or no newer one.
        seconds_left: an estimate, if there is one yet.
    """

    words: str
    part: float | None
    picture: str | None = None
    seconds_left: float | None = None

    @property
    def status(self) -> str:
        """The status line."""
        left = "" if self.seconds_left is None else f", {duration(self.seconds_left)} left"
        return status_html(f"{self.words}{left}", part=self.part)


class StepsLeft:
    """Estimates the time left of work in equal steps, from the steps since the first report.

    Args:
        clock: in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[float, int] | None = None

    def seconds(self, step: int, steps: int) -> float | None:
        """Seconds from this step to the last one; None until enough is known."""
        now = self._clock()
        if self._first is None:
            self._first = (now, step)
        begun, first = self._first
        return None if step - first < 2 else (now - begun) / (step - first) * (steps - step)


def run_in_stages(
    visit: Visit, work: Callable[[Callable[[Steps], None]], Result]
) -> Iterator[Stage | Done[Result]]:
    """As ``run_reporting``, for work in several parts, which reports what it does with its steps; yields stages."""
    timer, what = StepsLeft(), ""
    for now in run_reporting(visit, work):
        if isinstance(now, Done):
            yield now
            return
        label, step, steps = now
        if label != what:
            timer, what = StepsLeft(), label
        yield Stage(f"{label} {step} of {steps}", step / max(1, steps), None, timer.seconds(step, steps))


def status_html(text: str, *, part: float | None = None, kind: str = "", details: str = "") -> str:
    """A status line as HTML, announced by screen readers.

    Args:
        text: plain text.
        part: what is done, from 0 to 1, as a progress bar; None for no bar.
        kind: ``good`` for a success, ``bad`` for a refusal; its class in the page.
        details: further plain text, folded.
    """
    bar = ""
    if part is not None:
        percent = round(100 * part)
        bar = (
            f'<div class="bar" role="progressbar" aria-label="Progress" aria-valuenow="{percent}" '
            f'aria-valuemin="0" aria-valuemax="100"><div style="width:{percent}%"></div></div>'
        )
    folded = f"<details><summary>Details</summary>{html.escape(details)}</details>" if details else ""
    line = f'<div role="status" aria-live="polite">{bar}<p>{html.escape(text)}</p></div>'
    return f'<div class="note {kind}">{line}{folded}</div>'
