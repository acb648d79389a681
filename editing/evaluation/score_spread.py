"""Standard deviations of scores over samples of W, and which scores are mutually exclusive."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

_SAMPLES = 400


@dataclass(frozen=True, eq=False)
class ScoreSpread:
    """The standard deviation of each score, ``[scores]``, and for each that has some, mutually exclusive scores."""

    deviations: Array
    exclusive: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def score_spread(
    G: "Generator", scorer: Scorer, *, cache: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> ScoreSpread:
    """Measure the spread of scores over samples of W.

    Taken from the shipped directions if the scorer is theirs, which has no exclusive scores; otherwise 400 pictures
    are scored, and the scores cached.

    Raises:
        InputError: the model has classes, or too few pictures could be scored.
    """
    from stylegan_latents.editing.directions.catalogue import known_directions
    from stylegan_latents.editing.discovery.exclusive import correlations, dependent_scores
    from stylegan_latents.editing.discovery.fitting.samples import sample

    for direction in known_directions(G.latent_space).values():
        stored = direction.provenance.get("score_deviations")
        if direction.provenance.get("scorer") == scorer.version and isinstance(stored, dict):
            values = [stored.get(name) for name in scorer.names]
            if all(isinstance(value, int | float) for value in values):
                return ScoreSpread(np.array(values, dtype=np.float64))
    if G.label_dim:
        raise InputError(f"The model '{G.name}' has classes; directions are evaluated on models without.")
    samples = sample(G, scorer, _SAMPLES, exact=True, cache=cache, progress=progress).valid()
    exclusive = dependent_scores(scorer.names, correlations(samples.scores), scorer.exclusive)
    return ScoreSpread(samples.deviations(), exclusive)
