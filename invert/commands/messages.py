"""What a run made, in plain words."""

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL

if TYPE_CHECKING:
    from stylegan_latents.invert.commands.jobs import Outputs
    from stylegan_latents.invert.record.inversion import Inversion

# How LPIPS (AlexNet, at 256 pixels) reads to an eye, from projections of portraits: up to this, in words.
_LPIPS_WORDS = ((0.03, "very near"), (0.08, "near"), (0.15, "fairly near"), (math.inf, "far"))


def describe_files(outputs: "Outputs") -> str:
    """One line that names every file written."""
    paths = [outputs.record, outputs.picture, outputs.npz, outputs.preview]
    return "Wrote " + ", ".join(str(path) for path in paths if path is not None)


def describe_metrics(inversion: "Inversion") -> str:
    """One line on how near the first image of a record comes to its photo; empty without metrics."""
    first = {name: values[0] for name, values in inversion.metrics.items() if values}
    parts = []
    if "lpips_alex" in first:
        lpips = first["lpips_alex"]
        words = next((words for limit, words in _LPIPS_WORDS if lpips <= limit), "unknown")
        parts.append(f"{words + (' from' if words == 'far' else ' to')} the photo (LPIPS {lpips:.3f}, 0 is equal)")
    if "psnr" in first:
        parts.append(f"PSNR {first['psnr']:.1f} dB")
    distance = first.get("identity", math.nan)
    if math.isfinite(distance):
        from stylegan_latents.invert.faces.identity import SAME_PERSON

        who = "the same person" if distance < SAME_PERSON else "not surely the same person"
        parts.append(f"{who} (identity distance {distance:.2f}, the same below {SAME_PERSON})")
    return "Likeness: " + ", ".join(parts) if parts else ""


def suggest_edit(record: Path, model: str, words: str) -> str:
    """The command to go on with.

    Args:
        record: what was made.
        model: what it was made with, as it was given.
        words: of an edit with a direction that the default model has.
    """
    named = "" if record.parent == Path() else f"{shlex.quote(str(record))} "
    # A record names its model; where the model's file lies, only the user knows, and what directions it has.
    if model != DEFAULT_MODEL and Path(model).expanduser().exists():
        return f"Next: edit {named}--model {shlex.quote(model)} --direction NAME --strength 2"
    return f"Next: edit {named}{words}"


def suggest_evaluation(report: Path, model: str) -> str:
    """What fills in how a report's inversions take edits; empty where no directions are known for the model."""
    words = f"For how they take edits: edit evaluate --report {shlex.quote(str(report))}"
    return words if model == DEFAULT_MODEL else ""


def describe_partial(inversion: "Inversion") -> str:
    """One line for the first image of a search that was stopped or diverged; empty for one that ran through."""
    diverged = inversion.diverged.get(0)
    if diverged is not None:
        return f"The search diverged at step {diverged}: this is the best code before; --precision float32 may help"
    step = inversion.settings.get("stopped_at_step")
    return "" if step is None else f"Stopped at step {step}: this is the best code so far"
