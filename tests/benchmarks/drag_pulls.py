"""How many landmarks of sampled faces can be dragged 21, 40 and 78 pixels, with a mask and without.

    python -m tests.benchmarks.drag_pulls --out pulls/                      # 60 pulls, each with a mask and without
    python -m tests.benchmarks.drag_pulls --faces 5 --lengths 40 --masks face --out pulls/ --sheet pulls.png

An hour or two: what is in the folder of ``--out`` is not done again, so that a run may be ended and continued.

One landmark a face, in turn: a corner of the mouth outwards and up, the lower lip and the chin down, the nose's
tip aside, a brow up; the other way where the target would lie outside of the picture. A pull has succeeded when
the new picture's landmark is within 3 pixels of 1024 of its target, found by dlib's detector in the whole picture
at its full size and averaged over boxes, and not by the search. For each: how far the landmark is from its target,
what the search says it is, whether the search says that it is reached, the steps, and how far the person has
changed (the distance of face recognition; above 0.6 it is somebody else). The last lines count what has succeeded,
and what is said to be reached and is farther than 5 pixels away.
"""

import argparse
import json
import math
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from stylegan_latents.editing.drag.drag import Drag
from stylegan_latents.editing.drag.handles import Handle, Point, marked
from stylegan_latents.editing.records.codes import Code, open_sources, read_sources
from stylegan_latents.editing.regions.regions import region_masks
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.faces.find import find_faces, require_faces
from stylegan_latents.invert.faces.identity import Identity
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.contact_sheet import contact_sheet
from stylegan_latents.invert.photos.files import to_picture

_SIDE = 1024
_NEAR, _FALSE = 3.0, 5.0
_WAYS = {"mouth": (-0.8, -0.6), "lip": (0.0, 1.0), "chin": (0.0, 1.0), "nose": (1.0, 0.0), "brow": (0.0, -1.0)}


@dataclass(frozen=True)
class _Pull:
    """One pull: its face, landmark, length and mask, and what became of it; lengths in pixels of 1024."""

    face: str
    landmark: str
    length: float
    mask: str
    left: float
    says: float
    reached: bool
    steps: int
    changed: float

    def __str__(self) -> str:
        return (
            f"{self.face:<9} {self.landmark:<8} {self.length:7.0f}  {self.mask:<5} {self.left:5.1f} "
            f"{self.says:5.1f}  {'yes' if self.reached else 'no':<7} {self.steps:6}  {self.changed:6.2f}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="of faces (default: ffhq)")
    parser.add_argument("--faces", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--lengths", type=float, nargs="+", default=[21.0, 40.0, 78.0], help="pixels of 1024")
    parser.add_argument("--masks", nargs="+", default=["face", "none"], help="regions of `edit drag`, or none")
    parser.add_argument("--steps", type=int, default=200, help="at most so many (default: 200)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("pulls"), help="folder of results (default: pulls)")
    parser.add_argument("--sheet", type=Path, help="a picture of all")
    chosen = parser.parse_args()
    return status_of(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    names = [f"seed:{seed}" for seed in range(2, 2 + chosen.faces)]
    G, codes = open_sources(read_sources(names), model=chosen.model, device=chosen.device, truncation=0.7)
    chosen.out.mkdir(parents=True, exist_ok=True)
    pulls: list[_Pull] = []
    print("face      landmark  length  mask   left  says  reached  steps  person")
    for mask in chosen.masks:
        for length in chosen.lengths:
            for index, code in enumerate(codes):
                pulls.append(_kept(G, code, tuple(_WAYS)[index % len(_WAYS)], length, mask, chosen))
                print(pulls[-1], flush=True)
    for mask in chosen.masks:
        for length in chosen.lengths:
            some = [pull for pull in pulls if (pull.mask, pull.length) == (mask, length)]
            near = sum(pull.left <= _NEAR for pull in some)
            false = sum(pull.reached and pull.left > _FALSE for pull in some)
            median = float(np.median([pull.left for pull in some]))
            print(
                f"{length:3.0f} pixels, mask {mask:<5} {near} of {len(some)} within {_NEAR:.0f} pixels, median "
                f"{median:.1f}; {false} said to be reached and farther than {_FALSE:.0f}; person "
                f"{float(np.median([pull.changed for pull in some])):.2f}"
            )
    if chosen.sheet is not None:
        columns = [f"{length:g} {mask}" for mask in chosen.masks for length in chosen.lengths]
        pictures = [Image.open(chosen.out / f"{one.face}-{one.length:g}-{one.mask}.jpg") for one in pulls]
        rows = [pictures[row :: len(codes)] for row in range(len(codes))]
        contact_sheet(rows, columns, [code.name for code in codes]).save(chosen.sheet)


def _kept(G: Generator, code: Code, landmark: str, length: float, mask: str, chosen: argparse.Namespace) -> _Pull:
    """The pull as it is in the folder, or done now and written there."""
    file = chosen.out / f"{code.name}-{length:g}-{mask}.json"
    if file.exists():
        return _Pull(**json.loads(file.read_text()))
    pull, shown = _pull(G, code, landmark, length, mask, chosen.steps)
    shown.save(file.with_suffix(".jpg"), quality=95)
    file.write_text(json.dumps(asdict(pull)))
    return pull


def _pull(
    G: Generator, code: Code, landmark: str, length: float, mask: str, steps: int
) -> tuple[_Pull, Image.Image]:
    before = _drawn(G, code.ws, code)
    scale = before.width / _SIDE
    face, identity = require_faces(before, name=code.name)[0], Identity()
    start = _place(landmark, face.landmarks)
    pulled = length * scale * np.array(_WAYS[landmark])
    target = start + pulled
    if not all(0 <= place <= side - 1 for place, side in zip(target, before.size, strict=True)):
        target = start - pulled
    handle = Handle(start, (float(target[0]), float(target[1])))
    allowed = None if mask == "none" else torch.from_numpy(region_masks([mask], [before], feather=0.0))
    ended = Drag(G, steps=steps).drag(code.ws, [handle], mask=allowed, noise=code.noise_or_const)
    after = _drawn(G, ended.ws, code)
    left = changed = math.inf
    for found in find_faces(after)[:1]:
        left = math.dist(_place(landmark, found.landmarks), handle.target) / scale
        changed = identity.distance(identity.embed_face(before, face), identity.embed_face(after, found))
    says = ended.distance / scale
    pull = _Pull(code.name, landmark, length, mask, left, says, ended.reached, ended.steps, changed)
    return pull, marked(after, ended.points, [handle.target])


def _drawn(G: Generator, ws: torch.Tensor, code: Code) -> Image.Image:
    with torch.inference_mode():
        return to_picture(G.synthesize(ws, code.noise_or_const))[0]


def _place(name: str, found: Landmarks) -> Point:
    places = {
        "mouth": found.mouth_corners[0], "lip": found.outer_lips[9], "chin": found.chin,
        "nose": found.nose_bridge[3], "brow": found.left_brow[2],
    }  # fmt: skip
    x, y = places[name].tolist()
    return x, y


if __name__ == "__main__":
    sys.exit(main())
