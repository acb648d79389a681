"""What each direction changes, what else it changes, and whether the face stays the same person's.

    python -m tests.benchmarks.directions                      # the shipped directions
    python -m tests.benchmarks.directions --layers coarse middle coarse,middle all
    python -m tests.benchmarks.directions --compare age=published-age.safetensors

Codes are drawn with seeds that no step of finding the directions uses. Deviations of the scores are those
that the shipped directions were calibrated with.
"""

import argparse
import sys
from dataclasses import replace

import numpy as np
import torch

import generator
from editing.direction import Direction, find, known
from editing.discovery.faces import FaceScorer
from editing.discovery.leakage import Effect, changes, effect, table
from editing.discovery.samples import score_codes
from generator.errors import InputError
from generator.generator import Generator
from invert.identity import Identity

_SEED = 1_000_000
_STRENGTHS = (-2, -1, 1, 2)
_IDENTITY_CODES = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=int, default=32, help="codes to edit (default: 32)")
    parser.add_argument("--truncation", type=float, default=0.7, help="of the codes (default: 0.7)")
    parser.add_argument("--only", nargs="+", help="names of directions (default: all that are shipped)")
    parser.add_argument("--layers", nargs="+", default=[""], help="layer ranges to try instead of the default ones")
    parser.add_argument("--compare", nargs="+", default=[], help="SCORE=FILE: another direction for a score")
    chosen = parser.parse_args()
    try:
        _run(chosen)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _run(chosen: argparse.Namespace) -> None:
    G = generator.load("ffhq").to(dtype=torch.bfloat16)
    shipped = known(G.latent_space)
    names = chosen.only or list(shipped)
    jobs = [(name, name, find(name, G)) for name in names]
    for text in chosen.compare:
        score, _, path = text.partition("=")
        jobs.append((score, path, find(path, G)))
    scorer = FaceScorer()
    ws = G.sample(range(_SEED, _SEED + chosen.codes), truncation=chosen.truncation)
    before = score_codes(G, scorer, ws, size=256)
    deviations = _deviations(scorer, find("pose", G))
    for layers in chosen.layers:
        effects: list[Effect] = []
        print(f"\nlayers {layers or '(default)'}, {len(ws)} codes at truncation {chosen.truncation}")
        for score, label, shipped_direction in jobs:
            direction = _with_layers(shipped_direction, layers, G)
            result = changes(G, scorer, direction, ws, _STRENGTHS, before=before)
            one = effect(score, scorer.names, list(shipped), result[1:3], result[[0, 3]], deviations)
            distance = _identity(G, direction, ws[:_IDENTITY_CODES])
            at_same_change = distance / max(abs(one.intended), 1e-3)
            print(
                f"{label:<12} intended {one.intended:5.2f}  leakage {one.leakage:4.2f}  "
                f"identity distance at ±2 {distance:.2f}, per unit of change {at_same_change:.2f}",
                flush=True,
            )
            effects.append(replace(one, name=label[:10]))
        print(table(effects))


def _deviations(scorer: FaceScorer, direction: Direction) -> "np.typing.NDArray[np.float64]":
    """The scores' deviations over samples of W, as the shipped directions were calibrated with."""
    stored = direction.provenance["score_deviations"]
    if not isinstance(stored, dict) or direction.provenance["scorer"] != scorer.version:
        raise InputError("The shipped directions were calibrated with another scorer; find them anew.")
    return np.array([stored[name] for name in scorer.names], dtype=np.float64)


def _with_layers(direction: Direction, layers: str, G: Generator) -> Direction:
    """The direction on other rows; rows that its vector leaves alone stay still."""
    return replace(direction, rows=tuple(G.rows(layers))) if layers else direction


def _identity(G: Generator, direction: Direction, ws: torch.Tensor) -> float:
    """Mean identity distance of edits at ±2 from their start, over the pictures where a face is found."""
    identity = Identity()
    with torch.no_grad():
        start = identity.embed_aligned(G.synthesize(ws, size=256))
        ends = [identity.embed_aligned(G.synthesize(direction.apply(ws, s), size=256)) for s in (-2.0, 2.0)]
    distances = [
        identity.distance(one, two)
        for edited in ends
        for one, two in zip(start, edited, strict=True)
        if one is not None and two is not None
    ]
    return float(np.mean(distances)) if distances else float("nan")


if __name__ == "__main__":
    sys.exit(main())
