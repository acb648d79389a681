"""The inputs of an evaluation, from what a user typed: scorer, generator, directions, identity."""

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
    from stylegan_latents.generator.cli.progress import Begin, Progress
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.faces.identity import Identity


def open_scorer(text: str, begin: "Begin") -> "Scorer":
    """What measures pictures.

    Raises:
        InputError: there is no such scorer, or it is a table, which measures none.
    """
    from stylegan_latents.editing.discovery.scorers import by_name
    from stylegan_latents.editing.discovery.scorers.table import ScoreTable

    scorer = by_name.open_scorer(text, begin)
    if isinstance(scorer, ScoreTable):
        raise InputError(f"{text} is a table, which scores no new picture; give what measures pictures.")
    for line in scorer.notes:
        print(printable(line))
    return scorer


def load_generator(model: str | None, device: str | None) -> "Generator":
    """The generator, in the precision that is enough for scores."""
    import torch

    from stylegan_latents.generator.loading import DEFAULT_MODEL, load
    from stylegan_latents.generator.precision import resolve_precision

    G = load(model or DEFAULT_MODEL).to(choose_device(device))
    if G.label_dim:
        raise InputError(f"The model '{G.name}' has classes; directions are evaluated on models without.")
    return G.to(dtype=torch.bfloat16) if resolve_precision("auto", G.device) == "bfloat16" else G


def find_directions(named: "Sequence[str]", G: "Generator") -> "list[tuple[str, Direction]]":
    """The directions with the names that tables call them, each name once.

    Raises:
        InputError: a direction is unknown, or none is known for this model.
    """
    from stylegan_latents.editing.directions.catalogue import find_direction, known_directions

    if not named:
        named = list(known_directions(G.latent_space))
    if not named:
        raise InputError(f"No direction is known for the model '{G.name}'; name one with --direction.")
    found = [(text, find_direction(text, G)) for text in dict.fromkeys(named)]
    return list(zip(_labels(found), [one for _, one in found], strict=True))


def _labels(found: "Sequence[tuple[str, Direction]]") -> list[str]:
    """A name for each; where two share one, the file's, and where they share that, too, what was typed."""
    names = [one.name for _, one in found]
    files = [Path(text).name for text, _ in found]
    labels = []
    for (text, _), name, file in zip(found, names, files, strict=True):
        labels.append(name if names.count(name) == 1 else file if files.count(file) == 1 else text)
    return labels


def own_score(direction: "Direction", scorer: "Scorer") -> str | None:
    name = str(direction.provenance.get("score", direction.name))
    return name if name in scorer.names else None


def identity_measure(wanted: bool) -> "Identity | None":
    if not wanted:
        return None
    from stylegan_latents.invert.faces.identity import Identity

    return Identity()


def counter(progress: "Progress", total: int) -> "Callable[[], None]":
    done = itertools.count(1)
    return lambda: progress(next(done), total)
