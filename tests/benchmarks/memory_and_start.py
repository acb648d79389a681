"""Start-up time, load time and peak memory of the command line, each in its own process.

python -m tests.benchmarks.memory_and_start ../shared/photos/london_009_neutral.jpg
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time

LOAD = """
import time, generator
import torch
start = time.perf_counter()
generator.load("ffhq")
print(time.perf_counter() - start)
"""


def seconds(*command: str) -> float:
    """Wall-clock seconds of a command that has to succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("--steps", default="20", help="of the projection whose memory is measured (default: 20)")
    arguments = parser.parse_args()
    for program in ("invert", "edit"):
        times = [seconds(program, "--help") for _ in range(7)]
        print(f"{program} --help: median {statistics.median(times):.2f} s, worst {max(times):.2f} s")
    loads = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", LOAD], check=True, capture_output=True, text=True)
        loads.append(float(done.stdout))
    print(f"loading the model from the cache: median {statistics.median(loads):.2f} s, worst {max(loads):.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["invert", arguments.photo, "--out", folder, "--steps", arguments.steps, "-q"], check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e9
    print(f"peak memory of invert at {arguments.steps} steps: {peak:.2f} GB")


if __name__ == "__main__":
    main()
