"""What a run made, in plain words."""

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.commands.jobs import Outputs
    from stylegan_latents.invert.record.inversion import Inversion

# How LPIPS (AlexNet, at 256 pixels) reads to an eye, from inversions of portraits: up to this, in words.
_LPIPS_WORDS = ((0.03, "very close to"), (0.08, "close to"), (0.15, "fairly close to"), (math.inf, "far from"))


def describe_files(outputs: "Outputs") -> str:
    """One line that names every file written."""
    paths = [outputs.record, outputs.picture, outputs.npz, outputs.preview]
    return "Wrote " + ", ".join(str(path) for path in paths if path is not None)


def describe_metrics(inversion: "Inversion") -> str:
    """One line on how close the first image of a record comes to its photo; empty without metrics."""
    first = {name: values[0] for name, values in inversion.metrics.items() if values}
    parts = []
    if "lpips_alex" in first:
        lpips = first["lpips_alex"]
        words = next((words for limit, words in _LPIPS_WORDS if lpips <= limit), "of unknown distance from")
        parts.append(f"{words} the photo (LPIPS {lpips:.3f}; 0 is identical)")
    if "psnr" in first:
        parts.append(f"PSNR {first['psnr']:.1f} dB")
    distance = first.get("identity", math.nan)
    if math.isfinite(distance):
        from stylegan_latents.invert.faces.identity import SAME_PERSON

        who = "the same person" if distance < SAME_PERSON else "perhaps not the same person"
        parts.append(f"{who} (identity distance {distance:.2f}; below {SAME_PERSON} is the same person)")
    return "Result: " + ", ".join(parts) if parts else ""


def describe_choice(label: str, count: int, number: int | None) -> str:
    """One line on which of several faces was taken.

    Args:
        label: what the photo is called.
        count: how many faces it shows.
        number: of the largest face, from 0, from left to right.
    """
    other = 0 if number else 1
    return (
        f"{label} shows {count} faces, and the largest was taken, number {number} (from 0, left to right); "
        f"--face {other} takes another, --face all takes all"
    )


def suggest_edit(record: Path, G: "Generator", model: str, words: str) -> str:
    """The command to go on with: an edit, or for a model that no directions are known for, finding some.

    Args:
        record: what was made.
        G: the generator that it was made with.
        model: how that was named.
        words: of an edit with a direction of the default model's latent space.
    """
    from stylegan_latents.generator.loading import latent_space_of

    if G.latent_space == latent_space_of(DEFAULT_MODEL):
        return f"Next: edit {shlex.quote(str(record))} {words}"
    return (
        f"Next: {shlex.join(['edit', 'discover', '--model', model, '--method', 'sefa', '--record', str(record)])}"
    )


def suggest_evaluation(report: Path, model: str) -> str:
    """What measures how well a report's inversions can be edited; empty where the model has no known directions."""
    words = f"To measure how well they can be edited: edit evaluate --report {shlex.quote(str(report))}"
    return words if model == DEFAULT_MODEL else ""


def describe_partial(inversion: "Inversion") -> str:
    """One line for the first image of a search that was stopped or diverged; empty for one that ran through."""
    diverged = inversion.diverged.get(0)
    if diverged is not None:
        return (
            f"The search diverged at step {diverged}; the best code before is kept (--precision float32 may help)"
        )
    step = inversion.settings.get("stopped_at_step")
    return "" if step is None else f"Stopped at step {step}; the best code so far is kept"
