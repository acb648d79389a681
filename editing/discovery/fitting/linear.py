"""Linear models of scores by codes, and the directions that change one score and no other.

Models are fitted in whitened W, so that steps mapped back follow the distribution of W and edits stay within it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stylegan_latents.editing.discovery.fitting.samples import Samples
from stylegan_latents.editing.discovery.scorers.scorer import Array
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS

Method = Literal["ridge", "svm", "logistic"]

_HELD_OUT = 5  # every fifth sample tests the fit
# Scores of a higher correlation over the samples count as equal.
_ALIKE = 0.999


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Changes of scores, in standard deviations, by steps in whitened W.

    Attributes:
        names: of the scores.
        effects: float64 ``[scores, 3, w_dim]``, for the coarse, middle and fine rows.
        colouring: float64 ``[w_dim, w_dim]``; maps a step in whitened W to W.
        accuracy: correlation of prediction and score on held-out samples, for each score.
        sign_accuracy: share of held-out samples predicted on the right side of the median, for each score.
        correlations: of the scores over the samples, ``[scores, scores]``.
    """

    names: tuple[str, ...]
    effects: Array
    colouring: Array
    accuracy: Array
    sign_accuracy: Array
    correlations: Array

    def direction(
        self, name: str, *, fixed: Sequence[str] = (), groups: Sequence[str] = GROUPS, ridge: float = 0.02
    ) -> Array:
        """The shortest step in whitened W that changes one score and, by this model, no fixed one.

        For all fixed scores at once, InterFaceGAN's projection (Shen et al. 2020, section 3.3) is this least-norm
        solution.

        Args:
            name: the score to change.
            fixed: scores to preserve.
            groups: the rows that may move.
            ridge: regularisation, which allows some change of fixed scores for a shorter step; 0 allows none.

        Returns:
            A step in W, float64 ``[3, w_dim]``, of length 1 in whitened W.

        Raises:
            InputError: there is no such score or group, or a fixed score equals the one to change.
        """
        for wanted in (name, *fixed):
            if wanted not in self.names:
                raise InputError(f"There is no score '{wanted}'; the scores are {', '.join(self.names)}.")
        chosen = [GROUPS.index(group) for group in GROUPS if group in groups]
        if not chosen:
            raise InputError(f"There are no rows to move: name some of {', '.join(GROUPS)}.")
        scores = [name, *(other for other in dict.fromkeys(fixed) if other != name)]
        for other in scores[1:]:
            if abs(self.correlations[self.names.index(name), self.names.index(other)]) > _ALIKE:
                raise InputError(
                    f"The scores '{name}' and '{other}' are equivalent for every sample, so that neither changes "
                    f"without the other; choose one, such as with --score {name}."
                )
        effects = self.effects[[self.names.index(score) for score in scores]][:, chosen]
        matrix = effects.reshape(len(scores), -1)
        gram = matrix @ matrix.T
        wanted_change = np.eye(len(scores))[0]
        step = matrix.T @ np.linalg.solve(gram + ridge * np.diag(np.diag(gram)), wanted_change)
        whole = np.zeros_like(self.effects[0])
        whole[chosen] = (step / np.linalg.norm(step)).reshape(len(chosen), -1)
        result: Array = whole @ self.colouring.T
        return result


def fit(samples: Samples, method: Method = "ridge", *, strength: float = 600.0) -> LinearModel:
    """Fit one linear model for every score.

    Args:
        samples: such as from ``sample``; samples without scores are left out.
        method: ``ridge`` regression on all samples; or, on the lowest and the highest tenth of the scores, a linear
            support vector machine (``svm``, as in InterFaceGAN) or ``logistic`` regression.
        strength: of the penalty on large weights, in samples; sets the classifiers' C.

    Raises:
        InputError: too few samples could be scored, or a score is the same for all of them.
    """
    samples = samples.valid()
    deviation: Array = samples.scores.std(0)
    for name, value in zip(samples.names, deviation, strict=True):
        if value < 1e-12:
            raise InputError(f"The score '{name}' is the same for every sample, so nothing can change it.")
    standard = (samples.scores - samples.scores.mean(0)) / deviation
    flat = samples.codes.reshape(-1, samples.codes.shape[-1])
    mean: Array = np.mean(flat, axis=0)
    colouring, whitening = _whiten(flat - mean)
    codes = ((samples.codes - mean) @ whitening.T).reshape(len(samples.codes), -1)
    test = np.arange(len(codes)) % _HELD_OUT == 0
    weights = _weights(codes[~test], standard[~test], method, strength)
    predicted = codes[test] @ weights
    truth = standard[test]
    accuracy = [np.corrcoef(p, t)[0, 1] for p, t in zip(predicted.T, truth.T, strict=True)]
    sides = [((p > np.median(p)) == (t > np.median(t))).mean() for p, t in zip(predicted.T, truth.T, strict=True)]
    weights = _weights(codes, standard, method, strength)
    effects = weights.T.reshape(len(samples.names), *samples.codes.shape[1:])
    alike = standard.T @ standard / len(standard)
    return LinearModel(samples.names, effects, colouring, np.array(accuracy), np.array(sides), alike)


def parse_groups(layers: str) -> tuple[str, ...]:
    """The groups of rows that a fit on scores may move: ``all``, or groups joined by commas; else InputError."""
    names = [name.strip() for name in layers.split(",")]
    unknown = [name for name in names if name not in (*GROUPS, "all")]
    if unknown:
        raise InputError(f"A fit on scores moves {', '.join(GROUPS)} or all layers, not '{unknown[0]}'.")
    return GROUPS if "all" in names else tuple(group for group in GROUPS if group in names)


def _whiten(codes: Array) -> tuple[Array, Array]:
    """Matrices from whitened to centred codes ``[N, w_dim]`` and back, by their principal axes."""
    values, vectors = np.linalg.eigh(codes.T @ codes / len(codes))
    # Axes of next to no variance would amplify noise.
    roots = np.sqrt(np.maximum(values, 1e-6 * values.max()))
    return vectors * roots, (vectors / roots).T


def _weights(codes: Array, scores: Array, method: Method, strength: float) -> Array:
    """Weights ``[features, scores]``; a classifier's have no scale and are normalised."""
    if method == "ridge":
        gram: Array = codes.T @ codes + strength * np.eye(codes.shape[1])
        return np.asarray(np.linalg.solve(gram, codes.T @ scores))
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    columns = []
    for score in scores.T:
        low, high = np.quantile(score, (0.1, 0.9))
        ends = (score <= low) | (score >= high)
        labels = score[ends] >= high
        if labels.all() or not labels.any():
            raise InputError("A score is equal for nearly all samples, so that no direction can be fitted to it.")
        # The curvature of the logistic loss is a quarter of the squared one's.
        svm, logistic = LinearSVC(C=1 / strength, random_state=0), LogisticRegression(C=4 / strength, max_iter=300)
        model = svm if method == "svm" else logistic
        weight = np.asarray(model.fit(codes[ends], labels).coef_[0], dtype=np.float64)
        columns.append(weight / np.linalg.norm(weight))
    return np.stack(columns, axis=1)
