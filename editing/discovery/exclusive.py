"""Dependent scores, such as those of mutually exclusive classes, whose common changes do not count as leakage."""

from collections.abc import Mapping, Sequence

import numpy as np

from stylegan_latents.editing.discovery.scorers.scorer import Array

DEPENDENT = 0.98
"""Scores whose correlation over samples is larger than this in size differ by a fifth of a deviation at most."""


def independent_scores(name: str, names: Sequence[str], exclusive: Sequence[Sequence[str]]) -> list[str]:
    """The scores that an edit of one score can all preserve at once.

    Of more than two mutually exclusive classes, none can change while all others are preserved. For an edit of
    another score, one class of each group is left out, as it follows from the others. (Of two classes, each is the
    negative of the other; directions for both are refused where they are fitted.)

    Args:
        name: the score that is to change.
        names: the scores to find directions for.
        exclusive: groups of names that are mutually exclusive classes; a group that is not all in ``names`` is
            ignored.
    """
    left: set[str] = set()
    for group in exclusive:
        if not set(group) <= set(names):
            continue
        if name not in group:
            left.add(group[-1])
        elif len(group) > 2:
            left.update(group)
    return [other for other in names if other != name and other not in left]


def dependent_scores(
    names: Sequence[str], correlations: Array | None, exclusive: Sequence[Sequence[str]] = ()
) -> dict[str, tuple[str, ...]]:
    """For each score the others that change whenever it does; scores without any are left out.

    Args:
        names: of the scores.
        correlations: over samples, ``[scores, scores]``; NaN where undefined. None if unknown.
        exclusive: groups of names that are mutually exclusive classes.
    """
    found = {}
    for index, name in enumerate(names):
        alike = (
            set() if correlations is None else set(np.flatnonzero(np.abs(correlations[index]) > DEPENDENT).tolist())
        )
        group = {other for one in exclusive if name in one for other in one}
        dependent = tuple(
            other for at, other in enumerate(names) if at != index and (at in alike or other in group)
        )
        if dependent:
            found[name] = dependent
    return found


def correlations(scores: Array) -> Array:
    """Correlations ``[scores, scores]`` of scores ``[N, scores]``; NaN for a score that is constant."""
    centred = scores - scores.mean(axis=0)
    deviation = centred.std(axis=0)
    standard = centred / np.where(deviation > 1e-12, deviation, np.nan)
    result: Array = standard.T @ standard / len(scores)
    return result


def leakage_notes(dependent: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each score whose leakage leaves others out."""
    sentences = []
    for name, others in dependent.items():
        quoted = ", ".join(f"'{other}'" for other in others)
        sentences.append(f"The leakage of '{name}' leaves out {quoted}, which depends on it.")
    return sentences
