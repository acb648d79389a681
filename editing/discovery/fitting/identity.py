"""Identity preservation: dlib's face descriptor (King 2017) as scores, and the steps in W that change it least.

InterFaceGAN's conditional step (Shen et al. 2020, section 3.3) leaves other scores unchanged. No step does so for
all numbers of a descriptor, so that their change is minimised by least squares in whitened W.
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
# Changes that differ from face to face, which no linear model predicts, by a step of length 1 in whitened W in
# coarse, middle or fine rows: of the descriptor, and of the scores in deviations. 46 steps on 16 codes.
_IDENTITY_BY_FACE = (0.107, 0.102, 0.052)
_SCORES_BY_FACE = (0.31, 0.26, 0.12)
# Weights of squared score changes in deviations; the descriptor's squared change has 1.
_JUDGED_WEIGHT, _FIXED_WEIGHT, _LOOSE_WEIGHT = 0.1, 0.2, 0.02
# Largest identity distance at strength 2 (dlib takes 0.6 for another person), and least factor to shorten by.
_SAME_PERSON, _LEAST_SHARE = 0.5, 0.8


@functools.cache
def _network() -> "FaceDistance":
    from stylegan_latents.encoders.face_recognition import FaceDistance

    return FaceDistance()


class IdentityScorer(Scorer):
    """dlib's face descriptor, 128 numbers, of faces aligned as FFHQ's.

    The Euclidean length of its change is the identity distance. Faces are cropped at a fixed place, without a
    detector. The network is loaded at first use, once for the process.
    """

    names = tuple(f"identity-{number:03d}" for number in range(_NUMBERS))
    version = "dlib-identity-2"

    def score(self, images: "Tensor") -> Array:
        """Descriptors, float64 ``[N, 128]``, of faces ``[N, 3, H, W]`` in [-1, 1]; 256 pixels a side are enough.

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
    """Change of each number of the descriptor by a step in whitened W, ``[numbers, 3, w_dim]``, by a linear fit.

    Args:
        samples: ``valid`` samples scored by ``IdentityScorer`` alone.
    """
    effects: Array = fit(samples).effects * samples.scores.std(0)[:, None, None]
    return effects


def least_identity_step(model: LinearModel, identity: Array, attribute: Attribute, judged: Sequence[str]) -> Array:
    """The step that changes a score by one deviation, and the identity and other scores least.

    Args:
        model: of the scores.
        identity: ``identity_effects`` of the same samples.
        attribute: whose score the step changes.
        judged: the scores of all attributes.

    Returns:
        A step in W, ``[3, w_dim]``.
    """
    chosen = [GROUPS.index(group) for group in attribute.groups]
    width = identity.shape[-1]

    def flat(effects: Array) -> Array:
        return effects[:, chosen].reshape(len(effects), len(chosen) * width)

    def scores(names: Sequence[str]) -> Array:
        return flat(model.effects[[model.names.index(name) for name in names if name in model.names]])

    by_face = np.square(_IDENTITY_BY_FACE) + _JUDGED_WEIGHT * np.square(_SCORES_BY_FACE)
    cost = np.diag(np.repeat(by_face[chosen], width))
    loose = [name for name in LOOSELY_HELD if name not in attribute.fixed]
    for weight, rows in (
        (1.0, flat(identity)),
        (_JUDGED_WEIGHT, scores([name for name in judged if name != attribute.name])),
        (_FIXED_WEIGHT, scores(attribute.fixed)),
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
    """The share of a direction's length, from 0.8 to 1, at which strength 2 preserves the median face's identity.

    Args:
        G: the generator.
        identity: scorer of the face descriptor, whose Euclidean distances are taken.
        direction: bound to ``G``.
        ws: codes to edit, ``[N, num_ws, w_dim]``.
        exact: whether to score exact pictures instead of sketches.
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
