"""The progress display on stderr: a bar on a terminal, otherwise a line now and then, or nothing if quiet.

``Display`` shows it; the functions adapt it to steps with a loss, units of a known number, a series of tasks, bytes
of a download, or work without a measure.
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
"""Takes the step (from 1), the number of steps (0 if unknown), and the loss (NaN if there is none)."""

Progress = Callable[[int, int], None]
"""Takes the number of units done and the total."""

Begin = Callable[[str], Progress]
"""Takes the name of a task and begins it; returns the function that reports its progress."""

_EVERY = 10  # steps between lines if the total is unknown


class ShowProgress(Protocol):
    """As ``show_progress``."""

    def __call__(self, label: str, *, quiet: bool = False) -> contextlib.AbstractContextManager[Report]: ...


class Count(Protocol):
    """Counts one more unit; ``note`` is shown beside."""

    def __call__(self, note: str = "") -> None: ...


class Display:
    """Shows one task at a time, within its ``with`` block.

    Args:
        quiet: show nothing.
        transient: remove the bar from the terminal at the end.
        bars_only: show nothing without a terminal.
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
        """Start a task; it replaces the one before.

        Args:
            label: such as a photo's name.
            total: number of units; 0 if it is known later or never.
            unit: its name in a line, such as ``step``.
            lines: about how many are printed without a terminal.
            every: instead, print one every so many units, and for the first.
            named: print the label first.
        """
        if named and self._lines:
            print(printable(label), file=sys.stderr, flush=True)
        task = Task(label, total, unit, lines if self._lines else 0, every, self._bar)
        task.update(0)
        return task

    def say(self, text: str) -> None:
        """Print a result on stdout, above the bar where both are on a terminal."""
        if self._bar is not None and sys.__stdout__ is not None:
            # The bar has taken sys.stdout, and would print on stderr.
            if not sys.__stdout__.isatty():
                print(text, file=sys.__stdout__, flush=True)
                return
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
            return
        print(text, flush=True)


class Task:
    """A task of a ``Display``."""

    def __init__(self, label: str, total: int, unit: str, lines: int, every: int, bar: "Bar | None") -> None:
        self._label, self._total, self._unit, self._lines, self._every = printable(label), total, unit, lines, every
        self._bar, self._done = bar, 0
        if bar is not None:
            from rich.markup import escape

            for ended in bar.task_ids:
                bar.remove_task(ended)
            self._task = bar.add_task(escape(self._label), total=None, count="", note="")

    def update(self, done: int, total: int | None = None, note: str = "", *, count: str | None = None) -> None:
        """Show the progress.

        Args:
            done: units done.
            total: in all, 0 if unknown; None to keep it.
            note: such as ``loss 0.1``.
            count: shown by a bar instead of ``done/total``.
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

    def advance(self, note: str = "") -> None:
        """Count one more unit."""
        self.update(self._done + 1, note=note)

    def _is_due(self, before: int) -> bool:
        every = self._every or (-(-self._total // self._lines) if self._total else _EVERY)
        first = self._every > 0 and before == 0
        return first or self._done // every > before // every or self._done == self._total


@contextlib.contextmanager
def show_progress(label: str, *, quiet: bool = False) -> Iterator[Report]:
    """Yield a function to call after each step; ``label`` is a name such as the photo's."""
    with Display(quiet=quiet) as display:
        task = display.begin(label, unit="step")
        yield lambda step, steps, loss: task.update(step, steps, "" if math.isnan(loss) else f"loss {loss:.4f}")


@contextlib.contextmanager
def show_count(label: str, total: int, unit: str) -> Iterator[Count]:
    """Yield a function to call after each of ``total`` units of work, such as the frames of a film."""
    with Display() as display:
        yield display.begin(label, total, unit=unit, lines=5).advance


@contextlib.contextmanager
def show_work() -> Iterator[Begin]:
    """Yield a ``Begin``, which starts one task after another."""
    with Display(transient=True) as display:

        def begin(what: str) -> Progress:
            task = display.begin(what, lines=5, named=True)
            # For a single unit of work its name is enough.
            return lambda done, whole: task.update(done, whole) if whole > 1 else None

        yield begin


@contextlib.contextmanager
def show_status(text: str, *, quiet: bool = False) -> Iterator[None]:
    """Show ``text``, such as ``Loading ffhq``, on a terminal while the block lasts."""
    with Display(quiet=quiet, transient=True, bars_only=True) as display:
        display.begin(f"{text} ...")
        yield


@contextlib.contextmanager
def download_progress(label: str, total: int) -> Iterator[Callable[..., None]]:
    """Yield a function of the bytes received so far, and of the ``total`` if only the server knows it (0).

    Without a terminal one line names the file.
    """
    with Display(transient=True) as display:
        task = display.begin(f"Downloading {label}", total, lines=0, named=True)
        started, first = time.monotonic(), -1

        def update(done: int, total: int = total) -> None:
            nonlocal first
            first = done if first < 0 else first
            done = min(done, total) if total else done
            speed = (done - first) / 1e6 / max(time.monotonic() - started, 0.1)
            of = f"/{total / 1e6:.1f}" if total else ""
            task.update(done, total, f"{speed:.1f} MB/s", count=f"{done / 1e6:.1f}{of} MB")

        yield update
