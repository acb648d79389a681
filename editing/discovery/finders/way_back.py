"""The way back of a direction: what negative strengths move along, with steps that depend on the code.

Going forward and back are different ways: a younger face is no older face reversed. What a way back changes besides
its own score differs from face to face, and a linear model tells much of that from the code. Steps along the other
directions, as large as that model says, take it back.

1. Scale the direction by groups of rows, and add steps of other directions.
2. Edit samples of W back by two units, and score them before and after.
3. Fit each change of another score by a ridge regression on the whitened code.
4. Keep the models that predict held-out samples, each with its direction, as a ``Bend``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.directions.bend import Bend
from stylegan_latents.editing.directions.catalogue import known_directions, lookup
from stylegan_latents.editing.directions.direction import JSON, Direction, load
from stylegan_latents.editing.discovery.finders.base import NamedOptions, Plan
from stylegan_latents.editing.discovery.finders.by_scores import ByScores
from stylegan_latents.generator.cli.progress import Begin, Progress
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer
    from stylegan_latents.generator.generator import Generator

_BACK = -2.0
_FIRST_SEED = 901_000
_FOLDS = 5
# Share of a change's variance that has to be predicted on held-out samples for a step to be worth taking.
_LEAST_PREDICTED = 0.3
# Leading axes of W that are read: inversions lie elsewhere than samples along the others. Penalty in samples.
_AXES, _PENALTY = 20, 30.0


@dataclass(frozen=True)
class Start:
    """A way back before it is fitted: factors of the coarse, middle and fine rows, and strengths of other
    directions for each unit.
    """

    by_group: tuple[float, float, float] = (1.0, 1.0, 1.0)
    others: Mapping[str, float] | None = None


# Of the years at -2, the fine rows make two and cost two thirds of the identity distance. The steps take what
# twelve samples have in common: younger faces have wider eyes, look up and smile less.
_STARTS = {"age": Start((1.1, 1.1, 0.55), {"eyes-open": 0.3, "pitch": 0.125, "smile": -0.15})}


class WayBack:
    """Fits the way back of a direction.

    Args:
        G: the generator.
        scorer: of pictures; its scores are those of ``others``.
        direction: by groups of rows; its own negative vector and bend are replaced.
        others: directions by their scores, by groups of rows; the provenance of each has ``score_deviations`` and
            ``intended_change``, as ``InterFaceGAN`` writes them.
        ws: samples of W, ``[N, num_ws, w_dim]``, all rows of one equal.
        exact: whether to score exact pictures instead of sketches.
        start: see ``Start``.
    """

    def __init__(
        self,
        G: "Generator",
        scorer: "Scorer",
        direction: Direction,
        others: Mapping[str, Direction],
        ws: "Tensor",
        *,
        exact: bool = False,
        start: Start | None = None,
    ) -> None:
        self.G, self.scorer, self.direction, self.ws, self.exact = G, scorer, direction, ws, exact
        self.others = {name: one for name, one in others.items() if name in scorer.names}
        for one in (direction, *self.others.values()):
            if not one.by_group:
                raise InputError(f"The direction '{one.name}' is not by groups of rows; find it with interfacegan.")
        self.start = start or Start()

    def find(self, count: int = 1, on_progress: Progress | None = None) -> list[Direction]:  # noqa: ARG002 - one
        """The direction with its way back; its provenance says how much of each change the codes predict."""
        import numpy as np
        import torch

        from stylegan_latents.editing.discovery.fitting.samples import score_codes
        from stylegan_latents.generator.statistics import WStatistics

        begun = replace(self.direction, negative=self._begun(), bend=None)
        moved = begun.bind(self.G).apply(self.ws, _BACK)
        scores = score_codes(
            self.G, self.scorer, torch.cat([self.ws, moved]), size=256, exact=self.exact, progress=on_progress
        )
        before, after = np.split(scores, 2)
        columns = [self.scorer.names.index(name) for name in self.others]
        changes = (after - before)[:, columns]
        kept = np.isfinite(changes).all(axis=1)
        if kept.sum() < 100:
            raise InputError(f"Only {kept.sum()} samples could be scored, and 100 are needed; take more --samples.")
        statistics = WStatistics.of(self.G)
        codes = statistics.whiten(self.ws[:, 0].float()).cpu().double().numpy()[kept]
        readings, steps, predicted = [], [], {}
        for (name, other), column in zip(self.others.items(), changes[kept].T, strict=True):
            weights, share = predictor(codes, column / _measure(other, "score_deviations", name))
            predicted[name] = round(share, 3)
            if share >= _LEAST_PREDICTED:
                readings.append(weights / abs(_BACK))
                steps.append(self._step(other) / _measure(other, "intended_change"))
        provenance: dict[str, JSON] = {
            **self.direction.provenance,
            "negative_by_group": list[JSON](self.start.by_group),
            "negative_with": dict(self.start.others or {}),
            "negative_samples": int(kept.sum()),
            "negative_predicted": dict[str, JSON](predicted),
        }
        bend = None
        if readings:
            per_code = statistics.axes.cpu().double().numpy() / statistics.deviations.cpu().double().numpy()
            weights = np.array(readings) @ per_code.T
            # At W's mean the sizes are 0, so that what all faces share stays what ``negative`` makes it.
            added = -weights @ statistics.mean.cpu().double().numpy()
            whole = torch.from_numpy(np.column_stack([weights, added]).astype(np.float32))
            bend = Bend(whole, torch.stack(steps))
        return [replace(begun, bend=bend, provenance=provenance)]

    def _begun(self) -> "Tensor":
        import torch

        vector = self.direction.vector * torch.tensor(self.start.by_group)[:, None]
        for name, strength in (self.start.others or {}).items():
            if name in self.others:
                vector = vector + strength * self._step(self.others[name])
        return vector

    def _step(self, other: Direction) -> "Tensor":
        """One unit of another direction in its layers, in multiples of this direction's scale."""
        import torch

        from stylegan_latents.editing.discovery.fitting.linear import parse_groups

        chosen = parse_groups(other.layers)
        moves = torch.tensor([float(group in chosen) for group in GROUPS])
        return other.vector * moves[:, None] * (other.scale / self.direction.scale)


def predictor(codes: "Array", change: "Array") -> "tuple[Array, float]":
    """A ridge regression of a change on the leading whitened axes of codes, without the mean.

    Args:
        codes: ``[N, w_dim]``.
        change: ``[N]``.

    Returns:
        The weights, ``[w_dim]``, and the share of the variance that such a regression predicts on held-out samples.
    """
    read = codes[:, :_AXES] - codes[:, :_AXES].mean(0)
    import numpy as np

    fold = np.arange(len(codes)) % _FOLDS
    guess = np.empty_like(change)
    for test in (fold == number for number in range(_FOLDS)):
        guess[test] = change[~test].mean() + read[test] @ _ridge(read[~test], change[~test])
    share = 1 - float(np.square(change - guess).sum() / np.square(change - change.mean()).sum().clip(1e-12))
    weights = np.zeros(codes.shape[1])
    weights[:_AXES] = _ridge(read, change)
    return weights, share


def _ridge(codes: "Array", change: "Array") -> "Array":
    import numpy as np

    gram = codes.T @ codes + _PENALTY * np.eye(codes.shape[1])
    return np.asarray(np.linalg.solve(gram, codes.T @ (change - change.mean())))


def _measure(direction: Direction, key: str, name: str = "") -> float:
    """A number of a direction's provenance; InputError if it has none."""
    value = direction.provenance.get(key)
    if isinstance(value, dict):
        value = value.get(name)
    if not isinstance(value, int | float) or not value:
        raise InputError(f"The direction '{direction.name}' does not say its {key}; find it with interfacegan.")
    return float(value)


@dataclass(frozen=True, kw_only=True)
class WayBackOptions(ByScores, NamedOptions):
    """Options of ``WayBack``."""

    method = "wayback"
    default_samples = 2000
    default_truncation = 0.7

    direction: Annotated[
        str | None,
        typer.Option("--direction", "-d", help="The direction to fit the way back of.", metavar="NAME|FILE"),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.direction is None:
            raise InputError("--method wayback needs a direction, such as --direction age.")
        if self.score or self.hold or self.layers:
            raise InputError("--method wayback takes no --score, --hold and --layers; leave them out.")

    def plan(self, begin: Begin) -> Plan:
        from stylegan_latents.editing.discovery.scorers.table import ScoreTable

        scorer, text = self.open_scorer(begin), self.direction or ""
        if isinstance(scorer, ScoreTable):
            raise InputError(f"{self.scorer} is a table; --method wayback needs a scorer of pictures.")
        name = load(text).name if Path(text).is_file() else text

        def make(G: "Generator") -> WayBack:
            direction = lookup(text, G.latent_space, G.name)
            if not isinstance(direction, Direction):
                raise InputError(f"{text} is a published direction; find one with --method interfacegan.")
            known = known_directions(G.latent_space)
            others = {one: other for one, other in known.items() if one != direction.name}
            used = self.scorer_for(G, scorer, [])
            count = self.samples or self.default_samples
            truncation = self.default_truncation if self.truncation is None else self.truncation
            first = _FIRST_SEED + count * self.seed
            ws = G.sample(range(first, first + count), truncation=truncation)
            start = _STARTS.get(direction.name)
            return WayBack(G, used, direction, others, ws, exact=self.exact, start=start)

        return Plan((self.name or name,), make, "editing samples", scorer.notes)
