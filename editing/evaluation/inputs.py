"""The inputs of an evaluation from the options: scorer, generator, directions, identity."""

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.command import choose_device
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.discovery.scorers.scorer import Scorer
    from stylegan_latents.editing.evaluation.evaluator import Contender
    from stylegan_latents.generator.cli.progress import Begin, Progress
    from stylegan_latents.generator.generator import Generator


def open_scorer(text: str, scores: "Sequence[str]", begin: "Begin", *, trusted: bool = False) -> "Scorer":
    """The scorer of this name or in this file; InputError if it lacks one of the scores, or is a table."""
    from stylegan_latents.editing.discovery.scorers import by_name
    from stylegan_latents.editing.discovery.scorers.table import ScoreTable

    scorer = by_name.open_scorer(text, begin, trusted=trusted)
    if isinstance(scorer, ScoreTable):
        raise InputError(f"{text} is a table, which scores no new pictures; give a scorer of pictures.")
    for line in scorer.notes:
        print(printable(line))
    for name in scores:
        if name not in scorer.names:
            raise InputError(f"There is no score '{name}'; {text} has {', '.join(scorer.names)}.")
    return scorer


def load_generator(model: str | None, device: str | None) -> "Generator":
    """The generator, in a precision sufficient for scores."""
    import torch

    from stylegan_latents.generator.loading import DEFAULT_MODEL, load
    from stylegan_latents.generator.precision import resolve_precision

    G = load(model or DEFAULT_MODEL).to(choose_device(device))
    if G.label_dim:
        raise InputError(f"The model '{G.name}' has classes; directions are evaluated on models without.")
    return G.to(dtype=torch.bfloat16) if resolve_precision("auto", G.device) == "bfloat16" else G


def find_directions(named: "Sequence[str]", G: "Generator") -> "list[tuple[str, Direction]]":
    """The directions with unique labels for tables; all of the model by default."""
    from stylegan_latents.editing.directions.catalogue import find_direction, known_directions

    if not named:
        named = list(known_directions(G.latent_space))
    if not named:
        raise InputError(f"No direction is known for the model '{G.name}'; name one with --direction.")
    found = [(text, find_direction(text, G)) for text in dict.fromkeys(named)]
    return list(zip(_labels(found), [one for _, one in found], strict=True))


def _labels(found: "Sequence[tuple[str, Direction]]") -> list[str]:
    """The name of each; for equal names the file's name, and for equal files what was typed."""
    names = [one.name for _, one in found]
    files = [Path(text).name for text, _ in found]
    labels = []
    for (text, _), name, file in zip(found, names, files, strict=True):
        labels.append(name if names.count(name) == 1 else file if files.count(file) == 1 else text)
    return labels


def contenders(
    named: "Sequence[str]", scores: "Sequence[str]", scorer: "Scorer", G: "Generator"
) -> "list[Contender]":
    """The directions, see ``find_directions``, with their scores: one for all, one each, or a direction's own."""
    from stylegan_latents.editing.evaluation.evaluator import Contender

    found = find_directions(named, G)
    wanted: list[str | None] = [*scores] * (len(found) if len(scores) == 1 else 1)
    if not wanted:
        own = [str(one.provenance.get("score", one.name)) for _, one in found]
        wanted = [name if name in scorer.names else None for name in own]
    return [Contender(label, one, score) for (label, one), score in zip(found, wanted, strict=True)]


def counter(progress: "Progress", total: int) -> "Callable[[], None]":
    done = itertools.count(1)
    return lambda: progress(next(done), total)
