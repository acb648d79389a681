"""Measures intended change, leakage, identity and drift of directions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer
from stylegan_latents.editing.evaluation.results import AtStrength, Evaluation, mean
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.metrics.frechet import Features
    from stylegan_latents.invert.faces.identity import Embedding, Identity

_BATCH = 4


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
class _Measured:
    """Measurements of pictures."""

    scores: Array
    faces: "list[Embedding | None]"
    features: "Tensor | None"


def nothing() -> None:
    """Counts nothing."""


class Evaluator:
    """Edits codes along directions and measures the pictures; each is synthesized once for all measures.

    Args:
        G: the generator, in any precision (bfloat16 is enough).
        scorer: scores pictures.
        deviations: of each score over samples of W, see ``score_spread``.
        ws: the codes to edit, ``[N, num_ws, w_dim]``.
        judged: the scores that count as leakage; None for all.
        exclusive: for each score, mutually exclusive ones, which do not count as leakage.
        identity: the identity distance; None to leave it out.
        features: of the Frechet distance; None to leave it out.
        size: largest side of the pictures.
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
        exclusive: Mapping[str, Sequence[str]] | None = None,
        identity: "Identity | None" = None,
        features: "Features | None" = None,
        size: int = 256,
        count: Callable[[], None] = nothing,
    ) -> None:
        self.G, self.scorer, self.ws = G, scorer, ws
        self.names = tuple(scorer.names)
        self.judged = self.names if judged is None else tuple(judged)
        self.exclusive = dict(exclusive or {})
        if deviations.shape != (len(self.names),) or not set(self.judged) <= set(self.names):
            raise ValueError(f"deviations need one value for each of {', '.join(self.names)}, as judged scores are")
        # A score that is constant over the samples has no deviation.
        self.deviations = np.where(deviations > 0, deviations, np.nan)
        self._identity, self._features, self._count = identity, features, count
        self._size = min(size, G.resolution)
        self._before = self._measure(None, 0.0)
        if not np.isfinite(self._before.scores).any():
            raise InputError(
                f"None of the {len(ws)} pictures could be scored; use a scorer that fits what this model shows."
            )

    def __getstate__(self) -> dict[str, object]:
        """Without ``count``, which belongs to this process: for a worker of a cluster."""
        return self.__dict__ | {"_count": nothing}

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
            rows, raw: see ``edited_styles``.

        Raises:
            InputError: the scorer lacks the score, or the edits left no picture that could be scored.
        """
        if not strengths or 0 in strengths:
            raise ValueError("strengths have to be one at least, and other than 0")
        if contender.score is not None and contender.score not in self.names:
            raise InputError(f"There is no score '{contender.score}'; there are {', '.join(self.names)}.")
        at = []
        for strength in strengths:
            after = self._measure(contender.direction, strength, rows=rows, raw=raw)
            changes = (after.scores - self._before.scores) / self.deviations
            at.append(AtStrength(strength, changes, self._distances(after.faces), self._drift(after.features)))
        score = contender.score or self._moved_most(contender.label, at)
        own = self.names.index(score)
        if not any(np.isfinite(result.changes[:, own]).any() for result in at):
            raise InputError(f"The score '{score}' could not be measured on any edit along {contender.label}.")
        exclusive = tuple(self.exclusive.get(score, ()))
        return Evaluation(contender.label, score, self.names, self.judged, tuple(at), exclusive)

    def _measure(
        self,
        direction: "Direction | None",
        strength: float,
        *,
        rows: Sequence[int] | None = None,
        raw: bool = False,
    ) -> _Measured:
        import torch

        from stylegan_latents.editing.directions.apply import edited_styles
        from stylegan_latents.generator.ops.memory import keep_freed_memory
        from stylegan_latents.generator.perceptual import as_colour

        edits = [] if direction is None else [(direction, strength)]
        scores: list[Array] = []
        faces: list[Embedding | None] = []
        features: list[Tensor] = []
        with torch.no_grad(), keep_freed_memory():
            for start in range(0, len(self.ws), _BATCH):
                part = self.ws[start : start + _BATCH]
                styles = edited_styles(self.G, part, edits, rows=rows, raw=raw)
                images = as_colour(self.G.synthesize_styles(styles, size=self._size))
                scores.append(self.scorer.score(images))
                if self._identity is not None:
                    faces += self._identity.embed_aligned(images)
                if self._features is not None:
                    features.append(self._features(images))
                for _ in part:
                    self._count()
        return _Measured(np.concatenate(scores), faces, torch.cat(features) if features else None)

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
        from stylegan_latents.generator.metrics.frechet import FeatureStatistics, frechet_distance

        if features is None or self._before.features is None:
            return float("nan")
        return frechet_distance(FeatureStatistics.of([self._before.features]), FeatureStatistics.of([features]))

    def _moved_most(self, label: str, at: Sequence[AtStrength]) -> str:
        """The judged score with the largest change in proportion to the strength."""
        columns = [self.names.index(name) for name in self.judged]
        slopes = np.array(
            [mean(np.array([mean(result.changes[:, i]) / result.strength for result in at])) for i in columns]
        )
        if not np.isfinite(slopes).any():
            raise InputError(f"No score could be measured on any edit along {label}.")
        return self.judged[int(np.nanargmax(np.abs(slopes)))]
