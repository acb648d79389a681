"""How long an inversion takes by how OpenMP's threads wait: alone, and beside processes that keep a core busy each.

python -m tests.benchmarks.threads --photo ../shared/photos/london_062_neutral.jpg --busy 0 --busy 1 --busy 2
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.photos import photo_file

POLICIES = {
    "the default here": {},
    "OpenMP's own default": {"GOMP_SPINCOUNT": "300000000"},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}


def seconds(photo: Path, quality: str, environment: dict[str, str]) -> float:
    """Wall-clock seconds of one ``invert``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "stylegan_latents.invert",
            str(photo),
            "--quality",
            quality,
            "--out",
            folder,
        ]
        start = time.perf_counter()
        subprocess.run(command, env=kept | environment, check=True, capture_output=True)
        return time.perf_counter() - start


def main() -> None:
    """Print a table: a row for each policy, a column for each number of busy processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path, default=photo_file("london_062_neutral"))
    parser.add_argument("--quality", default="draft")
    parser.add_argument("--busy", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    times: dict[tuple[str, int], float] = {}
    for busy in given.busy or [0, 1, 2]:
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
        try:
            rounds = [
                {name: seconds(given.photo, given.quality, POLICIES[name]) for name in POLICIES}
                for _ in range(given.rounds)
            ]
        finally:
            for other in others:
                other.kill()
        for name in POLICIES:
            times[name, busy] = statistics.median(one[name] for one in rounds)
            print(f"{name:34} beside {busy} busy: {times[name, busy]:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
