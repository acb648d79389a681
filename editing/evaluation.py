"""Directions side by side: what each is for, what else it changes, whose face it leaves, how far pictures drift."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from editing.discovery.scorer import Array, Scorer
from generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from editing.direction import Direction
    from generator.generator import Generator
    from generator.metrics.frechet import Features
    from invert.identity import Embedding, Identity

_BATCH = 4
_SCORED_SAMPLES = 400
# Below that, in deviations of the score, a direction is not said to change it, and nothing is divided by it.
_LEAST_CHANGE = 0.05


@dataclass(frozen=True, eq=False)
class Contender:
    """A direction to evaluate.

    Attributes:
        label: what tables call it.
        direction: bound to the generator.
        score: the score that it is meant to change; None for the one that it changes most.
    """

    label: str
    direction: "Direction"
    score: str | None = None


@dataclass(frozen=True, eq=False)
class AtStrength:
    """What one strength of a direction did to N codes.

    Attributes:
        strength: as it was asked for.
        changes: of every score, in standard deviations of the score over samples of W, ``[N, scores]``; NaN where
            a picture could not be scored.
        distances: identity distance of each picture from the unedited one, ``[N]``; NaN where a face was not found
            or none was looked for.
        drift: squared Frechet distance of the edited pictures' features from the unedited ones'; NaN where it was
            not measured. Of few codes it is only to be compared with that of the same codes.
    """

    strength: float
    changes: Array
    distances: Array
    drift: float

    @property
    def identity(self) -> float:
        """The mean identity distance; NaN where there is none."""
        return _mean(self.distances)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured of one direction.

    Attributes:
        label: of the direction.
        score: what it is meant to change.
        names: of all scores.
        judged: the scores that leakage is about, beside its own.
        at: one entry for each strength.
    """

    label: str
    score: str
    names: tuple[str, ...]
    judged: tuple[str, ...]
    at: tuple[AtStrength, ...]

    def moved(self, there: AtStrength) -> Array:
        """The mean signed change of every score, in deviations, ``[scores]``."""
        return np.array([_mean(column) for column in there.changes.T])

    def intended(self, there: AtStrength) -> float:
        """The mean change of its own score, in deviations."""
        return float(self.moved(there)[self.names.index(self.score)])

    def leakage(self, there: AtStrength) -> float:
        """The mean size of the changes in the other judged scores over that in its own; NaN where that is still."""
        sizes = np.array([_mean(column) for column in np.abs(there.changes).T])
        own = sizes[self.names.index(self.score)]
        others = [i for i, name in enumerate(self.names) if name in self.judged and name != self.score]
        return float(_mean(sizes[others]) / own) if own >= _LEAST_CHANGE else float("nan")

    @property
    def per_unit(self) -> float:
        """The median change of its own score for one unit of strength, over all codes and strengths."""
        own = self.names.index(self.score)
        changes = np.concatenate([there.changes[:, own] / there.strength for there in self.at])
        changes = changes[np.isfinite(changes)]
        return float(np.median(changes)) if len(changes) else float("nan")

    @property
    def mean_leakage(self) -> float:
        """The mean over the strengths of :meth:`leakage`."""
        return _mean(np.array([self.leakage(there) for there in self.at]))

    def for_one_deviation(self, measure: Callable[[AtStrength], float]) -> float:
        """A measure for one deviation of the intended change, the mean over the strengths.

        Strengths of different finders are different amounts; this is what the same change costs with each.
        """
        costs = [
            measure(there) / abs(self.intended(there))
            for there in self.at
            if abs(self.intended(there)) >= _LEAST_CHANGE
        ]
        return _mean(np.array(costs))


@dataclass(frozen=True, eq=False)
class _Looks:
    """Everything that is measured of pictures."""

    scores: Array
    faces: "list[Embedding | None]"
    features: "Tensor | None"


class Evaluator:
    """Edits codes along directions and measures the pictures; each is drawn once for all measures.

    Args:
        G: the generator; its precision is used as it is (bfloat16 is enough).
        scorer: measures pictures.
        deviations: of each score over samples of W, as :func:`score_deviations` gives them.
        ws: the codes to edit, ``[N, num_ws, w_dim]``.
        judged: the scores that leakage is about; all of them when None.
        identity: measures how far apart faces are; None for no such measure.
        features: what the Frechet distance is taken in; None for no such measure.
        size: side of the pictures, or the generator's resolution where that is smaller.
        count: called after each picture.

    Raises:
        InputError: none of the unedited pictures could be scored.
        ValueError: the deviations are not one for each score, or a judged score is unknown.
    """

    def __init__(
        self,
        G: "Generator",
        scorer: Scorer,
        deviations: Array,
        ws: "Tensor",
        *,
        judged: Sequence[str] | None = None,
        identity: "Identity | None" = None,
        features: "Features | None" = None,
        size: int = 256,
        count: Callable[[], None] = lambda: None,
    ) -> None:
        self.G, self.scorer, self.ws = G, scorer, ws
        self.names = tuple(scorer.names)
        self.judged = self.names if judged is None else tuple(judged)
        if deviations.shape != (len(self.names),) or not set(self.judged) <= set(self.names):
            raise ValueError(f"deviations need one value for each of {', '.join(self.names)}, as judged scores are")
        # A score that is the same for all samples has no deviation to be measured in.
        self.deviations = np.where(deviations > 0, deviations, np.nan)
        self._identity, self._features, self._count = identity, features, count
        self._size = min(size, G.resolution)
        self._before = self._look(None, 0.0)
        if not np.isfinite(self._before.scores).any():
            raise InputError(
                f"None of the {len(ws)} pictures could be scored; use a scorer that fits what this model shows."
            )

    def evaluate(
        self,
        contender: Contender,
        strengths: Sequence[float],
        *,
        rows: Sequence[int] | None = None,
        raw: bool = False,
    ) -> Evaluation:
        """Edit all codes at all strengths, and measure.

        Args:
            contender: the direction and its score.
            strengths: other than 0.
            rows, raw: as for :func:`editing.edit.edited_styles`.

        Raises:
            InputError: the scorer lacks the score, or the edits left no picture that could be scored.
        """
        if not strengths or 0 in strengths:
            raise ValueError("strengths have to be one at least, and other than 0")
        if contender.score is not None and contender.score not in self.names:
            raise InputError(f"There is no score '{contender.score}'; there are {', '.join(self.names)}.")
        at = []
        for strength in strengths:
            after = self._look(contender.direction, strength, rows=rows, raw=raw)
            at.append(
                AtStrength(
                    strength,
                    (after.scores - self._before.scores) / self.deviations,
                    self._distances(after.faces),
                    self._drift(after.features),
                )
            )
        score = contender.score or self._moved_most(contender.label, at)
        own = self.names.index(score)
        if not any(np.isfinite(there.changes[:, own]).any() for there in at):
            raise InputError(f"The score '{score}' could not be measured on any edit along {contender.label}.")
        return Evaluation(contender.label, score, self.names, self.judged, tuple(at))

    def _look(
        self,
        direction: "Direction | None",
        strength: float,
        *,
        rows: Sequence[int] | None = None,
        raw: bool = False,
    ) -> _Looks:
        import torch

        from editing.edit import edited_styles
        from generator.ops.memory import keep_freed_memory

        edits = [] if direction is None else [(direction, strength)]
        scores: list[Array] = []
        faces: list[Embedding | None] = []
        features: list[Tensor] = []
        with torch.no_grad(), keep_freed_memory():
            for start in range(0, len(self.ws), _BATCH):
                part = self.ws[start : start + _BATCH]
                styles = edited_styles(self.G, part, edits, rows=rows, raw=raw)
                images = self.G.synthesize_styles(styles, size=self._size)
                scores.append(self.scorer(images))
                if self._identity is not None:
                    faces += self._identity.embed_aligned(images)
                if self._features is not None:
                    features.append(self._features(images))
                for _ in part:
                    self._count()
        return _Looks(np.concatenate(scores), faces, torch.cat(features) if features else None)

    def _distances(self, faces: "list[Embedding | None]") -> Array:
        if self._identity is None:
            return np.full(len(self.ws), np.nan)
        return np.array(
            [
                np.nan if one is None or two is None else self._identity.distance(one, two)
                for one, two in zip(self._before.faces, faces, strict=True)
            ]
        )

    def _drift(self, features: "Tensor | None") -> float:
        from generator.metrics.frechet import FeatureStatistics, frechet_distance

        if features is None or self._before.features is None:
            return float("nan")
        return frechet_distance(FeatureStatistics.of([self._before.features]), FeatureStatistics.of([features]))

    def _moved_most(self, label: str, at: Sequence[AtStrength]) -> str:
        """The judged score that changes most with the sign of the strength."""
        slopes = np.array(
            [
                _mean(np.array([_mean(there.changes[:, self.names.index(name)]) / there.strength for there in at]))
                for name in self.judged
            ]
        )
        if not np.isfinite(slopes).any():
            raise InputError(f"No score could be measured on any edit along {label}.")
        return self.judged[int(np.nanargmax(np.abs(slopes)))]


def score_deviations(
    G: "Generator",
    scorer: Scorer,
    *,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Array:
    """The standard deviation of each score over samples of W, ``[len(scorer.names)]``.

    Those that the shipped directions were calibrated with where the scorer is theirs; otherwise 400 pictures are
    scored, and their scores kept in the cache folder.

    Raises:
        InputError: the model has classes, or too few pictures could be scored.
    """
    from editing.direction import known
    from editing.discovery.samples import sample

    for direction in known(G.latent_space).values():
        stored = direction.provenance.get("score_deviations")
        if direction.provenance.get("scorer") == scorer.version and isinstance(stored, dict):
            values = [stored.get(name) for name in scorer.names]
            if all(isinstance(value, int | float) for value in values):
                return np.array(values, dtype=np.float64)
    if G.label_dim:
        raise InputError(f"The model '{G.name}' has classes; directions are evaluated on models without.")
    return sample(G, scorer, _SCORED_SAMPLES, exact=True, cache=cache, progress=progress).valid().deviations()


def _mean(values: Array) -> float:
    """The mean of the finite values; NaN where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
