"""A studio of a small random generator, and a visit in it with a few faces."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_latents.demo.page.running import Done
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.editing.directions import catalogue
from stylegan_latents.editing.directions.direction import Direction
from tests.small_models import small_generator, small_record

NAMES = ("ann", "bob", "cleo")


@contextmanager
def visiting(folder: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...] = NAMES) -> Iterator[Visit]:
    """A visit whose faces are the small generator's first seeds, in the order of their names."""
    G = small_generator(latent_space="small-w")
    smile = Direction("smile", "small-w", torch.ones(1, G.w_dim), 1.0, provenance={"positive": "smiles more"})
    monkeypatch.setattr(catalogue, "all_shipped", lambda: {"small-w": {"smile": smile}})
    studio = Studio(G, folder=folder)
    try:
        visit = studio.enter("a session")
        for seed, name in enumerate(names):
            visit.add(small_record(G, ws=G.sample([seed], random="torch")), name)
        yield visit
    finally:
        studio.close()


class StopsAfter(threading.Event):
    """A visitor who asks to stop after so many reports of the work.

    Args:
        visit: whose work it is.
        reports: how many.
        keep: whether what was found is wanted.
    """

    def __init__(self, visit: Visit, reports: int, *, keep: bool = False) -> None:
        super().__init__()
        self._visit, self._keep = visit, keep
        self._left = reports  # the first time that it is asked is before the work

    def is_set(self) -> bool:
        self._left -= 1
        if self._left >= 0:
            return False
        self._visit.keep = self._keep
        return True


def report_all(_visit: Visit, work: Callable[[Callable[[Any], None]], Any], **_: object) -> Iterator[Any]:
    """In the place of ``run_reporting``: all that the work reports, whatever the time."""
    reports: list[Any] = []
    result = work(reports.append)
    yield from reports
    yield Done(result)
