"""The lines that a run prints: results, failures and suggestions."""

import contextlib
import math
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.command import DONE, WRONG_INPUT, is_disk_full
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL
from stylegan_latents.invert.commands.settings import SettingsError

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.commands.jobs import Outputs
    from stylegan_latents.invert.record.inversion import Inversion

# Largest LPIPS (AlexNet, at 256 pixels) for each wording, from inversions of portraits.
_CLEARLY_SAME_PERSON = 0.4  # dlib's limit, 0.6, is where two people are as likely as one
_LPIPS_WORDS = ((0.03, "very close to"), (0.08, "close to"), (0.15, "fairly close to"), (math.inf, "far from"))


class Failures:
    """The errors of a run over several files, which goes on past a bad one.

    Args:
        what: the plural noun for the files.
        count: how many there are; a single one's error ends the run.

    Attributes:
        errors: as text.
    """

    def __init__(self, what: str, count: int) -> None:
        self.what, self.count = what, count
        self.errors: list[str] = []

    @contextlib.contextmanager
    def collect(self) -> Iterator[None]:
        """Keep an InputError of the block, unless wrong settings or a full disk would make every file fail."""
        try:
            yield
        except InputError as error:
            if self.count == 1 or is_disk_full(error) or isinstance(error, SettingsError):
                raise
            self.add(error)

    def add(self, error: InputError) -> None:
        """Print an error and keep it for the summary."""
        self.errors.append(str(error))
        print(printable(f"invert: {error}"), file=sys.stderr)

    def summarise(self) -> int:
        """Print all errors again and return the exit status."""
        if not self.errors:
            return DONE
        first = f"invert: {len(self.errors)} of {self.count} {self.what} could not be inverted:"
        print("\n  ".join([first, *map(printable, self.errors)]), file=sys.stderr)
        return WRONG_INPUT


def describe_files(outputs: "Outputs") -> str:
    """One line that names every file written."""
    paths = [outputs.record, outputs.picture, outputs.npz, outputs.preview]
    return "Wrote " + ", ".join(str(path) for path in paths if path is not None)


def describe_metrics(inversion: "Inversion") -> str:
    """One line on how close the first image of a record comes to its photo; empty without metrics."""
    from stylegan_latents.invert.record.run_settings import compared_side

    first = {name: values[0] for name, values in inversion.metrics.items() if values}
    parts = []
    if "lpips_alex" in first:
        lpips = first["lpips_alex"]
        side = compared_side(inversion.settings)
        at = "" if side is None else f" at {side} pixels"
        parts.append(f"{closeness(lpips)} the photo{at} (LPIPS {lpips:.3f}; 0 is identical)")
    if "psnr" in first:
        parts.append(f"PSNR {first['psnr']:.1f} dB")
    distance = first.get("identity", math.nan)
    if math.isfinite(distance):
        from stylegan_latents.invert.faces.identity import SAME_PERSON

        words = "the same person" if distance < _CLEARLY_SAME_PERSON else "perhaps not the same person"
        parts.append(f"{words} (identity distance {distance:.2f}; 0 is identical, from {SAME_PERSON} on another)")
    return "Result: " + ", ".join(parts) if parts else ""


def closeness(lpips: float) -> str:
    """An LPIPS distance in words that go on with "the photo"."""
    return next((words for limit, words in _LPIPS_WORDS if lpips <= limit), "of unknown distance from")


def describe_choice(label: str, count: int, number: int | None) -> str:
    """One line on which of ``count`` faces was taken; ``number`` counts from 0, left to right."""
    other = 0 if number else 1
    return (
        f"{label} shows {count} faces; the largest was taken, which is --face {number}, counted from the left and "
        f"from 0; --face {other} takes another, --face all takes all"
    )


def describe_small_face(label: str, size: float, side: int, resolution: int) -> str:
    """One line on a face of ``size`` pixels, whose crop was compared at ``side``."""
    return (
        f"{label} shows a face of only {round(size)} pixels, compared at a resolution that the photo fills "
        f"(--low-resolution {side}); --low-resolution {resolution} compares it enlarged"
    )


def suggest_edit(record: Path, G: "Generator", model: str, words: str, *, one_of_several: bool = False) -> str:
    """The next command: an edit, or finding directions where none are known for the model.

    Args:
        record: the file that was written.
        G: its generator.
        model: the generator's name or file.
        words: arguments of an edit in the default model's latent space.
        one_of_several: whether the record is an example of those that the run made.
    """
    from stylegan_latents.generator.loading import latent_space_of

    if G.latent_space == latent_space_of(DEFAULT_MODEL):
        command = f"edit {shlex.quote(str(record))} {words}"
    else:
        command = shlex.join(["edit", "discover", "--model", model, "--method", "sefa", "--record", str(record)])
    return f"Next{', for example' if one_of_several else ''}: {command}"


def suggest_evaluation(report: Path, model: str) -> str:
    """The command that measures editability; empty for a model without known directions."""
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
