"""Effects of steps on held-out codes, and the lengths of steps for a given effect."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.fitting.identity import identity_share
from stylegan_latents.editing.discovery.fitting.leakage import changes
from stylegan_latents.editing.discovery.fitting.samples import score_codes
from stylegan_latents.editing.discovery.scorers.scorer import Array, Attribute, Scorer
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

# Seeds far from those of the samples.
_GAIN_SEED, _SCALE_SEED = 900_000_000, 910_000_000
_TRUNCATION = 0.7
# Length of the measured steps, in standard deviations of the score.
_LENGTH = 1.5


class HeldOut:
    """Codes outside of the fit, and the effects of steps in W on them.

    Args:
        G: the generator.
        scorer: the scorer of the pictures.
        deviations: standard deviation of each score over samples of W.
        codes: number of codes that gains are measured on; scales use twice as many.
        exact: whether to score exact pictures instead of sketches.
    """

    def __init__(self, G: "Generator", scorer: Scorer, deviations: Array, *, codes: int, exact: bool) -> None:
        self.G, self.scorer, self.deviations, self.count, self.exact = G, scorer, deviations, codes, exact
        self._drawn: dict[tuple[int, int], tuple[Tensor, Array]] = {}

    def codes(self, seed: int, count: int) -> tuple["Tensor", Array]:
        """Codes ``[count, num_ws, w_dim]`` of consecutive seeds and their scores, cached."""
        if (seed, count) not in self._drawn:
            ws = self.G.sample(range(seed, seed + count), truncation=_TRUNCATION)
            self._drawn[seed, count] = ws, score_codes(self.G, self.scorer, ws, size=256, exact=self.exact)
        return self._drawn[seed, count]

    def changes(self, direction: Direction, ws: "Tensor", strengths: Sequence[float], before: Array) -> Array:
        """``leakage.changes`` with this generator and scorer."""
        return changes(self.G, self.scorer, direction, ws, strengths, before=before, exact=self.exact)

    def gains(self, attribute: Attribute, step: Array) -> Array:
        """Mean change of every score by one step, in deviations, measured at ``_LENGTH`` in both directions."""
        ws, before = self.codes(_GAIN_SEED, self.count)
        result = self.changes(self._direction(attribute, step, _LENGTH), ws, (-1, 1), before)
        gains: Array = np.nanmean(result[1] - result[0], axis=0) / self.deviations / (2 * _LENGTH)
        return gains

    def scaled(self, attribute: Attribute, step: Array, identity: Scorer | None = None) -> Direction:
        """The step as a direction, scaled to move the median face by one standard deviation.

        Args:
            attribute: whose score the step changes.
            step: in W, ``[3, w_dim]``, of any length.
            identity: scorer of the face descriptor, to shorten the scale by ``identity_share``.

        Raises:
            InputError: the step hardly changes the score.
        """
        count = 2 * self.count
        ws = self.G.sample(range(_SCALE_SEED, _SCALE_SEED + count), truncation=_TRUNCATION)
        own = self.scorer.names.index(attribute.name)
        length = 1.0
        # The change is nearly linear in the length: a few codes give a length that all codes then correct.
        for few in (max(1, count // 4), count):
            # The scores before the edits cancel in the difference.
            zero = np.zeros((few, len(self.scorer.names)))
            result = self.changes(self._direction(attribute, step, length), ws[:few], (-1, 1), zero)[..., own]
            gain = float(np.nanmedian((result[1] - result[0]) / 2)) / self.deviations[own]
            if not gain > 0.05:
                raise InputError(
                    f"The direction found for '{attribute.name}' changes its score by {gain:.2f} standard "
                    "deviations only; take more samples."
                )
            length /= gain
        direction = self._direction(attribute, step, length)
        if identity is None:
            return direction
        share = identity_share(self.G, identity, direction, ws[: self.count], exact=self.exact)
        return self._direction(attribute, step, length * share)

    def _direction(self, attribute: Attribute, step: Array, length: float) -> Direction:
        """A direction bound to the generator, with a unit of strength of ``length`` steps."""
        import torch

        size = float(np.linalg.norm(step, axis=1).max())
        direction = Direction(
            name=attribute.name,
            latent_space=self.G.latent_space,
            vector=torch.from_numpy((step / size).astype(np.float32)),
            scale=size * length,
            layers=attribute.layers,
            by_group=True,
        )
        return direction.bind(self.G)
