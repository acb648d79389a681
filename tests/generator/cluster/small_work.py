"""Work for workers in tests."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from stylegan_latents.generator.errors import InputError


class Doubling:
    """Doubles numbers; dies of some, until their marks in a folder say that they killed often enough.

    Args:
        folder: of the marks.
        deadly: how many workers each of these numbers kills.
        refused: a number that cannot be doubled.
    """

    model = "doubling"

    def __init__(
        self, folder: Path, batch: int = 1, deadly: dict[int, int] | None = None, refused: int | None = None
    ) -> None:
        self.folder, self.batch, self.deadly, self.refused = folder, batch, deadly or {}, refused

    def __call__(self, items: Sequence[int]) -> list[int]:
        for number in items:
            if number == self.refused:
                raise InputError(f"{number} cannot be doubled.")
            deaths = len(list(self.folder.glob(f"{number}.*")))
            if deaths < self.deadly.get(number, 0):
                (self.folder / f"{number}.{deaths}").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return [2 * number for number in items]


class FalseStart:
    """Dies while it starts."""

    batch, model = 1, ""

    def __init__(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def __call__(self, items: Sequence[int]) -> None:
        raise AssertionError(items)


class OwnModel:
    """Has another model in every process."""

    batch = 1

    def __init__(self) -> None:
        self.model = str(os.getpid())

    def __call__(self, items: Sequence[int]) -> list[int]:
        time.sleep(0.2)
        return list(items)
