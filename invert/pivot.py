"""The first part of a method in two: another inverter finds codes, the pivot, and the second part keeps them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from generator.errors import InputError
from invert.inversion import JSON, Inversion
from invert.methods import Inverter
from invert.optimize import Progress


class Pivot(Inverter, Protocol):
    """What finds the codes that the second part keeps: any inverter that knows its steps beforehand."""

    steps: int


def counted_through(
    on_step: Callable[[Progress], None] | None, before: int, total: int
) -> Callable[[Progress], None] | None:
    """What one part calls after each of its steps, so that the whole's are told.

    Args:
        on_step: what the whole was given; None for nobody to tell.
        before: the steps of the parts before.
        total: the steps of all parts.
    """
    if on_step is None:
        return None
    return lambda progress: on_step(replace(progress, step=before + progress.step, steps=total))


def stopped_early(pivot: Inversion) -> dict[str, JSON]:
    """``stopped_at_step`` of a pivot that Ctrl-C ended, after which there is no second part; otherwise nothing."""
    return {name: value for name, value in pivot.settings.items() if name == "stopped_at_step"}


def check_untuned(pivot: Inversion) -> None:
    """Refuse codes that were found together with weights, which what follows would leave out.

    Raises:
        InputError: the record has tuned weights.
    """
    if pivot.weights is not None:
        raise InputError(f"The pivot's method is {pivot.method}, which tunes weights; take a search or an encoder.")
