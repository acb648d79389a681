"""What an evaluation found of one direction, and the figures that come of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stylegan_latents.editing.discovery.scorers.scorer import Array

# Below that, in deviations of the score, a direction is not said to change it, and nothing is divided by it.
_LEAST_CHANGE = 0.05


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
        return mean(self.distances)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured of one direction.

    Attributes:
        label: of the direction.
        score: what it is meant to change.
        names: of all scores.
        judged: the scores that leakage is about, beside its own.
        at: one entry for each strength.
        tied: scores that do not change apart from its own, which leakage leaves out.
    """

    label: str
    score: str
    names: tuple[str, ...]
    judged: tuple[str, ...]
    at: tuple[AtStrength, ...]
    tied: tuple[str, ...] = ()

    def moved(self, there: AtStrength) -> Array:
        """The mean signed change of every score, in deviations, ``[scores]``."""
        return np.array([mean(column) for column in there.changes.T])

    def intended(self, there: AtStrength) -> float:
        """The mean change of its own score, in deviations."""
        return float(self.moved(there)[self.names.index(self.score)])

    def leakage(self, there: AtStrength) -> float:
        """The mean size of the changes in the other judged scores over that in its own.

        NaN where its own is still, and where there is no other.
        """
        sizes = np.array([mean(column) for column in np.abs(there.changes).T])
        own = sizes[self.names.index(self.score)]
        left_out = {self.score, *self.tied}
        others = [i for i, name in enumerate(self.names) if name in self.judged and name not in left_out]
        return float(mean(sizes[others]) / own) if own >= _LEAST_CHANGE else float("nan")

    @property
    def per_unit(self) -> float:
        """The median change of its own score for one unit of strength, over all codes and strengths."""
        own = self.names.index(self.score)
        changes = np.concatenate([there.changes[:, own] / there.strength for there in self.at])
        changes = changes[np.isfinite(changes)]
        return float(np.median(changes)) if len(changes) else float("nan")

    @property
    def mean_leakage(self) -> float:
        """The mean over the strengths of ``leakage``."""
        return mean(np.array([self.leakage(there) for there in self.at]))

    def for_one_deviation(self, measure: Callable[[AtStrength], float]) -> float:
        """A measure for one deviation of the intended change, the mean over the strengths.

        Strengths of different finders are different amounts; this is what the same change costs with each.
        """
        costs = [
            measure(there) / abs(self.intended(there))
            for there in self.at
            if abs(self.intended(there)) >= _LEAST_CHANGE
        ]
        return mean(np.array(costs))


def mean(values: Array) -> float:
    """The mean of the finite values; NaN where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
