"""The one progress display: a bar on a terminal, a line now and then elsewhere, nothing when quiet; on stderr.

``Display`` is what is seen. The functions give work what it calls as it goes on: each step with its loss, each unit
of a known number, one task after another, bytes of a download, or nothing but that something is going on.
"""

import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

from stylegan_latents.generator.files import printable

Report = Callable[[int, int, float], None]
"""Takes the step (from 1), the number of steps (0 for unknown), and the loss (NaN where there is none)."""

Progress = Callable[[int, int], None]
"""Takes the number done and in all."""

Begin = Callable[[str], Progress]
"""Given what is going on, gives what is to be called as it goes on."""

_EVERY = 10  # steps between lines where nobody knows how many there are


class Count(Protocol):
    """Counts one unit more; ``how`` says how it goes."""

    def __call__(self, how: str = "") -> None: ...


class Display:
    """Shows one task at a time, from ``with`` to the end of its block.

    Args:
        quiet: show nothing.
        transient: remove the bar from the terminal at the end.
        bars_only: show nothing where there is no terminal.
    """

    def __init__(self, *, quiet: bool = False, transient: bool = False, bars_only: bool = False) -> None:
        terminal = sys.stderr.isatty()
        self._lines = not (quiet or terminal or bars_only)
        self._bar: Bar | None = None
        if terminal and not quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[count]}"),
                TextColumn("{task.fields[note]}"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True), transient=transient)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(
        self, label: str, total: int = 0, *, unit: str = "", lines: int = 10, every: int = 0, named: bool = False
    ) -> "Task":
        """A task in place of the one before.

        Args:
            label: what is worked on, such as a photo's name.
            total: how many units there are; 0 where it is known later or never.
            unit: what one is called in a line, such as ``step``.
            lines: about how many are printed, where there is no terminal.
            every: print one for so many units instead, and for the first.
            named: print the label first.
        """
        if named and self._lines:
            print(printable(label), file=sys.stderr, flush=True)
        task = Task(label, total, unit, lines if self._lines else 0, every, self._bar)
        task.update(0)
        return task


class Task:
    """What ``Display.begin`` gives: tell it how far the work is."""

    def __init__(self, label: str, total: int, unit: str, lines: int, every: int, bar: "Bar | None") -> None:
        self._label, self._total, self._unit, self._lines, self._every = printable(label), total, unit, lines, every
        self._bar, self._done = bar, 0
        if bar is not None:
            from rich.markup import escape

            for over in bar.task_ids:
                bar.remove_task(over)
            self._task = bar.add_task(escape(self._label), total=None, count="", note="")

    def update(self, done: int, total: int | None = None, note: str = "", *, count: str | None = None) -> None:
        """Show how far it is.

        Args:
            done: units done.
            total: in all, 0 for unknown; as before when None.
            note: a few words on how it goes, such as ``loss 0.1``.
            count: what a bar shows in place of ``done/total``.
        """
        before, self._done = self._done, done
        self._total = self._total if total is None else total
        if self._bar is not None:
            from rich.markup import escape

            shown = f"{done}/{self._total or '?'}" if done or self._total else ""
            self._bar.update(
                self._task,
                completed=done,
                total=self._total or None,
                count=shown if count is None else count,
                note=escape(printable(note)),
            )
        elif self._lines and done and self._is_due(before):
            of, unit = f" of {self._total}" if self._total else "", f"{self._unit} " if self._unit else ""
            print(f"{self._label}: {unit}{done}{of}{note and f', {printable(note)}'}", file=sys.stderr, flush=True)

    def advance(self, how: str = "") -> None:
        """Count one unit more; ``how`` is a note."""
        self.update(self._done + 1, note=how)

    def _is_due(self, before: int) -> bool:
        every = self._every or (-(-self._total // self._lines) if self._total else _EVERY)
        first = self._every > 0 and before == 0
        return first or self._done // every > before // every or self._done == self._total


@contextlib.contextmanager
def show_progress(label: str, *, quiet: bool = False) -> Iterator[Report]:
    """Give a function to call after each step.

    Args:
        label: what is worked on, such as the photo's name.
        quiet: show nothing.
    """
    with Display(quiet=quiet) as display:
        task = display.begin(label, unit="step")
        yield lambda step, steps, loss: task.update(step, steps, "" if math.isnan(loss) else f"loss {loss:.4f}")


@contextlib.contextmanager
def show_count(label: str, total: int, unit: str) -> Iterator[Count]:
    """Give a function to call after each of ``total`` units of work, with a few words on how it goes.

    Args:
        label: what is made, such as a film's name.
        total: how many units there are.
        unit: what one is called, such as ``frame``.
    """
    with Display() as display:
        yield display.begin(label, total, unit=unit, lines=5).advance


@contextlib.contextmanager
def show_work() -> Iterator[Begin]:
    """Give a function that begins one task after another: given its name, it gives one to call as it goes on."""
    with Display(transient=True) as display:

        def begin(what: str) -> Progress:
            task = display.begin(what, lines=5, named=True)
            # Of a single piece of work its name says enough.
            return lambda done, whole: task.update(done, whole) if whole > 1 else None

        yield begin


@contextlib.contextmanager
def show_status(text: str, *, quiet: bool = False) -> Iterator[None]:
    """Show on a terminal, while the block lasts, what is being done; nothing elsewhere.

    Args:
        text: such as ``Loading ffhq``.
        quiet: show nothing.
    """
    with Display(quiet=quiet, transient=True, bars_only=True) as display:
        display.begin(f"{text} ...")
        yield


@contextlib.contextmanager
def download_progress(label: str, total: int) -> Iterator[Callable[..., None]]:
    """Give a function that is told how many bytes are there so far; shown on a terminal only.

    Args:
        label: what is being downloaded.
        total: its size in bytes; 0 where only the server knows, which the function is then told as ``total=``.
    """
    with Display(transient=True, bars_only=True) as display:
        task = display.begin(f"Downloading {label}", total)
        started, first = time.monotonic(), -1

        def told(done: int, total: int = total) -> None:
            nonlocal first
            first = done if first < 0 else first
            done = min(done, total) if total else done
            speed = (done - first) / 1e6 / max(time.monotonic() - started, 0.1)
            of = f"/{total / 1e6:.1f}" if total else ""
            task.update(done, total, f"{speed:.1f} MB/s", count=f"{done / 1e6:.1f}{of} MB")

        yield told
