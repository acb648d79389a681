"""Dependent scores, such as those of mutually exclusive classes, whose common changes do not count as leakage."""

from collections.abc import Mapping, Sequence

import numpy as np

from stylegan_latents.editing.discovery.scorers.scorer import Array

DEPENDENT = 0.98
"""Scores whose correlation over samples is larger than this in size differ by a fifth of a deviation at most."""


def independent_scores(name: str, names: Sequence[str], exclusive: Sequence[Sequence[str]]) -> list[str]:
    """The others of ``names`` that an edit can leave alone, all of them at once, while it changes one.

    Of more than two mutually exclusive classes that are all among ``names``, none changes while the others stay;
    and where all but one of them stay, that one does, too. (Of two, each is the other's mirror; to ask for both is
    refused where a direction is fitted.)

    Args:
        name: the score that is to change.
        names: the scores that directions are looked for.
        exclusive: groups of names that are mutually exclusive classes.
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
    """For each score the others that cannot stay while it changes; scores that have none are left out.

    Args:
        names: of the scores.
        correlations: over samples, ``[scores, scores]``; NaN where there is none. None where nothing is known.
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
    """Of scores ``[N, scores]``, ``[scores, scores]``; NaN for a score that is the same for all."""
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
        sentences.append(f"The leakage of '{name}' leaves out {quoted}, which cannot stay while it changes.")
    return sentences
