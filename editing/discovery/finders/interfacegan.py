"""Directions from scores of samples: InterFaceGAN (Shen et al., "Interpreting the Latent Space of GANs for Semantic
Face Editing", 2020), refined by the measured effects of edits.

1. Fit a linear model of every score on samples of W, half of them with mixed styles.
2. For each attribute take the shortest step in whitened W that changes its score and no other (conditional
   manipulation for all scores at once), or the one of least identity change (``fitting.identity``).
3. Edit held-out codes by the steps. The inverse of the matrix of measured changes gives the combinations that
   change one score and preserve the means of the others, which corrects the errors of the linear model.
4. Optionally recombine steps to preserve the other scores, and the identity, on every code and not only on average
   (``fitting.leakage_reduction``); then repeat step 3 for the steps of least identity change.
5. Scale so that strength 1 changes the median face's score by one standard deviation over the samples; by less for
   a direction of least identity change whose strength 2 would change the identity too much.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.exclusive import dependent_scores, independent_scores
from stylegan_latents.editing.discovery.fitting.held_out import HeldOut
from stylegan_latents.editing.discovery.fitting.identity import identity_effects, least_identity_step
from stylegan_latents.editing.discovery.fitting.leakage import Effect, effect
from stylegan_latents.editing.discovery.fitting.leakage_reduction import (
    candidate_steps,
    measure_candidates,
    recombined,
)
from stylegan_latents.editing.discovery.fitting.linear import LinearModel, Method, fit
from stylegan_latents.editing.discovery.fitting.samples import Samples, sample
from stylegan_latents.editing.discovery.scorers.faces import HELPERS
from stylegan_latents.editing.discovery.scorers.scorer import Array, Attribute, Scorer
from stylegan_latents.generator.cli.progress import Progress
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

Report = Callable[[str], object]
# A step's name, the step in W, and its change of every score.
_Measured = tuple[str, Array, Array]

# Seeds for testing and for recombining, far from those of the samples and of ``HeldOut``.
_TEST_SEED, _CANDIDATE_SEED = 920_000_000, 940_000_000
_REFINEMENTS = 2
_WORST_CONDITION = 100.0


@dataclass(frozen=True)
class Found:
    """A direction and its effect on test codes."""

    direction: Direction
    effect: Effect


class InterFaceGAN:
    """Finds calibrated, disentangled directions from scored samples.

    Args:
        G: the generator, in the precision to use.
        scorer: the scorer of the samples.
        samples: from ``sample`` with the scorer, for ``least_identity_change`` with the identity as well; or the
            number of samples to draw and score.
        attributes: of the directions that ``find`` finds; the scorer's when None, or every score if it has none.
        method: of the linear model; see ``fit``.
        codes: number of held-out codes for refining, and of others for testing; scaling uses twice as many.
        exact: whether to measure edits on exact pictures instead of sketches; the same as for the samples.
        refine: whether to do step 3.
        reduce_leakage: names of the attributes to recombine, step 4; each takes minutes.
        hold_identity: names of the attributes to recombine with the identity preserved.
        least_identity_change: names of the attributes whose steps change the identity least.
        identity: scorer of the face descriptor, such as ``IdentityScorer``, for the two options above.
        report: called with a phrase when a step begins.
    """

    def __init__(
        self,
        G: "Generator",
        scorer: Scorer,
        samples: Samples | int = 5000,
        *,
        attributes: Sequence[Attribute] | None = None,
        method: Method = "ridge",
        codes: int = 32,
        exact: bool = False,
        refine: bool = True,
        reduce_leakage: Sequence[str] = (),
        hold_identity: Sequence[str] = (),
        least_identity_change: Sequence[str] = (),
        identity: Scorer | None = None,
        report: Report | None = None,
    ) -> None:
        self.G, self.scorer, self.method, self.codes = G, scorer, method, codes
        self.refine, self.exact = refine, exact
        if isinstance(samples, int):
            samples = sample(G, scorer, samples, exact=exact)
        everything = samples.valid()
        self.samples = everything.select(scorer.names)
        self.deviations = self.samples.deviations()
        self.report = report or (lambda _: None)
        if hold_identity and identity is None:
            raise ValueError("hold_identity needs a scorer of the identity")
        self.hold_identity, self.least_identity_change = tuple(hold_identity), tuple(least_identity_change)
        self.identity = identity
        self._identity_effects: Array | None = None
        if least_identity_change:
            if identity is None or not set(identity.names) <= set(samples.names):
                raise ValueError("least_identity_change: the samples have to be scored by the identity, too")
            self._identity_effects = identity_effects(everything.select(identity.names))
        self.reduce_leakage = tuple(dict.fromkeys((*reduce_leakage, *hold_identity)))
        self.attributes = scorer.default_attributes() if attributes is None else tuple(attributes)
        self.held_out = HeldOut(G, scorer, self.deviations, codes=codes, exact=exact)
        self.model: LinearModel = fit(self.samples, method)
        self.dependent = dependent_scores(self.samples.names, self.model.correlations, scorer.exclusive)
        self.effects: list[Effect] = []

    def find(self, count: int | None = None, on_progress: Progress | None = None) -> list[Direction]:
        """``find_tested`` for the first ``count`` attributes, or all; ``effects`` then holds their effects."""
        found = self.find_tested(self.attributes[:count], on_progress)
        self.effects = [each.effect for each in found]
        return [each.direction for each in found]

    def find_tested(self, attributes: Sequence[Attribute], on_progress: Progress | None = None) -> list[Found]:
        """One direction for each attribute that preserves the others' scores, and its effect on test codes.

        Raises:
            InputError: an attribute names an unknown score, or a direction changes nothing.
        """
        names = [attribute.name for attribute in attributes]
        first = [self._step(attribute, names) for attribute in attributes]
        helpers = self._helpers(attributes) if self.refine else []
        steps = self._refined(first, attributes, helpers) if self.refine else first
        by_name = dict(zip(names, steps, strict=True))
        steps = [
            self.recombined(attribute, by_name) if attribute.name in self.reduce_leakage else step
            for attribute, step in zip(attributes, steps, strict=True)
        ]
        if self.refine:
            steps = self._refined_last(steps, first, attributes, helpers)
        found = []
        test, before = self.held_out.codes(_TEST_SEED, self.codes)
        for attribute, step in zip(attributes, steps, strict=True):
            self.report(f"scaling {attribute.name}")
            identity = self.identity if attribute.name in self.least_identity_change else None
            direction = self.held_out.scaled(attribute, step, identity)
            self.report(f"testing {attribute.name}")
            result = self.held_out.changes(direction, test, (-2, -1, 1, 2), before)
            measured = effect(
                attribute.name,
                self.samples.names,
                names,
                result[1:3],
                result[[0, 3]],
                self.deviations,
                self.dependent.get(attribute.name, ()),
            )
            found.append(Found(self._describe(attribute, direction, step, measured, names), measured))
            if on_progress is not None:
                on_progress(len(found), len(attributes))
        return found

    def _step(self, attribute: Attribute, names: Sequence[str]) -> Array:
        """A step in W, ``[3, w_dim]``, of about one standard deviation of the score by the linear model."""
        if self._identity_effects is not None and attribute.name in self.least_identity_change:
            return least_identity_step(self.model, self._identity_effects, attribute, names)
        step = self.model.direction(attribute.name, fixed=self._fixed(attribute, names), groups=attribute.groups)
        whitened = np.linalg.solve(self.model.colouring, step.T).T
        gain = float((whitened * self.model.effects[self.model.names.index(attribute.name)]).sum())
        # Ridge shrinks gains, and classifiers' weights are of unit length: limit the scaling.
        return step * float(np.clip(1 / max(gain, 1e-6), 1.0, 4.0))

    def _fixed(self, attribute: Attribute, names: Sequence[str]) -> list[str]:
        """The scores that a step preserves: the other attributes', unless dependent, and its ``fixed``."""
        others = independent_scores(attribute.name, names, self.scorer.exclusive)
        return [*others, *(name for name in attribute.fixed if name != attribute.name)]

    def _refined(
        self, steps: list[Array], attributes: Sequence[Attribute], helpers: list[_Measured]
    ) -> list[Array]:
        """Combine the steps so that the measured means of the other scores are preserved."""
        for turn in range(_REFINEMENTS):
            measured = self._measured(steps, attributes, f"refining {{}}, {turn + 1} of {_REFINEMENTS}")
            steps = [self._combined(attribute, measured, helpers) for attribute in attributes]
        return steps

    def _refined_last(
        self, steps: list[Array], first: list[Array], attributes: Sequence[Attribute], helpers: list[_Measured]
    ) -> list[Array]:
        """Recombine the steps of least identity change with the others' final, identity-preserving steps."""
        chosen = [attribute.name in self.least_identity_change for attribute in attributes]
        if not any(chosen):
            return steps
        bases = [plain if again else step for again, plain, step in zip(chosen, first, steps, strict=True)]
        measured = self._measured(bases, attributes, "least identity change: measuring {}")
        return [
            self._combined(attribute, measured, helpers) if again else step
            for attribute, step, again in zip(attributes, steps, chosen, strict=True)
        ]

    def _measured(self, steps: list[Array], attributes: Sequence[Attribute], message: str) -> list[_Measured]:
        """Changes by steps in W, ``[3, w_dim]``; ``message`` is reported with each one's name."""
        found = []
        for attribute, step in zip(attributes, steps, strict=True):
            self.report(message.format(attribute.name))
            found.append((attribute.name, step, self.held_out.gains(attribute, step)))
        return found

    def _helpers(self, attributes: Sequence[Attribute]) -> list[_Measured]:
        """Steps for fixed scores without a direction of their own, such as glasses, to cancel changes in them."""
        names = [attribute.name for attribute in attributes]
        fixed = [name for name in HELPERS if any(name in attribute.fixed for attribute in attributes)]
        helpers = [Attribute(name, "", "", "all") for name in fixed]
        return self._measured([self._step(each, [*names, *fixed]) for each in helpers], helpers, "measuring {}")

    def _combined(self, attribute: Attribute, steps: list[_Measured], helpers: list[_Measured]) -> Array:
        """The combination of steps that changes the attribute's score by one deviation and none of the others."""
        moved = [
            attribute.name,
            *independent_scores(attribute.name, [name for name, _, _ in steps], self.scorer.exclusive),
        ]
        used = [step for step in steps if step[0] in moved]
        used += [step for step in helpers if step[0] in attribute.fixed]
        columns = [self.samples.names.index(name) for name, _, _ in used]
        matrix = np.array([gains[columns] for _, _, gains in used]).T
        if not np.isfinite(matrix).all() or np.linalg.cond(matrix) > _WORST_CONDITION:
            raise InputError("The directions are too similar to change one attribute alone; take more samples.")
        wanted = np.array([float(name == attribute.name) for name, _, _ in used])
        weights = np.linalg.solve(matrix, wanted)
        whole: Array = np.einsum("k,kgw->gw", weights, np.array([step for _, step, _ in used]))
        # Other attributes' steps may move other rows.
        mask = np.array([[group in attribute.groups] for group in GROUPS], dtype=np.float64)
        return whole * mask

    def recombined(self, attribute: Attribute, steps: Mapping[str, Array]) -> Array:
        """The step for an attribute, of all attributes' ``[3, w_dim]``, with least other change on every code."""
        self.report(f"reducing the leakage of {attribute.name}")
        parts, own = candidate_steps(self.model, attribute, steps)
        ws, before = self.held_out.codes(_CANDIDATE_SEED, max(2, self.codes // 2))
        identity = self.identity if attribute.name in self.hold_identity else None
        candidates = measure_candidates(
            self.G, self.scorer, parts, own, ws, before, self.deviations, identity=identity, exact=self.exact
        )
        return recombined(candidates, attribute, list(steps))

    def _describe(
        self, attribute: Attribute, bound: Direction, step: Array, measured: Effect, names: Sequence[str]
    ) -> Direction:
        """The direction as it is stored: by groups, with its provenance."""
        import torch

        index = self.model.names.index(attribute.name)
        size = float(np.linalg.norm(step, axis=1).max())
        whitened = np.linalg.solve(self.model.colouring, step.T) * (bound.scale / size)
        lengths = np.linalg.norm(whitened, axis=0)
        provenance: dict[str, JSON] = {
            "positive": attribute.positive,
            "negative": attribute.negative,
            "finder": "InterFaceGAN",
            "method": self.method,
            "refined": self.refine,
            "leakage_reduced": attribute.name in self.reduce_leakage,
            "identity_held": attribute.name in self.hold_identity,
            "least_identity_change": attribute.name in self.least_identity_change,
            "generator": self.G.name,
            "generator_fingerprint": self.G.fingerprint,
            "scorer": self.scorer.version,
            "score": attribute.name,
            "score_deviations": {
                name: float(value) for name, value in zip(self.samples.names, self.deviations, strict=True)
            },
            "samples": len(self.samples.codes),
            "fixed": list[JSON](self._fixed(attribute, names)),
            "held_out_correlation": round(float(self.model.accuracy[index]), 4),
            "held_out_accuracy": round(float(self.model.sign_accuracy[index]), 4),
            "test_codes": self.codes,
            "intended_change": round(measured.intended, 4),
            "leakage": round(measured.leakage, 4) if np.isfinite(measured.leakage) else None,
            "leakage_leaves_out": list[JSON](self.dependent.get(attribute.name, ())),
            "deviations_of_w_per_unit": [round(float(value), 4) for value in lengths],
            "moved": {
                name: round(float(value), 4) for name, value in zip(measured.names, measured.moved, strict=True)
            },
        }
        return Direction(
            name=attribute.name,
            latent_space=self.G.latent_space,
            vector=torch.from_numpy((step / size).astype(np.float32)),
            scale=bound.scale,
            layers=attribute.layers,
            provenance=provenance,
            by_group=True,
        )
