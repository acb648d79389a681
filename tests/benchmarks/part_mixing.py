"""Where a mixed part changes the picture: inside of the part, and how much less outside of it.

    python -m tests.benchmarks.part_mixing                          # pairs of seeds
    python -m tests.benchmarks.part_mixing records/ --sheet parts.png

For each part of a neighbour in the list, taken by its style channels (`edit mix --part`): the mean change of the
pixels inside the part and outside, in levels of 255. The inside is the part before and after, and one place of the
clusters' map about it, as a part that moves changes its surroundings. Beside it the same rows of the code as
`edit mix --region` takes, whole, whose outside that command would then cut away.

    python -m tests.benchmarks.part_mixing --coarse                 # what layers of 8 pixels and coarser do to each
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from stylegan_latents import generator
from stylegan_latents.editing.commands.parts import THRESHOLD
from stylegan_latents.editing.mixing.by_part import PartDonor, mix_parts
from stylegan_latents.editing.mixing.find_parts import parts_of
from stylegan_latents.editing.mixing.mixing import Donor, mix
from stylegan_latents.editing.records.codes import open_sources, read_sources
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.invert.photos.contact_sheet import contact_sheet
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.files import RECORD_SUFFIX

_PARTS = ("eyes", "nose", "mouth", "hair", "skin", "background")
_SIDE, _COARSE = 256, 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="records; pairs of seeds when left out")
    parser.add_argument("--pairs", type=int, default=10, help="how many (default: 10)")
    parser.add_argument("--threshold", type=float, nargs="+", default=[THRESHOLD], help="of `edit mix`")
    parser.add_argument("--parts", nargs="+", default=list(_PARTS), help="which (default: all but the body)")
    parser.add_argument("--coarse", action="store_true", help="only how much of each part the coarse layers change")
    parser.add_argument("--sheet", type=Path, help="a picture of all mixes at the first threshold")
    chosen = parser.parse_args()
    return status_of(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    if chosen.folder is None:
        names = [f"seed:{seed}" for seed in range(3000, 3001 + chosen.pairs)]
    else:
        names = [str(path) for path in sorted(chosen.folder.glob(f"*{RECORD_SUFFIX}"))]
    G, codes = open_sources(read_sources(names), truncation=0.7)
    parts = parts_of(G, lambda _what: lambda _done, _all: None)
    if chosen.coarse:
        styles = zip(G.layers, G.styles(codes[0].ws), strict=True)
        coarse = torch.cat([torch.full(style.shape[1:], layer.resolution <= _COARSE) for layer, style in styles])
        for name, share in zip(parts.names, parts.shares, strict=True):
            print(f"{name:<11} {float(share[coarse].sum() / share.sum()):.2f}")
        return
    drawer = generator.load(G.name).to(dtype=torch.bfloat16)
    pairs = list(zip(codes, [*codes[1:], codes[0]], strict=True))[: chosen.pairs]
    weights = {(one, t): parts.weights([one], t) for one in chosen.parts for t in chosen.threshold}
    found: dict[tuple[str, object], list[tuple[float, float]]] = {}
    rows = []
    with torch.inference_mode(), keep_freed_memory():

        def draw(styles: list[torch.Tensor]) -> torch.Tensor:
            return drawer.synthesize_styles(styles, size=min(_SIDE, G.resolution)).clamp(-1, 1)

        for mine, theirs in pairs:
            before = draw(G.styles(mine.ws))
            first = parts.masks(G, mine.ws)[0]
            swapped = G.styles(mix(mine.ws, [Donor(theirs.ws, G.rows("middle"))]))
            whole = draw(swapped)
            row = [before, draw(G.styles(theirs.ws))]
            for one in chosen.parts:
                index = parts.index(one)
                inside = _inside(torch.maximum(first[index], parts.masks(G, theirs.ws)[0][index]), before.shape[-1])
                found.setdefault((one, "region's rows"), []).append(_changes(before, whole, inside))
                for t in chosen.threshold:
                    after = draw(mix_parts(G, mine.ws, [PartDonor(theirs.ws, weights[one, t])]))
                    found.setdefault((one, t), []).append(_changes(before, after, inside))
                    row += [after] if t == chosen.threshold[0] else []
            rows.append([to_picture(picture)[0] for picture in row])
            print(".", end="", flush=True)
    print(f"\n{len(pairs)} pairs: mean change of the pixels, of 255")
    for (one, how), values in found.items():
        inside_, outside = np.array(values).mean(axis=0)
        print(f"{one:<11} {how!s:<14} inside {inside_:5.1f}  outside {outside:5.1f}  ratio {outside / inside_:.2f}")
    if chosen.sheet is not None:
        contact_sheet(rows, ["mine", "theirs", *chosen.parts], cell=_SIDE).save(chosen.sheet)


def _inside(mask: torch.Tensor, side: int) -> torch.Tensor:
    """The part and one place about it, ``[side, side]``."""
    grown = torch.nn.functional.max_pool2d(mask[None, None], 3, stride=1, padding=1)
    return torch.nn.functional.interpolate(grown, (side, side), mode="nearest")[0, 0] > 0


def _changes(before: torch.Tensor, after: torch.Tensor, inside: torch.Tensor) -> tuple[float, float]:
    change = (after - before).abs().mean(dim=(0, 1)) * 127.5
    return float(change[inside].mean()), float(change[~inside].mean())


if __name__ == "__main__":
    sys.exit(main())
