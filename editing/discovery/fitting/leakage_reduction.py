"""Recombination of steps, so that an edit preserves the other scores on every face and not only on average.

Projecting out (Shen et al. 2020) and cancelling measured means still let an edit make one face smile and another
frown. Here candidate steps are applied one by one to codes, and the combination with the smallest mean square of
the other scores' changes follows in closed form. The numbers of the identity descriptor can be further scores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.discovery.fitting.linear import LinearModel
from stylegan_latents.editing.discovery.fitting.samples import expand, score_codes
from stylegan_latents.editing.discovery.scorers.faces import HELPERS, LOOSELY_HELD
from stylegan_latents.editing.discovery.scorers.scorer import Array, Attribute, Scorer, Scorers
from stylegan_latents.generator.cli.progress import Progress
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

_HELPERS = (*HELPERS, "skin-light", "skin-red", "brows-up", "face-y", "hair-light", "contrast")
# Lengths of candidates in whitened W, about those of edits.
_OWN, _OTHER, _HELPER = 2.5, 1.5, 2.0
# Weights of mean changes of fixed scores, and of ``LOOSELY_HELD`` ones.
_FIXED_WEIGHT, _LOOSE_WEIGHT = 3.0, 0.1
# Weight of the squared distance from the first step.
_NEARNESS = 0.2
# Weight of the squared change of the identity descriptor; the judged scores' squared changes in deviations have 1.
_IDENTITY_WEIGHT = 30.0


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidate steps and their effects.

    Attributes:
        steps: in W, ``[steps, 3, w_dim]``; those of twice the first step, by groups of rows, come first.
        own: number of candidates of the first step.
        changes: of every score by each step on each code, in deviations, ``[steps, codes, scores]``: half the
            difference between a step forward and one back.
        names: of the scores.
        identity: ``changes`` of the identity descriptor, ``[steps, codes, numbers]``; None if not measured.
    """

    steps: Array
    own: int
    changes: Array
    names: tuple[str, ...]
    identity: Array | None = None


def candidate_steps(model: LinearModel, attribute: Attribute, steps: Mapping[str, Array]) -> tuple[Array, int]:
    """The steps to recombine: the own step, the plain fit's and the other attributes', split by groups of rows, and
    steps of scores without a direction.

    Args:
        model: the fit.
        attribute: whose score the step changes.
        steps: in W, ``[3, w_dim]``, of every attribute.

    Returns:
        Steps ``[steps, 3, w_dim]``, and how many of them, the first, are of the own step.
    """
    chosen = [GROUPS.index(group) for group in attribute.groups]
    found = [2 * step for step in _by_group(steps[attribute.name], chosen)]
    own = len(found)
    plain = model.effects[model.names.index(attribute.name)] @ model.colouring.T
    found += [_sized(step, model, _OWN) for step in _by_group(plain, chosen)]
    for name, other in steps.items():
        if name != attribute.name:
            found += [_sized(step, model, _OTHER) for step in _by_group(other, chosen)]
    for name in (name for name in _HELPERS if name in model.names):
        helper = model.direction(name, fixed=list(steps), groups=attribute.groups)
        found.append(_sized(helper, model, _HELPER))
    return np.array(found), own


def measure_candidates(
    G: "Generator",
    scorer: Scorer,
    steps: Array,
    own: int,
    ws: "Tensor",
    before: Array,
    deviations: Array,
    *,
    identity: Scorer | None = None,
    size: int = 256,
    exact: bool = True,
    progress: Progress | None = None,
) -> Candidates:
    """Edit codes by every step, forward and back, and score the pictures.

    Args:
        steps, own: from ``candidate_steps``.
        ws: codes ``[N, num_ws, w_dim]``.
        before: their scores; codes without scores are left out.
        deviations: standard deviation of each score.
        identity: scorer of the face descriptor, to preserve the identity.
        size: side of the pictures in pixels.
        exact: whether to score exact pictures instead of sketches, the same as for ``before``.
        progress: called with the number of pictures done and the total.
    """
    import torch

    moves = expand(torch.from_numpy(steps.astype(np.float32)), G).to(ws.device)
    edited = torch.cat([ws + sign * move for move in moves for sign in (-1, 1)])
    measured = scorer if identity is None else Scorers((scorer, identity))
    after = score_codes(G, measured, edited, size=size, exact=exact, progress=progress)
    after = after.reshape(len(steps), 2, len(before), len(measured.names))
    changes = (after[:, 1] - after[:, 0]) / 2
    scored = np.isfinite(changes).all(axis=(0, 2)) & np.isfinite(before).all(axis=1)
    scores, descriptor = np.split(changes[:, scored], [len(scorer.names)], axis=2)
    return Candidates(
        steps, own, scores / deviations, tuple(scorer.names), None if identity is None else descriptor
    )


def recombined(candidates: Candidates, attribute: Attribute, judged: Sequence[str]) -> Array:
    """The combination of steps that changes the other scores least, for the same mean change of its own.

    Minimises the weighted sum of the judged scores' mean squared changes, the squared mean changes of fixed and
    ``LOOSELY_HELD`` scores, the squared change of the identity if measured, and the distance from the first step.

    Args:
        candidates: from ``measure_candidates``.
        attribute: whose score the step changes.
        judged: the scores of all attributes.

    Returns:
        A step in W, ``[3, w_dim]``, of half the candidates' length.
    """

    def changes_of(names: Sequence[str]) -> Array:
        return candidates.changes[
            :, :, [candidates.names.index(name) for name in names if name in candidates.names]
        ]

    others = changes_of([name for name in judged if name != attribute.name])
    fixed = [name for name in attribute.fixed if name not in LOOSELY_HELD]
    preserved, loose = changes_of(fixed).mean(axis=1), changes_of(LOOSELY_HELD).mean(axis=1)
    gains = changes_of([attribute.name])[:, :, 0].mean(axis=1)
    cost = np.einsum("mnk,lnk->ml", others, others) / others.shape[1]
    if candidates.identity is not None:
        change = np.einsum("mnk,lnk->ml", candidates.identity, candidates.identity) / others.shape[1]
        cost = cost + _IDENTITY_WEIGHT * change
    cost = cost + _FIXED_WEIGHT * preserved @ preserved.T + _LOOSE_WEIGHT * loose @ loose.T
    cost = cost + _NEARNESS * np.eye(len(gains))
    first = (np.arange(len(gains)) < candidates.own).astype(np.float64)
    free, along = np.linalg.solve(cost, np.stack([_NEARNESS * first, gains], axis=1)).T
    weights = free + (first @ gains - gains @ free) / (gains @ along) * along
    step: Array = np.einsum("m,mgw->gw", weights, candidates.steps) / 2
    return step


def _by_group(step: Array, chosen: Sequence[int]) -> list[Array]:
    """The step's nonzero groups of rows, one by one."""
    found = []
    for group in chosen:
        if np.abs(step[group]).max() > 1e-6 * np.abs(step).max():
            one = np.zeros_like(step)
            one[group] = step[group]
            found.append(one)
    return found


def _sized(step: Array, model: LinearModel, length: float) -> Array:
    """The step with the given length in whitened W."""
    return np.asarray(step * (length / np.linalg.norm(np.linalg.solve(model.colouring, step.T))))
