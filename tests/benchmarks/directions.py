"""What each direction changes, what else it changes, and whether the face stays the same person's.

    python -m tests.benchmarks.directions                      # the shipped directions
    python -m tests.benchmarks.directions --layers coarse middle coarse,middle all
    python -m tests.benchmarks.directions --compare age=published-age.safetensors
    python -m tests.benchmarks.directions --only age --records records/ --straight    # strength by strength

Codes are drawn with seeds that no step of finding the directions uses. Deviations of the scores are those
that the shipped directions were calibrated with. `edit evaluate` measures the same and more, for any directions.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from stylegan_latents import generator
from stylegan_latents.editing.commands.evaluate import FIRST_SEED
from stylegan_latents.editing.directions.catalogue import find_direction, known_directions
from stylegan_latents.editing.discovery.fitting.leakage import Effect, effect, table
from stylegan_latents.editing.discovery.scorers.faces import FaceScorer
from stylegan_latents.editing.evaluation.evaluator import Contender, Evaluator
from stylegan_latents.editing.evaluation.score_spread import score_spread
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.weights.fetch import cache_folder
from stylegan_latents.invert.faces.identity import Identity
from stylegan_latents.invert.record.files import RECORD_SUFFIX
from stylegan_latents.invert.record.inversion import Inversion

_STRENGTHS = (-2, -1, 1, 2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=int, default=32, help="codes to edit (default: 32)")
    parser.add_argument("--truncation", type=float, default=0.7, help="of the codes (default: 0.7)")
    parser.add_argument("--only", nargs="+", help="names of directions (default: all that are shipped)")
    parser.add_argument("--layers", nargs="+", default=[""], help="layer ranges to try instead of the default ones")
    parser.add_argument("--records", type=Path, help="edit these, and print each strength up to 3")
    parser.add_argument("--straight", action="store_true", help="go straight on, not around W's mean")
    parser.add_argument("--compare", nargs="+", default=[], help="SCORE=FILE: another direction for a score")
    chosen = parser.parse_args()
    return status_of(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    G = generator.load("ffhq").to(dtype=torch.bfloat16)
    shipped = known_directions(G.latent_space)
    contenders = [Contender(name, find_direction(name, G), name) for name in chosen.only or list(shipped)]
    for text in chosen.compare:
        score, _, path = text.partition("=")
        contenders.append(Contender(path, find_direction(path, G), score))
    if chosen.straight:
        contenders = [
            replace(one, direction=replace(one.direction, keeps_distance=False, statistics=None))
            for one in contenders
        ]
    scorer = FaceScorer()
    deviations = score_spread(G, scorer, cache=cache_folder() / "discovery").deviations
    if chosen.records is not None:
        paths = sorted(chosen.records.glob(f"*{RECORD_SUFFIX}"))
        ws = torch.cat([Inversion.load(path).ws for path in paths])
    else:
        ws = G.sample(range(FIRST_SEED, FIRST_SEED + chosen.codes), truncation=chosen.truncation)
    evaluator = Evaluator(G, scorer, deviations, ws, judged=list(shipped), identity=Identity())
    if chosen.records is not None:
        for contender in contenders:
            found = evaluator.evaluate(contender, (-3, *_STRENGTHS, 3))
            for there in found.at:
                print(
                    f"{contender.label:<12} {there.strength:+.0f}: {found.intended(there):+.2f} deviations, median "
                    f"identity distance {np.nanmedian(there.distances):.2f}, leakage {found.leakage(there):.2f}",
                    flush=True,
                )
        return
    for layers in chosen.layers:
        effects: list[Effect] = []
        print(f"\nlayers {layers or '(default)'}, {len(ws)} codes at truncation {chosen.truncation}")
        for contender in contenders:
            # Rows that a direction's vector leaves alone stay still.
            rows = G.rows(layers) if layers else None
            at = {int(there.strength): there for there in evaluator.evaluate(contender, _STRENGTHS, rows=rows).at}
            one, two = (np.stack([at[-n].changes, at[n].changes]) for n in (1, 2))
            score = str(contender.score)
            summary = effect(score, scorer.names, list(shipped), one, two, np.ones(len(deviations)))
            distance = (at[-2].identity + at[2].identity) / 2
            print(
                f"{contender.label:<12} intended {summary.intended:5.2f}  leakage {summary.leakage:4.2f}  "
                f"identity distance at ±2 {distance:.2f}, "
                f"per unit of change {distance / max(abs(summary.intended), 1e-3):.2f}",
                flush=True,
            )
            effects.append(replace(summary, name=contender.label[:10]))
        print(table(effects))


if __name__ == "__main__":
    sys.exit(main())
