"""How much of a download is done, drawn on a terminal's standard error."""

import contextlib
import sys
from collections.abc import Callable, Iterator


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
