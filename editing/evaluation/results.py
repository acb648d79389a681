"""The results of an evaluation, and the figures computed from them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stylegan_latents.editing.discovery.scorers.scorer import Array

# Smaller changes of the own score, in deviations, are not used as a divisor.
_LEAST_CHANGE = 0.05


@dataclass(frozen=True, eq=False)
class AtStrength:
    """The effect of one strength of a direction on N codes; NaN stands for what was not measured.

    Attributes:
        strength: of the edit.
        changes: of every score, in standard deviations over samples of W, ``[N, scores]``.
        distances: identity distance of each picture from the unedited one, ``[N]``.
        drift: squared Frechet distance of the edited pictures' features from the unedited ones'; for few codes it
            is comparable between the same codes only.
    """

    strength: float
    changes: Array
    distances: Array
    drift: float

    @property
    def identity(self) -> float:
        """The mean identity distance; NaN where there is none."""
        return mean(self.distances)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The measurements of one direction.

    Attributes:
        label: of the direction.
        score: its own, which it is meant to change.
        names: of all scores.
        judged: the scores that count as leakage.
        at: one entry for each strength.
        exclusive: scores mutually exclusive with its own, which do not count as leakage.
    """

    label: str
    score: str
    names: tuple[str, ...]
    judged: tuple[str, ...]
    at: tuple[AtStrength, ...]
    exclusive: tuple[str, ...] = ()

    def moved(self, result: AtStrength) -> Array:
        """The mean signed change of every score, in deviations, ``[scores]``."""
        return np.array([mean(column) for column in result.changes.T])

    def intended(self, result: AtStrength) -> float:
        """The mean change of its own score, in deviations."""
        return float(self.moved(result)[self.names.index(self.score)])

    def leakage(self, result: AtStrength) -> float:
        """The mean size of the changes in the other judged scores over that in its own; NaN where that is 0."""
        sizes = np.array([mean(column) for column in np.abs(result.changes).T])
        own = sizes[self.names.index(self.score)]
        left_out = {self.score, *self.exclusive}
        others = [i for i, name in enumerate(self.names) if name in self.judged and name not in left_out]
        return float(mean(sizes[others]) / own) if own >= _LEAST_CHANGE else float("nan")

    @property
    def per_unit(self) -> float:
        """The median change of its own score per unit of strength, over all codes and strengths."""
        own = self.names.index(self.score)
        changes = np.concatenate([result.changes[:, own] / result.strength for result in self.at])
        changes = changes[np.isfinite(changes)]
        return float(np.median(changes)) if len(changes) else float("nan")

    @property
    def mean_leakage(self) -> float:
        """The mean over the strengths of ``leakage``."""
        return mean(np.array([self.leakage(result) for result in self.at]))

    def for_one_deviation(self, measure: Callable[[AtStrength], float]) -> float:
        """A measure per deviation of the intended change, averaged over the strengths."""
        costs = [
            measure(result) / abs(self.intended(result))
            for result in self.at
            if abs(self.intended(result)) >= _LEAST_CHANGE
        ]
        return mean(np.array(costs))


def mean(values: Array) -> float:
    """The mean of the finite values; NaN where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
