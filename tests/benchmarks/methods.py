"""One table over methods on a folder of photos, as CSV and as a picture: likeness, time, and how codes take edits.

    python -m tests.benchmarks.methods photos/ --out methods/            # hybrid, optimize, pivotal
    python -m tests.benchmarks.methods photos/ --out methods/ --method optimize:draft --method encode:good \
        --options "--encoder mine.safetensors"

Each method's results go to a folder of their own under --out, beside methods.csv and methods.png. A run that was
ended goes on where it stopped. `edit evaluate --report` fills in the columns on edits (--no-edits leaves it out).
"""

import argparse
import shlex
import sys
from pathlib import Path

from stylegan_latents.editing.commands.cli import main as edit
from stylegan_latents.generator.cli.command import DONE
from stylegan_latents.invert.commands.cli import main as invert

_QUALITY = "good"
_WITH_ENCODER = "--encoder"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path, help="photos, or folders of photos")
    parser.add_argument("--out", type=Path, default=Path("methods"), help="folder for the results")
    parser.add_argument("--method", action="append", metavar="METHOD[:QUALITY]", help="repeatable")
    parser.add_argument("--options", default="", help="more options of `invert`, for the methods that take them")
    parser.add_argument("--no-edits", action="store_true", help="do not measure how codes take edits")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    report = chosen.out / "methods.csv"
    photos, options = [str(photo) for photo in chosen.photos], shlex.split(chosen.options)
    status = DONE
    for text in chosen.method or ["hybrid", "optimize", "pivotal"]:
        method, _, quality = text.partition(":")
        folder = chosen.out / f"{method}-{quality or _QUALITY}"
        own = _without_encoder(options) if method == "optimize" else options
        arguments = ["--method", method, "--quality", quality or _QUALITY, "--out", str(folder)]
        status = max(status, invert([*photos, *arguments, "--report", str(report), *own]))
    if report.is_file() and not chosen.no_edits:
        status = max(status, edit(["evaluate", "--report", str(report)]))
    return status


def _without_encoder(options: list[str]) -> list[str]:
    if _WITH_ENCODER not in options:
        return options
    at = options.index(_WITH_ENCODER)
    return options[:at] + options[at + 2 :]


if __name__ == "__main__":
    sys.exit(main())
