"""Steps in W that spare the person, in closed form from scored samples.

InterFaceGAN's conditional step (Shen et al. 2020, section 3.3) is the shortest one that changes a score and leaves
others. Who is seen takes many numbers, and no step leaves them all, so that here their change is made small: least
squares over all of whitened W. What is then left of it bounds how far strength 2 may go.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.discovery.fitting.attributes import LOOSELY_HELD, Attribute
from stylegan_latents.editing.discovery.fitting.linear import LinearModel, fit
from stylegan_latents.editing.discovery.fitting.samples import Samples, score_codes
from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.generator.generator import Generator

# What a step of length 1 in whitened W, in coarse, middle or fine rows, changes in who is seen and in the scores of
# all attributes, otherwise on every face: no linear model says so, and short steps do it least. Measured with 46
# steps on 16 codes of the default model, in the descriptor's numbers and the scores' deviations.
_PERSON_BY_FACE = (0.107, 0.102, 0.052)
_SCORES_BY_FACE = (0.31, 0.26, 0.12)
# Of the squared changes of scores in their deviations, beside the squared change of the descriptor.
_JUDGED_WEIGHT, _HELD_WEIGHT, _LOOSE_WEIGHT = 0.1, 0.2, 0.02
# How far from itself a face may get by strength 2: dlib takes 0.6 for somebody else, and an inversion has its own
# distance from the photo. Shorter than this share of a deviation no strength is made for it.
_SAME_PERSON, _LEAST_SHARE = 0.5, 0.8


def person_effects(samples: Samples) -> Array:
    """What each number that says who is seen gains for a step in whitened W, in its own units.

    Args:
        samples: scored with a likeness alone, and without those that have no scores.

    Returns:
        ``[numbers, 3, w_dim]``, for the coarse, middle and fine rows.

    Raises:
        InputError: as ``fit``.
    """
    effects: Array = fit(samples).effects * samples.scores.std(0)[:, None, None]
    return effects


def sparing_step(model: LinearModel, person: Array, attribute: Attribute, judged: Sequence[str]) -> Array:
    """The step that changes its score by one deviation and who is seen, and the other scores, as little as can be.

    Args:
        model: of the scores.
        person: what ``person_effects`` gives for the same samples.
        attribute: what the step is for.
        judged: the scores of all attributes.

    Returns:
        A step in W, ``[3, w_dim]``.
    """
    chosen = [GROUPS.index(group) for group in attribute.groups]
    width = person.shape[-1]

    def of(effects: Array) -> Array:
        return effects[:, chosen].reshape(len(effects), len(chosen) * width)

    def scores(names: Sequence[str]) -> Array:
        return of(model.effects[[model.names.index(name) for name in names if name in model.names]])

    by_face = np.square(_PERSON_BY_FACE) + _JUDGED_WEIGHT * np.square(_SCORES_BY_FACE)
    cost = np.diag(np.repeat(by_face[chosen], width))
    loose = [name for name in LOOSELY_HELD if name not in attribute.fixed]
    for weight, rows in (
        (1.0, of(person)),
        (_JUDGED_WEIGHT, scores([name for name in judged if name != attribute.name])),
        (_HELD_WEIGHT, scores(attribute.fixed)),
        (_LOOSE_WEIGHT, scores(loose)),
    ):
        cost += weight * rows.T @ rows
    own = scores([attribute.name])[0]
    step = np.linalg.solve(cost, own)
    whole = np.zeros(person.shape[1:])
    whole[chosen] = (step / (own @ step)).reshape(len(chosen), width)
    result: Array = whole @ model.colouring.T
    return result


def bearable_share(
    G: "Generator", likeness: Scorer, direction: "Direction", ws: "Tensor", *, exact: bool = True
) -> float:
    """How much of a direction's length strength 2 may have, so that the median face stays the same person's.

    Distances are euclidean, between the numbers of King's face recognition network (dlib, 2017) before and after.

    Args:
        G: the generator.
        likeness: gives the numbers that say who a face is.
        direction: bound to ``G``.
        ws: codes to edit, ``[N, num_ws, w_dim]``.
        exact: whether to look at exact pictures, and not at sketches.

    Returns:
        1 where nothing has to be shortened, and no less than 0.8, so that a strength still means about a deviation.
    """
    before = score_codes(G, likeness, ws, size=256, exact=exact)
    distances = [
        np.linalg.norm(
            score_codes(G, likeness, direction.apply(ws, strength), size=256, exact=exact) - before, axis=1
        )
        for strength in (-2, 2)
    ]
    share = _SAME_PERSON / max(float(np.nanmedian(distances)), 1e-9)
    return float(np.clip(share, _LEAST_SHARE, 1.0))
