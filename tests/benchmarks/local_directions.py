"""How local directions are: the share of the squared change that falls within a place, on codes that took no part.

    edit discover --method lowrank --mask mouth --count 6 --out found
    python -m tests.benchmarks.local_directions found/lowrank-0*.safetensors --mask mouth --sheet mouth.png

Each direction is taken, both ways, as far as changes the place visibly: until the root mean square of the change
within it is a tenth of the whole range of brightness, over the codes. Printed are that strength, how much of the
squared change is within the place (median over codes and ways, the least, and the most), and the root mean square
of the change within and elsewhere, in levels of 255. The place is each code's own, before the edit: what a mouth
that opens covers beside it counts as elsewhere.
"""

import argparse
import statistics
import sys
from pathlib import Path

import torch
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.editing.directions.apply import edited_styles
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.finders.base import TRUNCATION
from stylegan_latents.editing.regions.regions import masks_of_codes
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.invert.photos.contact_sheet import contact_sheet
from stylegan_latents.invert.photos.files import save_picture, to_picture

_FIRST_SEED = 5000
_SIDE = 256
_VISIBLE = 0.2  # of the 2 from black to white
_LEVELS = 127.5
_FIRST, _MOST, _STEPS = 3.0, 40.0, 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directions", nargs="+", help="files, or names of shipped ones")
    parser.add_argument("--mask", nargs="+", default=["mouth"], help="as for `edit discover` (default: mouth)")
    parser.add_argument("--codes", type=int, default=6, help="how many (default: 6)")
    parser.add_argument("--model", default="ffhq", help="the generator (default: ffhq)")
    parser.add_argument("--sheet", type=Path, help="a picture: for each direction the codes at -, 0, +")
    chosen = parser.parse_args()
    return status_of(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    G = generator.load(chosen.model)
    size = min(_SIDE, G.resolution)
    ws = G.sample(range(_FIRST_SEED, _FIRST_SEED + chosen.codes), truncation=TRUNCATION)
    ws, masks = masks_of_codes(G, ws, chosen.mask)
    places = torch.nn.functional.interpolate(masks, (size, size), mode="area").expand(len(ws), -1, -1, -1)
    rows, names = [], []
    print(f"{'direction':>24} strength   share (least-most)   within  elsewhere")
    with torch.inference_mode(), keep_freed_memory():
        before = G.synthesize(ws, size=size)
        for name in chosen.directions:
            direction, strength = find_direction(name, G), _FIRST
            for step in range(_STEPS):
                # The codes at the positive strength, and then at the negative one.
                after = torch.cat([_edited(G, ws, direction, sign * strength, size) for sign in (1, -1)])
                here, elsewhere = _squares(after - before.repeat(2, 1, 1, 1), places.repeat(2, 1, 1, 1))
                if step < _STEPS - 1:
                    strength = min(_MOST, strength * _VISIBLE / float(here.mean() / places.mean()) ** 0.5)
            shares = sorted((here / (here + elsewhere)).tolist())
            levels = (float(here.mean() / places.mean()), float(elsewhere.mean() / (1 - places).mean()))
            print(
                f"{Path(name).stem:>24} {strength:8.1f}   {statistics.median(shares):.2f} "
                f"({shares[0]:.2f}-{shares[-1]:.2f})     {_LEVELS * levels[0] ** 0.5:8.1f} "
                f"{_LEVELS * levels[1] ** 0.5:10.1f}",
                flush=True,
            )
            triples = zip(after[len(ws) :], before, after[: len(ws)], strict=True)
            rows.append([to_picture(one[None])[0] for triple in triples for one in triple])
            names.append(Path(name).stem)
    if chosen.sheet is not None:
        save_picture(contact_sheet(rows, ["-", "0", "+"] * len(ws), names, cell=size), chosen.sheet, overwrite=True)


def _edited(G: Generator, ws: Tensor, direction: Direction, strength: float, size: int) -> Tensor:
    edits = [edited_styles(G, code, [(direction, strength)]) for code in ws.split(1)]
    return torch.cat([G.synthesize_styles(styles, size=size) for styles in edits])


def _squares(changes: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """The squared change within the places and elsewhere, ``[N]`` each, the mean over all pixels."""
    squares = changes.square().mean(dim=1, keepdim=True)
    return tuple((squares * part).mean(dim=(1, 2, 3)) for part in (places, 1 - places))  # type: ignore[return-value]


if __name__ == "__main__":
    sys.exit(main())
