"""Tables of scores: a CSV with a row for each picture and a column for each score."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from stylegan_latents.generator.cli.command import LARGEST_SEED
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.tables import read_csv

if TYPE_CHECKING:
    from stylegan_latents.generator.cli.progress import Begin
    from stylegan_latents.generator.seeds import RandomSource

RECORD, TRUNCATION = "record", "truncation"
SEEDS: "dict[str, RandomSource]" = {"seed": "numpy", "torch_seed": "torch"}
"""The columns that say which picture a line is about; those of seeds, with whose random numbers they draw."""


@dataclass(frozen=True)
class ScoreTable:
    """Scores of pictures that are named by their seeds or records.

    The column ``seed`` names a picture of ``edit sample``, whose truncation is in the column ``truncation`` where
    there is one; the column ``torch_seed`` one of ``edit sample --random torch``; or the column ``record`` names an
    inversion's file, from the CSV's folder. Every other column is a score; an empty cell or ``nan`` is none.

    Attributes:
        path: of the CSV.
        names: of the scores.
        rows: the number of each line, and its cells by column.
    """

    path: Path
    names: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]

    @classmethod
    def open(cls, text: str, begin: "Begin", *, trusted: bool = False) -> Self:  # noqa: ARG003 - as scorers are
        """The table in a file."""
        return cls.read(Path(text).expanduser())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a CSV with a header.

        Raises:
            InputError: the file is missing or malformed.
        """
        if not path.is_file():
            raise InputError(f"There is no file {path}.")
        header, rows = read_csv(path)
        keys = [key for key in (*SEEDS, RECORD) if key in header]
        names = [name for name in header if name not in (*SEEDS, RECORD, TRUNCATION)]
        if len(keys) != 1 or not names or len(set(header)) != len(header) or "" in header:
            raise InputError(
                f"{path} needs a header with either seed or {RECORD}, and a column with a name of its own for "
                "each score."
            )
        if not rows:
            raise InputError(f"{path} holds no scores.")
        for line, row in rows:
            if "" in row:
                raise InputError(f"Line {line} of {path} has more cells than the header.")
        return cls(path, tuple(names), tuple(rows))

    @property
    def seed_column(self) -> str | None:
        """Which of ``SEEDS`` names the pictures; None where records do."""
        return next((name for name in SEEDS if name in self.rows[0][1]), None)

    def number(self, text: str, name: str, line: int) -> float:
        """The number in a cell of the column ``name``; NaN where there is none.

        Raises:
            InputError: the cell holds something else.
        """
        try:
            value = float(text) if text.strip() else math.nan
        except ValueError as error:
            raise InputError(f"Line {line} of {self.path} has '{text}' for {name}, which is no number.") from error
        return value if math.isfinite(value) else math.nan

    def seed(self, text: str, line: int) -> int:
        """The seed in a cell.

        Raises:
            InputError: the cell holds something else.
        """
        if not text.strip().isdecimal() or len(text.strip()) > 20 or int(text) > LARGEST_SEED:
            raise InputError(
                f"Line {line} of {self.path} has '{text}' for a seed, which is a whole number from 0 to "
                f"{LARGEST_SEED}."
            )
        return int(text)
