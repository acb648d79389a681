"""How a run shows that it moves: a bar with the loss on a terminal, a line now and then elsewhere."""

import contextlib
import math
import sys
from collections.abc import Callable, Iterator

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

    with Console(stderr=True).status(f"{escape(text)} ..."):
        yield


def _line(label: str, step: int, steps: int, loss: float) -> None:
    every = max(1, -(-steps // _LINES)) if steps else _LINES
    if step % every == 0 or step == steps:
        of = f" of {steps}" if steps else ""
        told = "" if math.isnan(loss) else f", loss {loss:.4f}"
        print(f"{label}: step {step}{of}{told}", file=sys.stderr, flush=True)


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
        task = progress.add_task(escape(label), total=None, loss="")

        def report(step: int, steps: int, loss: float) -> None:
            told = "" if math.isnan(loss) else f"loss {loss:.4f}"
            progress.update(task, completed=step, total=steps or None, loss=told)

        yield report
