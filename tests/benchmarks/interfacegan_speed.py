"""How long one direction takes from 5,000 scored samples, and how long the next ones take from the cache.

    python -m tests.benchmarks.interfacegan_speed                 # 200 samples timed, the rest extrapolated
    python -m tests.benchmarks.interfacegan_speed --full          # all 5,000
    python -m tests.benchmarks.interfacegan_speed --threads 1

First the parts of a sample, each on one thread: the exact picture of 256 pixels, the sketch, and the sketch that is
sharp in the face alone, all in bfloat16; and both ways of scoring. Then what `edit discover` does: all samples, the
fit, and what comes after it for one direction (scaling and testing on edits). Samples all cost the same, so that
those of a part extrapolate; the fit is made on 5,000 rows either way, repeated ones where fewer were drawn, which
costs it the same. With the wall's time goes the processor's: where the wall's is longer than its share of a core,
others used the machine, and the wall's is too long.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from stylegan_latents import generator
from stylegan_latents.editing.discovery.finders.interfacegan import InterFaceGAN
from stylegan_latents.editing.discovery.fitting.samples import draw_codes, expand, sample
from stylegan_latents.editing.discovery.scorers.faces import FACE_ATTRIBUTES, FaceScorer
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.ops.memory import keep_freed_memory, share_freed_memory

_SAMPLES, _SIDE, _BATCH, _PARTS, _WANTED = 5000, 256, 4, 40, 240.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200, help="to time, 100 or more (default: 200)")
    parser.add_argument("--full", action="store_true", help="time all 5,000")
    parser.add_argument("--threads", type=int, help="of PyTorch (default: its own choice)")
    parser.add_argument("--codes", type=int, default=32, help="for scaling and testing (default: 32)")
    chosen = parser.parse_args()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    return status_of(lambda: _run(_SAMPLES if chosen.full else chosen.samples, chosen.codes))


def _run(count: int, codes: int) -> int:
    share_freed_memory()
    G = generator.load("ffhq").to(dtype=torch.bfloat16)
    scorer = FaceScorer(quick=True)
    print(f"{torch.get_num_threads()} threads, {count} of {_SAMPLES} samples")
    spent: dict[str, tuple[float, float]] = {}
    _time_parts(G, spent)
    with tempfile.TemporaryDirectory() as folder:
        with _timed("samples", spent):
            scored = sample(G, scorer, count, cache=Path(folder))
        with _timed("from the cache", spent):
            sample(G, scorer, count, cache=Path(folder))
    print(f"{'a sample, on all threads':<28} " + _each(spent["samples"], count))
    rows = np.resize(np.arange(count), _SAMPLES)
    whole = replace(scored, codes=scored.codes[rows], scores=scored.scores[rows], plain=scored.plain[rows])
    with _timed("fit", spent):
        finder = InterFaceGAN(G, scorer, whole, codes=codes, refine=False)
    smile, eyes = (next(one for one in FACE_ATTRIBUTES if one.name == name) for name in ("smile", "eyes-open"))
    with _timed("scaling and testing", spent):
        finder.find_tested([smile])
    with _timed("the next direction", spent):
        finder.find_tested([eyes])
    scale = _SAMPLES / count
    totals = []
    for index, clock in enumerate(("wall", "processor")):
        seconds = {name: times[index] * (scale if name == "samples" else 1) for name, times in spent.items()}
        found = seconds["samples"] + seconds["fit"] + seconds["scaling and testing"]
        totals.append(found)
        print(f"\nby the {clock}'s clock, for {_SAMPLES} samples{'' if count == _SAMPLES else ', extrapolated'}:")
        for name in ("samples", "fit", "scaling and testing", "from the cache", "the next direction"):
            print(f"  {name:<26} {seconds[name]:7.1f} s")
        print(f"  one direction, all in all  {found:7.1f} s")
    reached = totals[0] <= _WANTED
    print(f"\nwanted: {_WANTED:.0f} s by the wall on two cores: {'reached' if reached else 'NOT reached'}")
    return 0 if reached else 1


def _time_parts(G: Generator, spent: dict[str, tuple[float, float]]) -> None:
    """Draw and score some samples both ways on one thread, and print what a sample takes."""
    ways = {
        "exact picture": G.synthesize,
        "sketch": G.sketch,
        "sketch of a face": partial(G.sketch, focus=FaceScorer.focus),
    }
    scorers = {"scoring": FaceScorer(), "quick scoring": FaceScorer(quick=True)}
    ws = expand(draw_codes(G, _PARTS, 0, 0.8), G).split(_BATCH)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for name, draw in ways.items():
        with torch.no_grad(), keep_freed_memory():
            draw(ws[0], size=_SIDE)  # the first one makes the memory that the others are drawn in
            with _timed(name, spent):
                pictures = [draw(codes, size=_SIDE) for codes in ws]
    for name, scorer in scorers.items():
        scorer.score(pictures[0])  # loads what is loaded once
        with _timed(name, spent):
            for batch in pictures:
                scorer.score(batch)
    torch.set_num_threads(threads)
    for name in (*ways, *scorers):
        print(f"{name + ', one thread':<28} " + _each(spent[name], _PARTS))


def _each(times: tuple[float, float], count: int) -> str:
    wall, processor = (1000 * seconds / count for seconds in times)
    return f"{wall:5.0f} ms by the wall, {processor:5.0f} ms of the processor"


@contextmanager
def _timed(name: str, spent: dict[str, tuple[float, float]]) -> Iterator[None]:
    wall, processor = time.perf_counter(), time.process_time()
    yield
    spent[name] = time.perf_counter() - wall, time.process_time() - processor


if __name__ == "__main__":
    sys.exit(main())
