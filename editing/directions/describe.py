"""Describes directions in words, from their provenance."""

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stylegan_latents.editing.directions.direction import Direction

USEFUL, USEFUL_CHANNEL = 3, 15
"""Strengths up to which most edits look right, along directions and along single style channels."""

_UNITS = {"pose": "degrees", "pitch": "degrees", "roll": "degrees", "age": "years"}
"""Scores in everyday units."""

_MOST_LEAKS = 3
_SMALL_LEAK = 0.1


def describe(direction: "Direction", *, details: bool = True) -> str:
    """A line on what strengths of 1 and -1 change; with ``details`` one on layers, finder, accuracy and leakage.

    A provenance comes from a file: entries that are missing or of another type are left out.
    """
    furthest = USEFUL_CHANNEL if direction.is_channel else USEFUL
    first = f"{direction.name:<12} {-furthest} to {furthest}   {_effect(direction)}"
    figures = _figures(direction) if details else []
    return "\n".join([first, *([" " * 13 + "; ".join(figures)] if figures else [])])


def _effect(direction: "Direction") -> str:
    if not direction.description:
        return "does not say what it changes"
    provenance = direction.provenance
    score, change = str(provenance.get("score", direction.name)), score_change(direction)
    amount = f", by about {change:.0f} {_UNITS[score]}" if score in _UNITS and change is not None else ""
    negative = provenance.get("negative")
    return f"+1: {direction.description}{amount}" + (f"; -1: {negative}" if negative else "")


def score_change(direction: "Direction") -> float | None:
    """How much one unit of strength changes the direction's own score, in the score's unit; None if unknown."""
    score = str(direction.provenance.get("score", direction.name))
    moved, deviations = (direction.provenance.get(name) for name in ("moved", "score_deviations"))
    if not (isinstance(moved, dict) and isinstance(deviations, dict)):
        return None
    change, deviation = moved.get(score), deviations.get(score)
    if not (isinstance(change, int | float) and isinstance(deviation, int | float)):
        return None
    return float(change * deviation)


def _figures(direction: "Direction") -> list[str]:
    provenance, known = direction.provenance, []
    finder = provenance.get("finder")
    if finder:
        known += [f"layers {direction.layers}", f"found by {finder}"]
    accuracy = provenance.get("held_out_accuracy")
    if isinstance(accuracy, int | float) and math.isfinite(accuracy):
        known.append(f"accuracy {accuracy:.2f} on held-out samples")
    moved = provenance.get("moved")
    if isinstance(moved, dict):
        exclusive = provenance.get("leakage_leaves_out")
        excluded = map(str, exclusive) if isinstance(exclusive, list) else ()
        known.append(_describe_leakage({str(provenance.get("score", direction.name)), *excluded}, moved))
    return known


def _describe_leakage(excluded: Collection[str], moved: Mapping[str, object]) -> str:
    """The other scores that one unit of strength changes most, in their standard deviations."""
    others = {
        other: float(change)
        for other, change in moved.items()
        if other not in excluded and isinstance(change, int | float) and abs(change) >= _SMALL_LEAK
    }
    most = sorted(others.items(), key=lambda item: -abs(item[1]))[:_MOST_LEAKS]
    if not most:
        return f"moves no other score by {_SMALL_LEAK} or more"
    return "one unit also moves " + ", ".join(f"{other} {change:+.2f}" for other, change in most)
