"""Times ``edit interpolate`` against a plain loop: one 1024-pixel film of the default model.

``python -m tests.benchmarks.morph [--frames 60] [--threads 2] [--plain-frames 6]``

The plain loop draws each frame in float32 with the plain operations (``reference=True``), as a straightforward
implementation does, and then encodes it, with the same encoder. Its time is that of some frames, times the
number of frames; ``--plain-frames 60`` runs it in full. A loop of the fast operations
in float32 is timed, too.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from stylegan_latents import generator
from stylegan_latents.editing.films.animation import draw_frames
from stylegan_latents.editing.films.trajectories import Trajectory, frame_times, linear
from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.films.write import Frame, write_film
from stylegan_latents.invert.photos.files import to_picture


def film_seconds(G: Generator, trajectory: Trajectory, frames: int, folder: Path) -> tuple[float, float]:
    """Wall-clock and processor seconds of the film as the command makes it, the copy of the model included."""
    start, used = time.perf_counter(), time.process_time()
    with write_film(folder / "ours.mp4", fps=24) as write:
        for frame in draw_frames(G, trajectory, frame_times(frames)):
            write(frame)
    return time.perf_counter() - start, time.process_time() - used


def plain_seconds(
    G: Generator, trajectory: Trajectory, frames: int, folder: Path, *, reference: bool
) -> tuple[float, float]:
    """Wall-clock and processor seconds of one frame of a loop without any of this package's means."""
    walls, used = [], []
    for number, moment in enumerate(frame_times(max(frames, 2))):
        start, before = time.perf_counter(), time.process_time()
        with torch.no_grad():
            picture = to_picture(G.synthesize(trajectory(moment[None]), reference=reference))[0]
        with write_film(folder / f"plain{number}.mp4", fps=24, overwrite=True) as write:
            write(np.asarray(picture))
        walls.append(time.perf_counter() - start)
        used.append(time.process_time() - before)
    return statistics.median(walls), statistics.median(used)


def difference(G: Generator, trajectory: Trajectory) -> float:
    """The mean difference of a frame from float32's, in levels of 255."""
    halfway = torch.tensor([0.5], dtype=torch.float64)
    exact, ours = (frame_at(G, trajectory, halfway, precision) for precision in ("float32", "auto"))
    return float(np.abs(exact.astype(np.float32) - ours.astype(np.float32)).mean())


def frame_at(G: Generator, trajectory: Trajectory, moment: torch.Tensor, precision: str) -> Frame:
    """One frame."""
    return next(iter(draw_frames(G, trajectory, moment, precision=precision)))  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--plain-frames", type=int, default=6)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    G = generator.load("ffhq")
    trajectory = linear(G.sample([1, 2], truncation=0.7))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, ours_used = film_seconds(G, trajectory, arguments.frames, folder)
        print(f"film of {arguments.frames} frames: {ours:.1f} s, {ours_used:.1f} s of processor", flush=True)
        for label, reference in (("plain loop", True), ("float32 loop of the fast operations", False)):
            wall, used = plain_seconds(G, trajectory, arguments.plain_frames, folder, reference=reference)
            whole, whole_used = wall * arguments.frames, used * arguments.frames
            print(
                f"{label}: {wall:.2f} s a frame, so {whole:.0f} s: {whole / ours:.1f} times "
                f"(processor: {whole_used / ours_used:.1f} times)",
                flush=True,
            )
    print(f"mean difference of a frame from float32's: {difference(G, trajectory):.2f} levels of 255")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    print(f"threads {torch.get_num_threads()}; peak memory {peak:.2f} GB (the plain loop's included)")


if __name__ == "__main__":
    main()
