"""Reports of evaluations: a text table, CSV, JSON and a figure."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.discovery.exclusive import leakage_notes
from stylegan_latents.editing.evaluation.results import AtStrength, Evaluation
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.json_values import JSON

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL import Image

_EXPLANATION = """\
Changes are in standard deviations of each score over samples of W.
intended: mean change of the direction's own score. leakage: mean size of the change in the other scores, over that
in its own{judged}.
identity: mean distance of the faces from the unedited ones; above 0.6 another person's. drift: squared Frechet
distance of the pictures' features from the unedited ones'."""
_COLUMNS = ("strength", "intended", "leakage", "identity", "drift")
_COSTS = ("per unit", "leakage", "identity", "drift")
_LEGEND_ROWS = 12


def text_table(evaluations: Sequence[Evaluation], heading: str = "") -> str:
    """A text table: each direction at each strength, costs per deviation, and every score; below a heading line."""
    width = max(len("direction"), *(len(one.label) for one in evaluations)) + 2
    score_width = max(len("score"), *(len(one.score) for one in evaluations)) + 2
    lines = [heading, ""] if heading else []
    lines.append(f"{'direction':<{width}}{'score':<{score_width}}" + _titles(_COLUMNS))
    for one in evaluations:
        for result in one.at:
            values = (one.intended(result), one.leakage(result), result.identity, result.drift)
            cells = f"{result.strength:>+10.3g}" + "".join(_cell(value) for value in values)
            lines.append(f"{one.label:<{width}}{one.score:<{score_width}}{cells}")
    lines += ["", "What strength 1 gives, and what one deviation of the intended change costs, over all strengths:"]
    lines.append(f"{'direction':<{width}}{'score':<{score_width}}" + _titles(_COSTS))
    for one in evaluations:
        cells = "".join(_cell(value) for value in _costs(one).values())
        lines.append(f"{one.label:<{width}}{one.score:<{score_width}}{cells}")
    lines += ["", *_every_score(evaluations), ""]
    first = evaluations[0]
    judged = "" if set(first.judged) == set(first.names) else f" (the others of {', '.join(first.judged)})"
    return "\n".join([*lines, _EXPLANATION.format(judged=judged), *leakage_notes(_left_out(evaluations))])


def _left_out(evaluations: Sequence[Evaluation]) -> dict[str, tuple[str, ...]]:
    """For each direction's score, the mutually exclusive ones among the judged."""
    found = {one.score: tuple(name for name in one.exclusive if name in one.judged) for one in evaluations}
    return {score: names for score, names in found.items() if names}


def _titles(names: Sequence[str]) -> str:
    return "".join(f"{name:>10}" for name in names)


def _costs(one: Evaluation) -> dict[str, float]:
    return {
        "per_unit": one.per_unit,
        "leakage": one.mean_leakage,
        "identity": one.for_one_deviation(lambda result: result.identity),
        "drift": one.for_one_deviation(lambda result: result.drift),
    }


def _every_score(evaluations: Sequence[Evaluation]) -> list[str]:
    names = evaluations[0].names
    slopes = [_slopes(one) for one in evaluations]
    width = max(len(name) for name in names) + 2
    wide = [max(9, len(one.label) + 2) for one in evaluations]
    lines = ["Change of every score (rows) for one deviation of each direction's own (columns):"]
    lines.append(" " * width + "".join(f"{one.label:>{cell}}" for one, cell in zip(evaluations, wide, strict=True)))
    for index, name in enumerate(names):
        cells = "".join(_cell(slope[index], cell) for slope, cell in zip(slopes, wide, strict=True))
        lines.append(f"{name:<{width}}{cells}")
    return lines


def _slopes(one: Evaluation) -> "np.typing.NDArray[np.float64]":
    """The signed change of every score per deviation of the direction's own, by least squares, ``[scores]``."""
    moved = np.array([one.moved(result) for result in one.at])
    own = moved[:, one.names.index(one.score)]
    known = np.isfinite(own)
    power = float((own[known] ** 2).sum())
    if not power:
        return np.full(len(one.names), np.nan)
    slopes: np.typing.NDArray[np.float64] = own[known] @ moved[known] / power
    return slopes


def _cell(value: float, width: int = 10) -> str:
    return f"{'-':>{width}}" if not math.isfinite(value) else f"{value:>{width}.2f}"


def rows(evaluations: Sequence[Evaluation]) -> list[dict[str, str | float]]:
    """One row for each direction and strength; NaN for what was not measured."""
    return [_row(one, result) for one in evaluations for result in one.at]


def _row(one: Evaluation, result: AtStrength) -> dict[str, str | float]:
    moved = one.moved(result)
    own = result.changes[:, one.names.index(one.score)]
    return {
        "direction": one.label,
        "score": one.score,
        "strength": result.strength,
        "codes": len(own),
        "scored": int(np.isfinite(own).sum()),
        "intended": one.intended(result),
        "leakage": one.leakage(result),
        "identity": result.identity,
        "drift": result.drift,
        **{f"change_{name}": float(value) for name, value in zip(one.names, moved, strict=True)},
    }


def csv_text(evaluations: Sequence[Evaluation]) -> str:
    """``rows`` as CSV with a header; cells that were not measured are empty."""
    lines = rows(evaluations)
    file = io.StringIO()
    writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({key: "" if _is_missing(value) else value for key, value in line.items()})
    return file.getvalue()


def _is_missing(value: str | float) -> bool:
    return isinstance(value, float) and math.isnan(value)


def json_values(evaluations: Sequence[Evaluation], settings: Mapping[str, JSON]) -> dict[str, JSON]:
    """Everything as JSON; null for what was not measured."""

    def plain(values: Mapping[str, str | float]) -> dict[str, JSON]:
        return {key: None if _is_missing(value) else value for key, value in values.items()}

    return {
        "settings": dict(settings),
        "judged": list(evaluations[0].judged),
        "left_out": {score: list(names) for score, names in _left_out(evaluations).items()},
        "strengths": [plain(row) for row in rows(evaluations)],
        "directions": [{"direction": one.label, "score": one.score, **plain(_costs(one))} for one in evaluations],
    }


def check_figure() -> None:
    """Raise InputError if matplotlib is not installed."""
    import importlib.util

    if importlib.util.find_spec("matplotlib") is None:
        raise InputError("The figure needs matplotlib; run `pip install matplotlib`, or add --no-figure.")


def figure(evaluations: Sequence[Evaluation]) -> "Image.Image":
    """Up to four plots with a line for each direction, and a chart of every score's changes.

    What was not measured has no plot.
    """
    from matplotlib.figure import Figure
    from PIL import Image

    names = evaluations[0].names
    tall = max(7.0, 0.28 * len(names) + 1.5)
    canvas = Figure(figsize=(15, tall), layout="constrained", dpi=110)
    at = [result for one in evaluations for result in one.at]
    identity = "identity" if any(math.isfinite(result.identity) for result in at) else "."
    drift = "drift" if any(math.isfinite(result.drift) for result in at) else "."
    axes = canvas.subplot_mosaic(
        [["intended", "leakage", "scores"], [identity, drift, "scores"]]
        if (identity, drift) != (".", ".")
        else [["intended", "leakage", "scores"]]
    )
    intended = [[one.intended(result) for result in one.at] for one in evaluations]
    for one, own in zip(evaluations, intended, strict=True):
        order = np.argsort([result.strength for result in one.at])
        label = f"{one.label} ({one.score})" if one.label != one.score else one.label
        strengths = [one.at[i].strength for i in order]
        axes["intended"].plot(strengths, [own[i] for i in order], marker="o", label=label)
        order = np.argsort(own)
        for panel, measure in (
            ("leakage", one.leakage),
            ("identity", lambda result: result.identity),
            ("drift", lambda result: result.drift),
        ):
            if panel in axes:
                values = [measure(one.at[i]) for i in order]
                axes[panel].plot([own[i] for i in order], values, marker="o", label=label)
    axes["intended"].set(xlabel="strength", ylabel="change of its own score (deviations)", title="Intended change")
    axes["intended"].legend(fontsize="small", ncols=1 + len(evaluations) // _LEGEND_ROWS)
    for panel, title, unit in (
        ("leakage", "Leakage", "change of the others, of its own"),
        ("identity", "Identity", "distance from the unedited face"),
        ("drift", "Drift", "squared Frechet distance"),
    ):
        if panel in axes:
            axes[panel].set(xlabel="change of its own score (deviations)", ylabel=unit, title=title)
            highest = axes[panel].dataLim.y1
            axes[panel].set_ylim(bottom=0, top=1.1 * highest if 0 < highest < math.inf else None)
    for panel in set(axes) - {"scores"}:
        axes[panel].grid(alpha=0.3)
    _chart(axes["scores"], evaluations)
    file = io.BytesIO()
    canvas.savefig(file, format="png")
    return Image.open(file).convert("RGB")


def _chart(axes: "Axes", evaluations: Sequence[Evaluation]) -> None:
    names = evaluations[0].names
    slopes = np.array([_slopes(one) for one in evaluations]).T
    axes.imshow(slopes, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    axes.set_yticks(range(len(names)), names, fontsize="small")
    labels = [one.label for one in evaluations]
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right", fontsize="small")
    for (row, column), value in np.ndenumerate(slopes):
        if math.isfinite(value):
            ink = "white" if abs(value) > 0.6 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize="x-small", color=ink)
    axes.set_title("Every score, for one deviation of its own")


def write_tables(
    results: Sequence[Evaluation],
    heading: str,
    settings: Mapping[str, JSON],
    files: tuple[Path, Path, Path],
    overwrite: bool,
) -> str:
    """Write the table as text, CSV and JSON to these files, and return the text."""
    from stylegan_latents.generator.files import atomic_path

    table = text_table(results, heading)
    values = json.dumps(json_values(results, settings), indent=1, allow_nan=False)
    for path, content in zip(files, (f"{table}\n", csv_text(results), f"{values}\n"), strict=True):
        with atomic_path(path, overwrite=overwrite) as temporary:
            temporary.write_text(content, encoding="utf-8", errors="surrogateescape")
    return table
