"""Identity held while an attribute changes: dlib's descriptor of a face (King 2017) as scores, and steps in W that
change it least, in closed form from scored samples.

InterFaceGAN's conditional step (Shen et al. 2020, section 3.3) is the shortest one that changes a score and leaves
others. A descriptor has many numbers, and no step leaves all of them, so that their change is minimised: least
squares over all of whitened W. The identity change that remains bounds how far strength 2 goes.
"""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.discovery.fitting.linear import LinearModel, fit
from stylegan_latents.editing.discovery.fitting.samples import Samples, score_codes
from stylegan_latents.editing.discovery.scorers.faces import LOOSELY_HELD
from stylegan_latents.editing.discovery.scorers.scorer import Array, Attribute, Scorer
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.encoders.face_recognition import FaceDistance
    from stylegan_latents.generator.generator import Generator

_NUMBERS = 128
# What a step of length 1 in whitened W, in coarse, middle or fine rows, changes in the descriptor and in the scores
# of all attributes, differently on every face: no linear model predicts it, and short steps do it least.
# Measured with 46 steps on 16 codes of the default model, in the descriptor's numbers and the scores' deviations.
_IDENTITY_BY_FACE = (0.107, 0.102, 0.052)
_SCORES_BY_FACE = (0.31, 0.26, 0.12)
# Of the squared changes of scores in their deviations, beside the squared change of the descriptor.
_JUDGED_WEIGHT, _HELD_WEIGHT, _LOOSE_WEIGHT = 0.1, 0.2, 0.02
# Identity distance that strength 2 may reach: dlib takes 0.6 for another person, and an inversion has its own
# distance from the photo. And the least share of a deviation that a strength is shortened to for that.
_SAME_PERSON, _LEAST_SHARE = 0.5, 0.8


@functools.cache
def _network() -> "FaceDistance":
    from stylegan_latents.encoders.face_recognition import FaceDistance

    return FaceDistance()


class IdentityScorer(Scorer):
    """The 128 numbers of dlib's network for faces aligned as FFHQ's.

    The euclidean length of their change is the identity distance. Faces are cut out where they are on average, as
    aligned faces are always in the same place. The network is loaded at first use, once for the process.
    """

    names = tuple(f"identity-{number:03d}" for number in range(_NUMBERS))
    version = "dlib-identity-2"

    def score(self, images: "Tensor") -> Array:
        """Embed aligned faces.

        Args:
            images: float32 ``[N, 3, H, W]`` in [-1, 1]; 256 pixels a side are enough.

        Returns:
            float64 ``[N, 128]``.

        Raises:
            InputError: the network cannot be fetched.
        """
        import torch

        if not len(images):
            return np.empty((0, _NUMBERS))
        with torch.no_grad():
            numbers: Array = _network().features(images.float().cpu()).double().numpy()
        return numbers


def identity_effects(samples: Samples) -> Array:
    """What each number of the descriptor gains for a step in whitened W, in its own units.

    Args:
        samples: scored by ``IdentityScorer`` alone, without those that have no scores.

    Returns:
        ``[numbers, 3, w_dim]``, for the coarse, middle and fine rows.

    Raises:
        InputError: as ``fit``.
    """
    effects: Array = fit(samples).effects * samples.scores.std(0)[:, None, None]
    return effects


def least_identity_step(model: LinearModel, identity: Array, attribute: Attribute, judged: Sequence[str]) -> Array:
    """The step that changes its score by one deviation, and the identity and other scores as little as possible.

    Args:
        model: of the scores.
        identity: what ``identity_effects`` gives for the same samples.
        attribute: what the step is for.
        judged: the scores of all attributes.

    Returns:
        A step in W, ``[3, w_dim]``.
    """
    chosen = [GROUPS.index(group) for group in attribute.groups]
    width = identity.shape[-1]

    def of(effects: Array) -> Array:
        return effects[:, chosen].reshape(len(effects), len(chosen) * width)

    def scores(names: Sequence[str]) -> Array:
        return of(model.effects[[model.names.index(name) for name in names if name in model.names]])

    by_face = np.square(_IDENTITY_BY_FACE) + _JUDGED_WEIGHT * np.square(_SCORES_BY_FACE)
    cost = np.diag(np.repeat(by_face[chosen], width))
    loose = [name for name in LOOSELY_HELD if name not in attribute.fixed]
    for weight, rows in (
        (1.0, of(identity)),
        (_JUDGED_WEIGHT, scores([name for name in judged if name != attribute.name])),
        (_HELD_WEIGHT, scores(attribute.fixed)),
        (_LOOSE_WEIGHT, scores(loose)),
    ):
        cost += weight * rows.T @ rows
    own = scores([attribute.name])[0]
    step = np.linalg.solve(cost, own)
    whole = np.zeros(identity.shape[1:])
    whole[chosen] = (step / (own @ step)).reshape(len(chosen), width)
    result: Array = whole @ model.colouring.T
    return result


def identity_share(
    G: "Generator", identity: Scorer, direction: "Direction", ws: "Tensor", *, exact: bool = True
) -> float:
    """The share of a direction's length at which strength 2 keeps the identity of the median face.

    Distances are euclidean, between the numbers of King's face recognition network (dlib, 2017) before and after.

    Args:
        G: the generator.
        identity: gives the descriptor of a face.
        direction: bound to ``G``.
        ws: codes to edit, ``[N, num_ws, w_dim]``.
        exact: whether to look at exact pictures, and not at sketches.

    Returns:
        1 where nothing has to be shortened, and no less than 0.8, so that a strength still means about a deviation.
    """
    before = score_codes(G, identity, ws, size=256, exact=exact)
    distances = [
        np.linalg.norm(
            score_codes(G, identity, direction.apply(ws, strength), size=256, exact=exact) - before, axis=1
        )
        for strength in (-2, 2)
    ]
    share = _SAME_PERSON / max(float(np.nanmedian(distances)), 1e-9)
    return float(np.clip(share, _LEAST_SHARE, 1.0))
