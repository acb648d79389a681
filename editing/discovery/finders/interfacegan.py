"""InterFaceGAN's way to directions (Shen et al. 2020), refined by what edits do.

1. A linear model of every score on samples of W, half of them with mixed styles.
2. For each attribute the shortest step in whitened W that changes its score and no other (conditional
   manipulation, for all scores at once); or, where that is asked for, the one that changes who is seen least
   (``editing.discovery.fitting.person_sparing``).
3. The steps are tried on held-out codes. The matrix of what they really change, inverted, gives the
   combination that changes one score and leaves the means of the others where they are: a linear model has
   its errors, and a generator's answer to a step of two deviations is not its answer to a small one.
4. For the attributes that are asked for, the steps are recombined so that the other scores stay on every code,
   and not on average alone; and where that is asked for, the person too
   (``editing.discovery.fitting.leakage_sparing``).
   Then step 3 is done again for those that are to spare the person, with what the others have become.
5. The scale is set so that strength 1 changes the median face's score by one standard deviation of that score
   over the samples; where a direction is to spare the person and two strengths would not, by a little less.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.fitting.attributes import FACE_ATTRIBUTES, HELPERS, Attribute
from stylegan_latents.editing.discovery.fitting.held_out import HeldOut
from stylegan_latents.editing.discovery.fitting.leakage import Effect, effect
from stylegan_latents.editing.discovery.fitting.leakage_sparing import parts_of_step, steadied, try_parts
from stylegan_latents.editing.discovery.fitting.linear import LinearModel, Method, fit
from stylegan_latents.editing.discovery.fitting.person_sparing import person_effects, sparing_step
from stylegan_latents.editing.discovery.fitting.samples import Samples
from stylegan_latents.editing.discovery.scorers.exclusive import exclusive_groups, holdable, tied_scores
from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

Report = Callable[[str], None]
# A step's name, the step in W, and what it changes of every score.
_Measured = tuple[str, Array, Array]

# Seeds far from those that codes are drawn with, and from those of trials: for the final table, and for steadying.
_TEST_SEED, _STEADY_SEED = 920_000_000, 940_000_000
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
        samples: what ``sample`` gave for the scorer; for ``spare_person`` for
            the scorer and the likeness side by side.
        method: of the linear model; see ``fit``.
        codes: how many held-out codes refining and testing are done on, each on its own; scaling takes twice
            as many.
        exact: whether edits are measured on exact pictures, and not on sketches. As it was in sampling: what a
            sketch changes in a score's deviation, it changes in what an edit does to the score.
        refine: whether to do step 3.
        steady: names of the attributes that step 4 is done for; each takes some minutes more.
        keep_person: names of the attributes that step 4 is done for with the person held, too.
        spare_person: names of the attributes whose steps are made to spare who is seen, as far as the samples tell.
        likeness: gives the numbers that say who a face is; needed for ``keep_person`` and ``spare_person``.
        report: called with a sentence when a step begins.
    """

    def __init__(
        self,
        G: "Generator",
        scorer: Scorer,
        samples: Samples,
        *,
        method: Method = "ridge",
        codes: int = 32,
        exact: bool = False,
        refine: bool = True,
        steady: Sequence[str] = (),
        keep_person: Sequence[str] = (),
        spare_person: Sequence[str] = (),
        likeness: Scorer | None = None,
        report: Report | None = None,
    ) -> None:
        self.G, self.scorer, self.method, self.codes, self.refine = G, scorer, method, codes, refine
        self.exact = exact
        everything = samples.valid()
        self.samples = everything.of(scorer.names)
        self.deviations = self.samples.deviations()
        self.report = report or (lambda _: None)
        if keep_person and likeness is None:
            raise ValueError("to keep the person, a likeness has to be measured")
        self.keep_person, self.spare_person, self.likeness = tuple(keep_person), tuple(spare_person), likeness
        self._person: Array | None = None
        if spare_person:
            if likeness is None or not set(likeness.names) <= set(samples.names):
                raise ValueError("to spare the person, the samples have to be scored with a likeness, too")
            self._person = person_effects(everything.of(likeness.names))
        self.steady = tuple(dict.fromkeys((*steady, *keep_person)))
        self.held_out = HeldOut(G, scorer, self.deviations, codes=codes, exact=exact)
        self.model: LinearModel = fit(self.samples, method)
        self.exclusive = exclusive_groups(scorer)
        self.tied = tied_scores(self.samples.names, self.model.correlations, self.exclusive)

    def find(self, attributes: Sequence[Attribute] = FACE_ATTRIBUTES) -> list[Found]:
        """One direction for each attribute, each leaving the others' scores alone.

        Raises:
            InputError: an attribute names a score that there is not, or a direction changes nothing.
        """
        names = [attribute.name for attribute in attributes]
        first = [self._step(attribute, names) for attribute in attributes]
        helping = self._helpers(attributes) if self.refine else []
        steps = self._refined(first, attributes, helping) if self.refine else first
        by_name = dict(zip(names, steps, strict=True))
        steps = [
            self.steadied(attribute, by_name) if attribute.name in self.steady else step
            for attribute, step in zip(attributes, steps, strict=True)
        ]
        if self.refine:
            steps = self._spared(steps, first, attributes, helping)
        found = []
        test, before = self.held_out.codes(_TEST_SEED, self.codes)
        for attribute, step in zip(attributes, steps, strict=True):
            self.report(f"scaling {attribute.name}")
            likeness = self.likeness if attribute.name in self.spare_person else None
            direction = self.held_out.scaled(attribute, step, likeness)
            self.report(f"testing {attribute.name}")
            result = self.held_out.changes(direction, test, (-2, -1, 1, 2), before)
            measured = effect(
                attribute.name,
                self.samples.names,
                names,
                result[1:3],
                result[[0, 3]],
                self.deviations,
                self.tied.get(attribute.name, ()),
            )
            found.append(Found(self._describe(attribute, direction, step, measured, names), measured))
        return found

    def _step(self, attribute: Attribute, names: Sequence[str]) -> Array:
        """A step in W, ``[3, w_dim]``, about one standard deviation of the score long by the linear model."""
        if self._person is not None and attribute.name in self.spare_person:
            return sparing_step(self.model, self._person, attribute, names)
        step = self.model.direction(attribute.name, fixed=self._held(attribute, names), groups=attribute.groups)
        whitened = np.linalg.solve(self.model.colouring, step.T).T
        gain = float((whitened * self.model.effects[self.model.names.index(attribute.name)]).sum())
        # Ridge shrinks gains, and classifiers' weights have no size: keep the length within reason.
        return step * float(np.clip(1 / max(gain, 1e-6), 1.0, 4.0))

    def _held(self, attribute: Attribute, names: Sequence[str]) -> list[str]:
        """The scores that a step leaves alone: of the attributes' those that can stay, and those it names."""
        others = holdable(attribute.name, names, self.exclusive)
        return [*others, *(name for name in attribute.fixed if name != attribute.name)]

    def _refined(
        self, steps: list[Array], attributes: Sequence[Attribute], helping: list[_Measured]
    ) -> list[Array]:
        """Combine the steps so that the measured means of the scores that are to stay do stay."""
        for turn in range(_REFINEMENTS):
            measured = self._measured(steps, attributes, f"refining {{}}, {turn + 1} of {_REFINEMENTS}")
            steps = [self._combined(attribute, measured, helping) for attribute in attributes]
        return steps

    def _spared(
        self, steps: list[Array], first: list[Array], attributes: Sequence[Attribute], helping: list[_Measured]
    ) -> list[Array]:
        """Combine the steps that spare the person anew, with the others' last steps.

        Those leave the person alone by then, so that cancelling what is to stay changes little of who is seen.
        """
        spare = [attribute.name in self.spare_person for attribute in attributes]
        if not any(spare):
            return steps
        parts = [plain if spared else step for spared, plain, step in zip(spare, first, steps, strict=True)]
        measured = self._measured(parts, attributes, "sparing the person: measuring {}")
        return [
            self._combined(attribute, measured, helping) if spared else step
            for attribute, step, spared in zip(attributes, steps, spare, strict=True)
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
        moved = [attribute.name, *holdable(attribute.name, [name for name, _, _ in steps], self.exclusive)]
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

    def steadied(self, attribute: Attribute, steps: Mapping[str, Array]) -> Array:
        """A step that leaves the other attributes' scores and the person alone on every code, as far as can be.

        Args:
            attribute: what the step is for.
            steps: of all attributes, ``[3, w_dim]``.
        """
        self.report(f"steadying {attribute.name}")
        parts, own = parts_of_step(self.model, attribute, steps)
        ws, before = self.held_out.codes(_STEADY_SEED, max(2, self.codes // 2))
        likeness = self.likeness if attribute.name in self.keep_person else None
        trials = try_parts(
            self.G, self.scorer, parts, own, ws, before, self.deviations, likeness=likeness, exact=self.exact
        )
        return steadied(trials, attribute, list(steps))

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
            "steadied": attribute.name in self.steady,
            "likeness_held": attribute.name in self.keep_person,
            "person_spared": attribute.name in self.spare_person,
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
            "leakage_leaves_out": list[JSON](self.tied.get(attribute.name, ())),
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
