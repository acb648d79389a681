"""The registry of scorers, by name or by kind of file."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.generator.cli.progress import Begin
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.editing.discovery.scorers.scorer import Scorer
    from stylegan_latents.editing.discovery.scorers.table import ScoreTable

TrustScorer = Annotated[
    bool,
    typer.Option(
        "--trust-scorer",
        help="Run a TorchScript network also where the system has no sandbox for it: it can read and write files.",
    ),
]
"""The option to trust a scorer's file."""

_HERE = "stylegan_latents.editing.discovery.scorers"


@dataclass(frozen=True)
class ScorerEntry:
    """A scorer, and what names it.

    Attributes:
        where: module and class, ``package.module:Class``; imported when it is used.
        words: what a person gives, as help pages list it.
        summary: what it measures.
        suffixes: of the files that it is read from.
        folder: whether it is read from a folder.
        new_pictures: whether it scores new pictures; a table of scores does not.
    """

    where: str
    words: str
    summary: str
    suffixes: tuple[str, ...] = ()
    folder: bool = False
    new_pictures: bool = True

    def opens(self, name: str, text: str) -> bool:
        """Whether ``text`` names it, where ``name`` is its key in ``SCORERS``."""
        path = Path(text).expanduser()
        if self.suffixes or self.folder:
            return path.suffix in self.suffixes or (self.folder and path.is_dir())
        return text == name


SCORERS: dict[str, ScorerEntry] = {
    "faces": ScorerEntry(f"{_HERE}.faces:FaceScorer", "faces", "pose, expression, age and looks of aligned faces"),
    "colour": ScorerEntry(f"{_HERE}.colour:ColourScorer", "colour", "lightness and colours of the whole picture"),
    "network": ScorerEntry(
        f"{_HERE}.classifier:ClassifierScorer", "an .onnx or TorchScript file", "outputs of a network",
        suffixes=(".onnx", ".pt", ".pth", ".torchscript"),
    ),
    "table": ScorerEntry(
        f"{_HERE}.table:ScoreTable", "a .csv of scores", "scores made elsewhere", suffixes=(".csv",),
        new_pictures=False,
    ),
    "folder": ScorerEntry(
        f"{_HERE}.labelled:LabelledScorer", "a folder with a folder of pictures for each label",
        "classes of labelled pictures", folder=True,
    ),
}  # fmt: skip
"""Names, and kinds of files and folders, to scorers; the first entry that fits is taken."""


def scorer_words(*, new_pictures: bool = False) -> str:
    """What ``--scorer`` takes, as a list in words.

    Args:
        new_pictures: whether to leave out what does not score new pictures.
    """
    words = [entry.words for entry in SCORERS.values() if entry.new_pictures or not new_pictures]
    return f"{', '.join(words[:-1])}, or {words[-1]}"


def open_scorer(text: str, begin: Begin, *, trusted: bool = False) -> "Scorer | ScoreTable":
    """Open a scorer, or a table of scores.

    Args:
        text: a name in ``SCORERS``, or the path of a file or folder.
        begin: makes a progress bar.
        trusted: whether a program in a file may run where the system has no sandbox for it.

    Raises:
        InputError: there is no such scorer, or it cannot be read.
    """
    for name, entry in SCORERS.items():
        if entry.opens(name, text):
            module, _, class_name = entry.where.partition(":")
            scorer: type[Scorer] | type[ScoreTable] = getattr(importlib.import_module(module), class_name)
            return scorer.open(text, begin, trusted=trusted)
    raise InputError(f"There is no scorer '{text}': give {scorer_words()}.")
