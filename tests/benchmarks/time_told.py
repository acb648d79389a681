"""The time that ``invert`` says it takes, and the time that it then takes, alone and beside busy processes.

python -m tests.benchmarks.time_told ../shared/photos/london_009_neutral.jpg --busy 0 2
"""

import argparse
import contextlib
import multiprocessing
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# Arguments of one run each.
RUNS = (
    ("--quality", "draft"),
    ("--quality", "draft", "--precision", "float32"),
    (),
    ("--quality", "draft", "--method", "pivotal"),
)
_UNITS = {"s": 1, "minutes": 60, "hours": 3600}


def work() -> None:
    """Keep a core busy until the process is ended."""
    while True:
        sum(range(100_000))


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes beside the block that keep a core busy each."""
    others = [multiprocessing.Process(target=work, daemon=True) for _ in range(count)]
    for one in others:
        one.start()
    try:
        yield
    finally:
        for one in others:
            one.terminate()


def told_and_taken(photos: list[str], options: tuple[str, ...]) -> tuple[float, float]:
    """The seconds that the program says it takes, and those from then to its end."""
    told = said_at = None
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "stylegan_latents.invert", *photos, "--out", folder, *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as run:
            for line in run.stderr or ():
                found = re.search(r".*about ([\d.]+) (s|minutes|hours)$", line.strip())
                if found and told is None:
                    told, said_at = float(found[1]) * _UNITS[found[2]], time.monotonic()
    if told is None or said_at is None or run.returncode:
        raise SystemExit(f"{' '.join(command)} said nothing, or failed")
    return told, time.monotonic() - said_at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--busy", nargs="+", type=int, default=[0, 2], help="numbers of busy processes (0 2)")
    arguments = parser.parse_args()
    for count in arguments.busy:
        with busy(count):
            for options in RUNS:
                told, taken = told_and_taken([str(photo) for photo in arguments.photos], options)
                words = " ".join(options) or "default"
                print(
                    f"beside {count} busy processes, {words}: told {told:.0f} s, took {taken:.1f} s "
                    f"({told / taken - 1:+.0%})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
