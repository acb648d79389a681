"""Where scores come from, by what a person names."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.progress import Begin
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.editing.discovery.scorers.scorer import Scorer

_CLASSIFIERS = (".onnx", ".pt", ".pth", ".torchscript")


@dataclass(frozen=True)
class Scored:
    """Where scores come from.

    Attributes:
        names: of all scores.
        scorer: what measures pictures; None for a table.
        table: a CSV of scores; None for a scorer.
        notes: sentences on how good the scores are, as far as that is known.
    """

    names: tuple[str, ...]
    scorer: "Scorer | None" = None
    table: Path | None = None
    notes: tuple[str, ...] = ()


def open_scores(text: str, begin: Begin) -> Scored:
    """The scores that a person names: ``faces``, ``colour``, a network's file, a CSV, or a folder.

    Raises:
        InputError: there is no such scorer, or it cannot be read.
    """
    if text == "faces":
        from stylegan_latents.editing.discovery.scorers.faces import FaceScorer

        return Scored(FaceScorer.names, FaceScorer())
    if text == "colour":
        from stylegan_latents.editing.discovery.scorers.colour import ColourScorer

        return Scored(ColourScorer.names, ColourScorer())
    path = Path(text).expanduser()
    if path.suffix in _CLASSIFIERS:
        from stylegan_latents.editing.discovery.scorers.classifier import ClassifierScorer

        network = ClassifierScorer(path)
        return Scored(network.names, network, notes=network.notes)
    if path.suffix == ".csv":
        from stylegan_latents.editing.discovery.finders.scored_codes import score_names

        return Scored(score_names(path), table=path)
    if path.is_dir():
        from stylegan_latents.editing.discovery.scorers.labelled import LabelledScorer

        learned = LabelledScorer(path, progress=begin("reading labelled pictures"))
        return Scored(learned.names, learned, notes=learned.notes)
    raise InputError(
        f"There is no scorer '{text}': give faces, colour, an .onnx or TorchScript file, a .csv, or a folder."
    )
