"""Steps in W that spare the person, in closed form from scored samples.

InterFaceGAN's conditional step (Shen et al. 2020, section 3.3) is the shortest one that changes a score and leaves
others. Who is seen takes many numbers, and no step leaves them all, so that here their change is made small: least
squares over all of whitened W.
"""

from collections.abc import Sequence

import numpy as np

from editing.discovery.attributes import LOOSELY_HELD, Attribute
from editing.discovery.linear import LinearModel, fit
from editing.discovery.samples import Samples
from editing.discovery.scorer import Array
from generator.layers import GROUPS

# What a step of length 1 in whitened W, in coarse, middle or fine rows, changes in who is seen and in the scores of
# all attributes, otherwise on every face: no linear model says so, and short steps do it least. Measured with 46
# steps on 16 codes of the default model, in the descriptor's numbers and the scores' deviations.
_PERSON_BY_FACE = (0.107, 0.102, 0.052)
_SCORES_BY_FACE = (0.31, 0.26, 0.12)
# Of the squared changes of scores in their deviations, beside the squared change of the descriptor.
_JUDGED_WEIGHT, _HELD_WEIGHT, _LOOSE_WEIGHT = 0.1, 0.2, 0.02


def person_effects(samples: Samples) -> Array:
    """What each number that says who is seen gains for a step in whitened W, in its own units.

    Args:
        samples: scored with a likeness alone, and without those that have no scores.

    Returns:
        ``[numbers, 3, w_dim]``, for the coarse, middle and fine rows.

    Raises:
        InputError: as :func:`editing.discovery.linear.fit`.
    """
    effects: Array = fit(samples).effects * samples.scores.std(0)[:, None, None]
    return effects


def sparing_step(model: LinearModel, person: Array, attribute: Attribute, judged: Sequence[str]) -> Array:
    """The step that changes its score by one deviation and who is seen, and the other scores, as little as can be.

    Args:
        model: of the scores.
        person: what :func:`person_effects` gives for the same samples.
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
