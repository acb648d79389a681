"""What is known about a direction, in words."""

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stylegan_latents.editing.directions.direction import Direction

_MOST_LEAKS = 3
_SMALL_LEAK = 0.1


def describe(direction: "Direction") -> str:
    """A few lines: name, what a positive strength does, layers, accuracy, and what else moves along.

    What a provenance does not say is left out; a provenance is a file's, so no entry of it is relied upon.
    """
    positive = direction.description
    lines = [f"{direction.name:<12} {positive or 'does not say what it changes'} (layers {direction.layers})"]
    provenance = direction.provenance
    known = []
    finder = provenance.get("finder")
    if finder:
        known.append(f"found by {finder}")
    accuracy = provenance.get("held_out_accuracy")
    if isinstance(accuracy, int | float) and math.isfinite(accuracy):
        known.append(f"accuracy {accuracy:.2f} on held-out samples")
    moved = provenance.get("moved")
    if isinstance(moved, dict):
        tied = provenance.get("leakage_leaves_out")
        own = {str(provenance.get("score", direction.name)), *(map(str, tied) if isinstance(tied, list) else ())}
        known.append(_describe_leakage(own, moved))
    if known:
        lines.append(" " * 13 + "; ".join(known))
    return "\n".join(lines)


def _describe_leakage(own: Collection[str], moved: Mapping[str, object]) -> str:
    """The scores but its own that one unit of strength moves most, in their standard deviations."""
    others = {
        other: float(change)
        for other, change in moved.items()
        if other not in own and isinstance(change, int | float) and abs(change) >= _SMALL_LEAK
    }
    most = sorted(others.items(), key=lambda item: -abs(item[1]))[:_MOST_LEAKS]
    if not most:
        return f"moves no other score by {_SMALL_LEAK} or more"
    return "one unit also moves " + ", ".join(f"{other} {change:+.2f}" for other, change in most)
