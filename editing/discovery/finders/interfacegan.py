"""Directions from scores of samples: InterFaceGAN (Shen et al., "Interpreting the Latent Space of GANs for Semantic
Face Editing", 2020), refined by what edits change.

1. A linear model of every score on samples of W, half of them with mixed styles.
2. For each attribute the shortest step in whitened W that changes its score and no other (conditional
   manipulation, for all scores at once); or, where that is asked for, the one that changes the identity least
   (``editing.discovery.fitting.identity``).
3. The steps are tried on held-out codes. The matrix of what they change, inverted, gives the combination that
   changes one score and leaves the means of the others where they are: a linear model has its errors, and a
   generator's answer to a step of two deviations is not its answer to a small one.
4. For the attributes that are asked for, the steps are recombined so that the other scores stay on every code,
   and not on average alone; and where that is asked for, the identity too
   (``editing.discovery.fitting.leakage_reduction``). Then step 3 is done again for those that change the identity
   least, with what the others have become.
5. The scale is set so that strength 1 changes the median face's score by one standard deviation of that score
   over the samples; by a little less where a direction is to change the identity least and strength 2 would
   change it too much.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.fitting.held_out import HeldOut
from stylegan_latents.editing.discovery.fitting.identity import identity_effects, least_identity_step
from stylegan_latents.editing.discovery.fitting.leakage import Effect, effect
from stylegan_latents.editing.discovery.fitting.leakage_reduction import parts_of_step, recombined, try_parts
from stylegan_latents.editing.discovery.fitting.linear import LinearModel, Method, fit
from stylegan_latents.editing.discovery.fitting.samples import Samples, sample
from stylegan_latents.editing.discovery.scorers.exclusive import dependent_scores, holdable
from stylegan_latents.editing.discovery.scorers.faces import HELPERS
from stylegan_latents.editing.discovery.scorers.scorer import Array, Attribute, Scorer
from stylegan_latents.generator.cli.progress import Progress
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

Report = Callable[[str], object]
# A step's name, the step in W, and what it changes of every score.
_Measured = tuple[str, Array, Array]

# Seeds far from those that codes are drawn with, and from those of trials: for testing, and for recombining.
_TEST_SEED, _TRIAL_SEED = 920_000_000, 940_000_000
_REFINEMENTS = 2
_WORST_CONDITION = 100.0


@dataclass(frozen=True)
class Found:
    """A direction and what it does to codes that had no part in finding it."""

    direction: Direction
    effect: Effect


class InterFaceGAN:
    """Finds calibrated, disentangled directions from scored samples.

    Args:
        G: the generator, in the precision to search in.
        scorer: what the samples were scored with.
        samples: what ``sample`` gave for the scorer; for ``least_identity_change`` for the scorer and the identity
            side by side. Or how many samples to draw and score here.
        attributes: what ``find`` finds directions for; the scorer's when None, or every score where it has none.
        method: of the linear model; see ``fit``.
        codes: how many held-out codes refining and testing are done on, each on its own; scaling takes twice
            as many.
        exact: whether edits are measured on exact pictures, and not on sketches. As it was in sampling: what a
            sketch changes in a score's deviation, it changes in what an edit does to the score.
        refine: whether to do step 3.
        reduce_leakage: names of the attributes that step 4 is done for; each takes some minutes more.
        hold_identity: names of the attributes that step 4 is done for with the identity held, too.
        least_identity_change: names of the attributes whose steps change the identity least, as far as the samples
            tell.
        identity: gives the descriptor of a face, such as ``IdentityScorer``; needed for ``hold_identity`` and
            ``least_identity_change``.
        report: called with a sentence when a step begins.
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
        self.G, self.scorer, self.method, self.codes, self.refine = G, scorer, method, codes, refine
        self.exact = exact
        if isinstance(samples, int):
            samples = sample(G, scorer, samples, exact=exact)
        everything = samples.valid()
        self.samples = everything.of(scorer.names)
        self.deviations = self.samples.deviations()
        self.report = report or (lambda _: None)
        if hold_identity and identity is None:
            raise ValueError("to hold the identity, a scorer of the identity is needed")
        self.hold_identity, self.least_identity_change = tuple(hold_identity), tuple(least_identity_change)
        self.identity = identity
        self._identity_effects: Array | None = None
        if least_identity_change:
            if identity is None or not set(identity.names) <= set(samples.names):
                raise ValueError(
                    "for the least identity change, the samples have to be scored by the identity, too"
                )
            self._identity_effects = identity_effects(everything.of(identity.names))
        self.reduce_leakage = tuple(dict.fromkeys((*reduce_leakage, *hold_identity)))
        self.attributes = scorer.default_attributes() if attributes is None else tuple(attributes)
        self.held_out = HeldOut(G, scorer, self.deviations, codes=codes, exact=exact)
        self.model: LinearModel = fit(self.samples, method)
        self.dependent = dependent_scores(self.samples.names, self.model.correlations, scorer.exclusive)
        self.effects: list[Effect] = []

    def find(self, count: int | None = None, on_progress: Progress | None = None) -> list[Direction]:
        """One direction for each attribute, each leaving the others' scores alone; ``effects`` holds what they do.

        Args:
            count: how many, of the first attributes; None for all.
            on_progress: called with the number of directions tested and in all.

        Raises:
            InputError: as ``find_tested``.
        """
        found = self.find_tested(self.attributes[:count], on_progress)
        self.effects = [one.effect for one in found]
        return [one.direction for one in found]

    def find_tested(self, attributes: Sequence[Attribute], on_progress: Progress | None = None) -> list[Found]:
        """One direction for each attribute, and what it does to codes that had no part in finding it.

        Raises:
            InputError: an attribute names a score that there is not, or a direction changes nothing.
        """
        names = [attribute.name for attribute in attributes]
        first = [self._step(attribute, names) for attribute in attributes]
        helping = self._helpers(attributes) if self.refine else []
        steps = self._refined(first, attributes, helping) if self.refine else first
        by_name = dict(zip(names, steps, strict=True))
        steps = [
            self.recombined(attribute, by_name) if attribute.name in self.reduce_leakage else step
            for attribute, step in zip(attributes, steps, strict=True)
        ]
        if self.refine:
            steps = self._refined_last(steps, first, attributes, helping)
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
        """A step in W, ``[3, w_dim]``, about one standard deviation of the score long by the linear model."""
        if self._identity_effects is not None and attribute.name in self.least_identity_change:
            return least_identity_step(self.model, self._identity_effects, attribute, names)
        step = self.model.direction(attribute.name, fixed=self._held(attribute, names), groups=attribute.groups)
        whitened = np.linalg.solve(self.model.colouring, step.T).T
        gain = float((whitened * self.model.effects[self.model.names.index(attribute.name)]).sum())
        # Ridge shrinks gains, and classifiers' weights have no size: keep the length within reason.
        return step * float(np.clip(1 / max(gain, 1e-6), 1.0, 4.0))

    def _held(self, attribute: Attribute, names: Sequence[str]) -> list[str]:
        """The scores that a step leaves alone: of the attributes' those that can stay, and those it names."""
        others = holdable(attribute.name, names, self.scorer.exclusive)
        return [*others, *(name for name in attribute.fixed if name != attribute.name)]

    def _refined(
        self, steps: list[Array], attributes: Sequence[Attribute], helping: list[_Measured]
    ) -> list[Array]:
        """Combine the steps so that the measured means of the scores that are to stay do stay."""
        for turn in range(_REFINEMENTS):
            measured = self._measured(steps, attributes, f"refining {{}}, {turn + 1} of {_REFINEMENTS}")
            steps = [self._combined(attribute, measured, helping) for attribute in attributes]
        return steps

    def _refined_last(
        self, steps: list[Array], first: list[Array], attributes: Sequence[Attribute], helping: list[_Measured]
    ) -> list[Array]:
        """Combine the steps of least identity change anew, with the others' last steps.

        Those leave the identity alone by then, so that cancelling the other scores changes little of it.
        """
        anew = [attribute.name in self.least_identity_change for attribute in attributes]
        if not any(anew):
            return steps
        parts = [plain if again else step for again, plain, step in zip(anew, first, steps, strict=True)]
        measured = self._measured(parts, attributes, "least identity change: measuring {}")
        return [
            self._combined(attribute, measured, helping) if again else step
            for attribute, step, again in zip(attributes, steps, anew, strict=True)
        ]

    def _measured(self, steps: list[Array], attributes: Sequence[Attribute], saying: str) -> list[_Measured]:
        """What steps in W, ``[3, w_dim]``, each change; ``saying`` is reported with each one's name."""
        found = []
        for attribute, step in zip(attributes, steps, strict=True):
            self.report(saying.format(attribute.name))
            found.append((attribute.name, step, self.held_out.gains(attribute, step)))
        return found

    def _helpers(self, attributes: Sequence[Attribute]) -> list[_Measured]:
        """Steps for held scores that are no attribute (glasses, for one): they are what can cancel them."""
        names = [attribute.name for attribute in attributes]
        helpers = [name for name in HELPERS if any(name in attribute.fixed for attribute in attributes)]
        whole = [Attribute(name, "", "", "all") for name in helpers]
        return self._measured([self._step(one, [*names, *helpers]) for one in whole], whole, "measuring {}")

    def _combined(self, attribute: Attribute, steps: list[_Measured], helping: list[_Measured]) -> Array:
        """The combination of steps that changes the attribute's score by one deviation and none of the others."""
        moved = [attribute.name, *holdable(attribute.name, [name for name, _, _ in steps], self.scorer.exclusive)]
        parts = [one for one in steps if one[0] in moved]
        parts += [one for one in helping if one[0] in attribute.fixed]
        columns = [self.samples.names.index(name) for name, _, _ in parts]
        matrix = np.array([gains[columns] for _, _, gains in parts]).T
        if not np.isfinite(matrix).all() or np.linalg.cond(matrix) > _WORST_CONDITION:
            raise InputError("The directions do not tell the attributes apart; take more samples.")
        wanted = np.array([float(name == attribute.name) for name, _, _ in parts])
        weights = np.linalg.solve(matrix, wanted)
        whole: Array = np.einsum("k,kgw->gw", weights, np.array([step for _, step, _ in parts]))
        # The steps of attributes that move other rows may not bring those rows in.
        mask = np.array([[group in attribute.groups] for group in GROUPS], dtype=np.float64)
        return whole * mask

    def recombined(self, attribute: Attribute, steps: Mapping[str, Array]) -> Array:
        """A step that leaves the other attributes' scores and the identity alone on every code, as far as possible.

        Args:
            attribute: what the step is for.
            steps: of all attributes, ``[3, w_dim]``.
        """
        self.report(f"reducing the leakage of {attribute.name}")
        parts, own = parts_of_step(self.model, attribute, steps)
        ws, before = self.held_out.codes(_TRIAL_SEED, max(2, self.codes // 2))
        identity = self.identity if attribute.name in self.hold_identity else None
        trials = try_parts(
            self.G, self.scorer, parts, own, ws, before, self.deviations, identity=identity, exact=self.exact
        )
        return recombined(trials, attribute, list(steps))

    def _describe(
        self, attribute: Attribute, bound: Direction, step: Array, measured: Effect, names: Sequence[str]
    ) -> Direction:
        """The direction as it is stored: by groups, with where it came from."""
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
            "fixed": list[JSON](self._held(attribute, names)),
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
