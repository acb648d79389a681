"""Applying directions to codes, and naming the results."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from stylegan_latents.editing.directions.direction import Direction, check_strength
from stylegan_latents.editing.directions.published import PublishedDirection
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.search.span import Span


class CodeEdit(Protocol):
    """What moves codes; unlike a direction's, its step may depend on the code."""

    @property
    def name(self) -> str:
        """What titles and messages call it."""
        ...

    def apply(
        self, ws: "Tensor", strength: float, *, rows: Sequence[int] | None = None, raw: bool = False
    ) -> "Tensor":
        """Move codes ``[N, num_ws, w_dim]``; see ``Direction.apply``."""
        ...


Edit = tuple[Direction | CodeEdit, float]
"""A direction, or another edit of codes, and its strength."""

_Named = TypeVar("_Named")
_LONGEST_NAME = 150
_TOO_FAR = "With these strengths the code overflows; use some between -5 and 5."


def apply_edits(
    ws: "Tensor", edits: "Sequence[Edit]", *, rows: Sequence[int] | None = None, raw: bool = False
) -> "Tensor":
    """Move codes along several directions, whose order does not matter, or by other edits, one after another.

    Args:
        ws: float32 ``[N, num_ws, w_dim]``; not changed.
        edits: directions bound to the generator, as ``find_direction`` gives them, each with its strength in
            standard deviations; or edits such as ``MapperEdit`` and ``FlowEdit``.
        rows: rows of ws to move; None moves each direction's own default layers.
        raw: take strengths as multiples of the stored vectors, for published files.

    Returns:
        ws ``[N, num_ws, w_dim]``.

    Raises:
        InputError: a strength is not finite, or so large that the code overflows.
    """
    import torch

    moved = ws.clone()
    # Steps on a sphere come last, so that the order of the others does not matter.
    for direction, strength in sorted(edits, key=lambda edit: getattr(edit[0], "keeps_distance", False)):
        moved = direction.apply(moved, strength, rows=rows, raw=raw)
    if not bool(torch.isfinite(moved).all()):
        raise InputError(_TOO_FAR)
    return moved


def edited_styles(
    G: "Generator",
    ws: "Tensor",
    edits: "Sequence[Edit]",
    *,
    rows: Sequence[int] | None = None,
    raw: bool = False,
    span: "Span | None" = None,
) -> "list[Tensor]":
    """Styles of edited codes: directions of W move the codes, then those of StyleSpace the resulting styles.

    Args:
        G: the generator that the directions are bound to.
        ws, edits, rows, raw: see ``apply_edits``, also for errors; in StyleSpace the layers of ``rows`` move.
        span: of a person's anchors: codes move by the part of the change that stays in it.

    Returns:
        One ``[N, channels]`` for each layer, for ``Generator.synthesize_styles``.
    """
    import torch

    in_styles = [(one, strength) for one, strength in edits if isinstance(one, Direction) and one.space == "s"]
    moved = apply_edits(ws, [edit for edit in edits if edit not in in_styles], rows=rows, raw=raw)
    if span is not None:
        if in_styles:
            raise InputError(
                "Directions of StyleSpace know no person's span; take directions of W, or leave --person out."
            )
        # What of the code lies outside the span stays as it is, so that an edit of strength 0 changes nothing.
        moved = ws + (span.project(moved) - span.project(ws))
    styles = G.styles(moved)
    for direction, strength in in_styles:
        styles = direction.apply_styles(styles, strength, G, rows=rows, raw=raw)
    if not all(bool(torch.isfinite(style).all()) for style in styles):
        raise InputError(_TOO_FAR)
    return styles


def default_strength(one: "Direction | PublishedDirection | CodeEdit") -> float:
    """A strength with a clear change: 2 for a direction, 10 for a single style channel, 1 for any other edit."""
    if isinstance(one, Direction) and one.is_channel:
        return 10.0
    return 2.0 if isinstance(one, Direction | PublishedDirection) else 1.0


def pair(directions: Sequence[_Named], strengths: Sequence[float]) -> list[tuple[_Named, float]]:
    """Each ``--direction`` with the ``--strength`` at the same position, or InputError if they do not match."""
    if not directions and not strengths:
        raise InputError("Say what to change, such as --direction smile --strength 2; `edit directions` lists all.")
    if not directions:
        raise InputError("A --strength needs its --direction, such as --direction smile.")
    if len(directions) != len(strengths):
        raise InputError(
            f"Each --direction needs its --strength: {counted(directions, 'direction')} came with "
            f"{counted(strengths, 'strength')}."
        )
    for strength in strengths:
        check_strength(strength)
    return list(zip(directions, strengths, strict=True))


def spread(low: float, high: float, steps: int) -> list[float]:
    """``steps`` evenly spaced strengths from ``low`` to ``high``, both included; InputError for no range."""
    check_strength(low)
    check_strength(high)
    if low == high:
        raise InputError(f"The range {low:g} {high:g} has no width; give two different strengths.")
    if steps < 2:
        raise InputError(f"A range needs at least 2 steps, not {steps}.")
    return [low + (high - low) * i / (steps - 1) for i in range(steps)]


def edit_name(edits: Sequence[tuple[str, float]], *, layers: str | None = None, raw: bool = False) -> str:
    """The part of a file's name for these edits, ``pose+2.smile-1``, safe on every file system and not too long."""
    parts = [f"{name}{strength:+g}" for name, strength in edits]
    parts += [layers] if layers is not None else []
    parts += ["raw"] if raw else []
    name = re.sub(r"[^\w.+,-]+", "_", ".".join(parts))
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..{len(edits)}-edits"


def counted(items: Sequence[object], noun: str) -> str:
    """``1 score``, ``2 scores``."""
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"
