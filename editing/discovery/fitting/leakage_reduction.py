"""Steps recombined so that an edit leaves the other scores alone on every face, not on average alone.

Projecting out (Shen et al. 2020) and cancelling measured means both let an edit make one face smile and the next
one frown. Here the parts that a step could be made of are tried one by one on codes; what each changes on each code
is a matrix, and the combination with the smallest mean square of the others' changes follows in closed form.

The identity can be held in the same way: the numbers of its descriptor are so many scores more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.discovery.fitting.linear import LinearModel
from stylegan_latents.editing.discovery.fitting.samples import Progress, expand, score_codes
from stylegan_latents.editing.discovery.scorers.faces import HELPERS, LOOSELY_HELD
from stylegan_latents.editing.discovery.scorers.scorer import Array, Attribute, Scorer, Scorers
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

_HELPER_PARTS = (*HELPERS, "skin-light", "skin-red", "brows-up", "face-y", "hair-light", "contrast")
# Lengths of what is tried, in whitened W: as long as edits are, so that what is measured is what they will do.
_OWN, _OTHER, _HELPER = 2.5, 1.5, 2.0
# Of the mean changes in held scores, and in those that may change with the attribute but should not stand for it.
_HELD_WEIGHT, _LOOSE_WEIGHT = 3.0, 0.1
# Penalty on leaving the first step.
_NEARNESS = 0.2
# Of the squared change of the identity descriptor, beside squared changes in the judged scores' deviations.
_IDENTITY_WEIGHT = 30.0


@dataclass(frozen=True, eq=False)
class Trials:
    """What a step could be made of, and what each part does.

    Attributes:
        parts: steps in W, ``[parts, 3, w_dim]``; twice the groups of the first step come first.
        own: how many of them are the first step's.
        changes: of every score by each part on each code, in deviations, ``[parts, codes, scores]``: half the
            difference between a step forth and one back.
        names: of the scores.
        identity: the same for the numbers of the identity descriptor, ``[parts, codes, numbers]``; None where they
            were not asked for.
    """

    parts: Array
    own: int
    changes: Array
    names: tuple[str, ...]
    identity: Array | None = None


def parts_of_step(model: LinearModel, attribute: Attribute, steps: Mapping[str, Array]) -> tuple[Array, int]:
    """What a step could be made of.

    That is itself, the plain fit's step and those of the other attributes, each by its groups of rows, and the
    steps of scores that are no attributes.

    Args:
        model: the fit.
        attribute: what the step is for.
        steps: in W, ``[3, w_dim]``, of every attribute.

    Returns:
        Steps ``[parts, 3, w_dim]``, and how many of them are the attribute's own step in parts.
    """
    chosen = [GROUPS.index(group) for group in attribute.groups]
    parts = [2 * one for one in _by_group(steps[attribute.name], chosen)]
    own = len(parts)
    plain = model.effects[model.names.index(attribute.name)] @ model.colouring.T
    parts += [_sized(one, model, _OWN) for one in _by_group(plain, chosen)]
    for name, step in steps.items():
        if name != attribute.name:
            parts += [_sized(one, model, _OTHER) for one in _by_group(step, chosen)]
    for name in (name for name in _HELPER_PARTS if name in model.names):
        step = model.direction(name, fixed=list(steps), groups=attribute.groups)
        parts.append(_sized(step, model, _HELPER))
    return np.array(parts), own


def try_parts(
    G: "Generator",
    scorer: Scorer,
    parts: Array,
    own: int,
    ws: "Tensor",
    before: Array,
    deviations: Array,
    *,
    identity: Scorer | None = None,
    size: int = 256,
    exact: bool = True,
    progress: Progress | None = None,
) -> Trials:
    """Edit codes by every part, forth and back, and score the pictures.

    Args:
        parts, own: what ``parts_of_step`` gave.
        ws: codes ``[N, num_ws, w_dim]``.
        before: their scores; a code without scores is left out.
        deviations: of each score.
        identity: gives the descriptor of a face; None where it is not held.
        size: side of the pictures.
        exact: whether to score exact pictures, as those that ``before`` is of, and not sketches.
        progress: called with the number of pictures done and in all.
    """
    import torch

    steps = expand(torch.from_numpy(parts.astype(np.float32)), G).to(ws.device)
    edited = torch.cat([ws + sign * step for step in steps for sign in (-1, 1)])
    measured = scorer if identity is None else Scorers((scorer, identity))
    after = score_codes(G, measured, edited, size=size, exact=exact, progress=progress)
    after = after.reshape(len(parts), 2, len(before), len(measured.names))
    changes = (after[:, 1] - after[:, 0]) / 2
    seen = np.isfinite(changes).all(axis=(0, 2)) & np.isfinite(before).all(axis=1)
    scores, descriptor = np.split(changes[:, seen], [len(scorer.names)], axis=2)
    return Trials(parts, own, scores / deviations, tuple(scorer.names), None if identity is None else descriptor)


def recombined(trials: Trials, attribute: Attribute, judged: Sequence[str]) -> Array:
    """The combination of parts that changes the other scores least, for the same mean change of its own.

    Minimised is the mean over the codes of the judged scores' squared changes, with the squared means of the held
    ones and, by less, of those that could change in place of its own, and with the squared change of the
    identity where that was measured; leaving the first step has a penalty, too.

    Args:
        trials: what ``try_parts`` gave.
        attribute: what the step is for.
        judged: the scores of all attributes.

    Returns:
        A step in W, ``[3, w_dim]``, half as long as the parts are tried at.
    """

    def of(names: Sequence[str]) -> Array:
        return trials.changes[:, :, [trials.names.index(name) for name in names if name in trials.names]]

    others = of([name for name in judged if name != attribute.name])
    fixed = [name for name in attribute.fixed if name not in LOOSELY_HELD]
    held, loose = of(fixed).mean(axis=1), of(LOOSELY_HELD).mean(axis=1)
    gains = of([attribute.name])[:, :, 0].mean(axis=1)
    cost = np.einsum("mnk,lnk->ml", others, others) / others.shape[1]
    if trials.identity is not None:
        change = np.einsum("mnk,lnk->ml", trials.identity, trials.identity) / others.shape[1]
        cost = cost + _IDENTITY_WEIGHT * change
    cost = cost + _HELD_WEIGHT * held @ held.T + _LOOSE_WEIGHT * loose @ loose.T + _NEARNESS * np.eye(len(gains))
    first = (np.arange(len(gains)) < trials.own).astype(np.float64)
    free, along = np.linalg.solve(cost, np.stack([_NEARNESS * first, gains], axis=1)).T
    weights = free + (first @ gains - gains @ free) / (gains @ along) * along
    step: Array = np.einsum("m,mgw->gw", weights, trials.parts) / 2
    return step


def _by_group(step: Array, chosen: Sequence[int]) -> list[Array]:
    """The step of each group of rows alone, where it moves."""
    found = []
    for group in chosen:
        if np.abs(step[group]).max() > 1e-6 * np.abs(step).max():
            one = np.zeros_like(step)
            one[group] = step[group]
            found.append(one)
    return found


def _sized(step: Array, model: LinearModel, length: float) -> Array:
    """The step with a length in whitened W."""
    return np.asarray(step * (length / np.linalg.norm(np.linalg.solve(model.colouring, step.T))))
