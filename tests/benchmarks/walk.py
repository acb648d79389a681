"""How often the costly things happen on the way from a photo to its edit: each of them once.

    python -m tests.benchmarks.walk tests/data/london_062_neutral.jpg     # a few steps of the default model

It runs `invert PHOTO`, `invert PHOTO --method pivotal` and `edit RECORD --direction pose` in a temporary folder.
Counted are drawings at full resolution that are no step of a search, copies of a generator with tuned weights, and
reads of a record.
"""

import argparse
import contextlib
import copy
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.record import tuned_weights
from stylegan_latents.invert.record.inversion import Inversion


@dataclass
class Counts:
    """What happened, how often.

    Attributes:
        drawings: at full resolution, without a gradient, as a search's steps have one.
        copies: of a generator with tuned weights.
        reads: of a record.
    """

    drawings: int = 0
    copies: int = 0
    reads: int = 0


@contextlib.contextmanager
def counting() -> Iterator[Counts]:
    """Count what happens in a block."""
    counts = Counts()
    synthesize, load = Generator.synthesize_styles, Inversion.load

    def drawn(self: Generator, *arguments: Any, size: int | None = None, **options: Any) -> torch.Tensor:
        if (size is None or size >= self.resolution) and not torch.is_grad_enabled():
            counts.drawings += len(arguments[0][0])
        return synthesize(self, *arguments, size=size, **options)

    class Copy:
        @staticmethod
        def deepcopy(G: Generator) -> Generator:
            counts.copies += 1
            return copy.deepcopy(G)

    def read(path: Any) -> Inversion:
        counts.reads += 1
        return load(path)

    with (
        mock.patch.object(Generator, "synthesize_styles", drawn),
        mock.patch.object(tuned_weights, "copy", Copy),
        mock.patch.object(Inversion, "load", staticmethod(read)),
    ):
        yield counts


def main() -> int:
    from stylegan_latents.editing.commands.cli import main as edit
    from stylegan_latents.invert.commands.cli import main as invert

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path, help="a photo of a face")
    parser.add_argument("--steps", default="2", help="of each search (default: 2)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        search = [str(chosen.photo), "--steps", chosen.steps, "--quality", "draft", "--quiet", "--out"]
        plain, tuned = Path(folder, "plain"), Path(folder, "tuned")
        record = str(plain / f"{chosen.photo.stem}.inversion.safetensors")
        runs: dict[str, Callable[[], int]] = {
            "invert": lambda: invert([*search, str(plain)]),
            "invert --method pivotal": lambda: invert(
                [*search, str(tuned), "--method", "pivotal", "--pivot", "encode"]
            ),
            "edit --direction pose": lambda: edit(
                [record, "--direction", "pose", "--strength", "2", "--out", f"{folder}/turned.png"]
            ),
        }
        print(f"{'':26}{'drawings':>10}{'copies':>10}{'reads':>10}")
        for name, run in runs.items():
            with counting() as counts:
                status = run()
            if status:
                return status
            print(f"{name:26}{counts.drawings:10}{counts.copies:10}{counts.reads:10}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
