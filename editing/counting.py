"""How far along a command is, on stderr: a bar on a terminal, a line now and then elsewhere."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

Progress = Callable[[int, int], None]
"""Takes the number done and in all."""
Begin = Callable[[str], Progress]
"""Given what is going on, gives what is to be called as it goes on."""

_LINES = 5


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
            task = progress.add_task(escape(label), total=total)

            def advance(how: str = "") -> None:
                told = f"{label}: {how}" if how else label
                progress.update(task, advance=1, description=escape(told))

            yield advance
        return

    def count(how: str = "") -> None:
        nonlocal done
        done += 1
        if done % max(1, -(-total // _LINES)) == 0 or done == total:
            told = f", {how}" if how else ""
            print(f"{label}: {unit} {done} of {total}{told}", file=sys.stderr, flush=True)

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
    print(what, file=sys.stderr, flush=True)
    told = 0

    def progress(done: int, whole: int) -> None:
        nonlocal told
        if whole > 1 and done * _LINES // whole > told:
            told = done * _LINES // whole
            print(f"{what}: {done} of {whole}", file=sys.stderr, flush=True)

    return progress
