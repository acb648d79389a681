"""Effects of a direction on scores: the intended change, and the leakage into other scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.fitting.samples import score_codes
from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer
from stylegan_latents.generator.cli.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator


@dataclass(frozen=True, eq=False)
class Effect:
    """Effect of a direction on every score, in standard deviations of the score over samples of W.

    Attributes:
        name: of the direction and of its own score.
        names: of all scores.
        intended: median change of its own score by a unit of strength, at ±1.
        moved: mean signed change of every score by a unit of strength, ``[len(names)]``.
        leakage: mean absolute change of other directions' scores over that of its own, at ±2; NaN without others.
        bias: the same for mean signed changes: the leakage that all faces share.
    """

    name: str
    names: tuple[str, ...]
    intended: float
    moved: Array
    leakage: float
    bias: float


def changes(
    G: "Generator",
    scorer: Scorer,
    direction: Direction,
    ws: "Tensor",
    strengths: Sequence[float],
    *,
    before: Array,
    size: int = 256,
    exact: bool = True,
    progress: Progress | None = None,
) -> Array:
    """Score changes by edits, ``[len(strengths), N, len(scorer.names)]``, in the scores' own units.

    Args:
        direction: bound to ``G``.
        ws: codes to edit, ``[N, num_ws, w_dim]``.
        before: the scores of ``ws``.
        exact: whether to score exact pictures instead of sketches, the same as for ``before``.
    """
    import torch

    edited = torch.cat([direction.apply(ws, strength) for strength in strengths])
    after = score_codes(G, scorer, edited, size=size, exact=exact, progress=progress)
    return after.reshape(len(strengths), *before.shape) - before


def effect(
    name: str,
    names: Sequence[str],
    judged: Sequence[str],
    at_one: Array,
    at_two: Array,
    deviations: Array,
    dependent: Sequence[str] = (),
) -> Effect:
    """Summarise changes.

    Args:
        name: the direction's own score.
        names: of all scores.
        judged: the scores that count as leakage, those of all directions; all scores for a single direction.
        at_one, at_two: ``[2, N, len(names)]``, the changes at -1 and +1, and at -2 and +2.
        deviations: standard deviation of each score over samples of W.
        dependent: scores that change with its own, which leakage leaves out.
    """
    own = list(names).index(name)
    apart = [index for index, other in enumerate(names) if other != name and other not in dependent]
    others = [index for index in apart if names[index] in judged] or apart
    one, two = at_one / deviations, at_two / deviations
    moved: Array = np.nanmean(two[1] - two[0], axis=0) / 4
    sizes = np.nanmean(np.abs(two), axis=(0, 1))
    return Effect(
        name=name,
        names=tuple(names),
        intended=float(np.nanmedian((one[1] - one[0])[:, own] / 2)),
        moved=moved,
        leakage=float(sizes[others].mean() / sizes[own]) if others else math.nan,
        bias=float(np.abs(moved[others]).mean() / abs(moved[own])) if others else math.nan,
    )


def table(effects: Sequence[Effect]) -> str:
    """A plain-text table of the change of every score by a unit of strength of each direction."""
    if not effects:
        return "no directions"
    names = effects[0].names
    width = max(len(name) for name in names) + 1
    lines = [
        "Change of each score (rows) by one unit of each direction (columns), in its standard deviations:",
        " " * width + "".join(f"{effect.name:>11}" for effect in effects),
    ]
    for index, name in enumerate(names):
        cells = "".join(f"{effect.moved[index]:>11.2f}" for effect in effects)
        lines.append(f"{name:<{width}}{cells}")
    lines.append("")
    for label, values in (
        ("intended", [effect.intended for effect in effects]),
        ("leakage", [effect.leakage for effect in effects]),
        ("bias", [effect.bias for effect in effects]),
    ):
        cells = "".join(f"{'-':>11}" if math.isnan(value) else f"{value:>11.2f}" for value in values)
        lines.append(f"{label:<{width}}{cells}")
    lines += [
        "",
        "intended: median change of its own score at strength 1. leakage: mean absolute change of the other",
        "directions' scores over that of its own, at strength 2. bias: the leakage that all faces share.",
    ]
    return "\n".join(lines)
