"""How a run shows that it moves: a bar with the loss on a terminal, a line now and then elsewhere."""

import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

from stylegan_latents.generator.files import printable

Report = Callable[[int, int, float], None]
"""Takes the step (from 1), the number of steps (0 for unknown), and the loss (NaN where there is none)."""

_LINES = 10


@contextlib.contextmanager
def show_progress(label: str, *, quiet: bool = False) -> Iterator[Report]:
    """Give a function to call after each step; the display ends with the block.

    Args:
        label: what is worked on, such as the photo's name.
        quiet: show nothing.
    """
    if quiet:
        yield lambda _step, _steps, _loss: None
    elif sys.stderr.isatty():
        with _bar(label) as report:
            yield report
    else:
        yield lambda step, steps, loss: _line(label, step, steps, loss)


@contextlib.contextmanager
def show_status(text: str, *, quiet: bool = False) -> Iterator[None]:
    """Show on a terminal's standard error, while the block lasts, what is being done; nothing elsewhere.

    Args:
        text: such as ``Loading ffhq``.
        quiet: show nothing.
    """
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(f"{escape(printable(text))} ..."):
        yield


def _line(label: str, step: int, steps: int, loss: float) -> None:
    every = max(1, -(-steps // _LINES)) if steps else _LINES
    if step % every == 0 or step == steps:
        of = f" of {steps}" if steps else ""
        told = "" if math.isnan(loss) else f", loss {loss:.4f}"
        print(f"{printable(label)}: step {step}{of}{told}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _bar(label: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(escape(printable(label)), total=None, loss="")

        def report(step: int, steps: int, loss: float) -> None:
            told = "" if math.isnan(loss) else f"loss {loss:.4f}"
            progress.update(task, completed=step, total=steps or None, loss=told)

        yield report


Progress = Callable[[int, int], None]
"""Takes the number done and in all."""

Begin = Callable[[str], Progress]
"""Given what is going on, gives what is to be called as it goes on."""

_COUNTED_LINES = 5


class Count(Protocol):
    """Counts one unit more; ``how`` says how it goes."""

    def __call__(self, how: str = "") -> None: ...


@contextlib.contextmanager
def show_count(label: str, total: int, unit: str) -> Iterator[Count]:
    """Give a function to call after each of ``total`` units of work; the display ends with the block.

    It takes a few words on how it goes, which are shown with the count.

    Args:
        label: what is made, such as a film's name.
        total: how many units there are.
        unit: what one is called, such as ``frame``.
    """
    done = 0
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task(escape(printable(label)), total=total)

            def advance(how: str = "") -> None:
                told = f"{label}: {how}" if how else label
                progress.update(task, advance=1, description=escape(printable(told)))

            yield advance
        return

    def count(how: str = "") -> None:
        nonlocal done
        done += 1
        if done % max(1, -(-total // _COUNTED_LINES)) == 0 or done == total:
            told = f", {how}" if how else ""
            print(f"{printable(label)}: {unit} {done} of {total}{told}", file=sys.stderr, flush=True)

    yield count


@contextlib.contextmanager
def show_work() -> Iterator[Begin]:
    """A bar for one task after another: given what is going on, gives a function of the number done and in all."""
    if not sys.stderr.isatty():
        yield _in_lines
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:

        def begin(what: str) -> Progress:
            for over in bar.task_ids:
                bar.remove_task(over)
            task = bar.add_task(what, total=None)
            return lambda done, whole: bar.update(task, completed=done, total=whole)

        yield begin


def _in_lines(what: str) -> Progress:
    print(printable(what), file=sys.stderr, flush=True)
    told = 0

    def progress(done: int, whole: int) -> None:
        nonlocal told
        if whole > 1 and done * _COUNTED_LINES // whole > told:
            told = done * _COUNTED_LINES // whole
            print(f"{printable(what)}: {done} of {whole}", file=sys.stderr, flush=True)

    return progress


@contextlib.contextmanager
def download_progress(label: str, total: int) -> Iterator[Callable[..., None]]:
    """Give a function that is told how many bytes are there so far; it draws only where a person looks.

    Args:
        label: what is being downloaded.
        total: its size in bytes; 0 where only the server knows, which the function is then told as ``total=``.
    """
    if not sys.stderr.isatty():
        yield lambda _done, **_total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"Downloading {label}", total=total or None)

        def draw(done: int, total: int = total) -> None:
            progress.update(task, completed=min(done, total) if total else done, total=total or None)

        yield draw
