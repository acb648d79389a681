"""How soon dragged points arrive, with a mask and without, and what changes inside of the mask and outside.

    python -m tests.benchmarks.drag                                       # of four seeds
    python -m tests.benchmarks.drag records/ --steps 60 --mask-weight 3 10 --sheet drags.png

One drag a face, in turn: a corner of the mouth, a lid, the edge of the hair, the chin, each with the region that it
lies in as the mask. For each: how far it was to go and what is left, in pixels, after how many steps, and what was
left after every tenth; the mean change of the pixels, in levels of 255, inside and outside of that region. `free`
was dragged without the mask.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from editing.drag import Drag, Handle
from editing.drag_picture import marked
from editing.regions import Points, face_landmarks, region_masks
from editing.sources import open_codes
from generator.command import status_of
from invert.photo import to_picture
from invert.record_files import RECORD_SUFFIX
from invert.sheet import contact_sheet

_READING_SIDE = 256


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="records; seeds when left out")
    parser.add_argument("--faces", type=int, default=4, help="how many (default: 4)")
    parser.add_argument("--steps", type=int, default=60, help="at most so many (default: 60)")
    parser.add_argument("--mask-weight", type=float, nargs="+", default=[10.0], help="of `edit drag`")
    parser.add_argument("--features", type=int, help="of `edit drag`")
    parser.add_argument("--sheet", type=Path, help="a picture of all")
    chosen = parser.parse_args()
    return status_of(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    if chosen.folder is None:
        names = [f"seed:{seed}" for seed in range(2, 2 + chosen.faces)]
    else:
        names = [str(path) for path in sorted(chosen.folder.glob(f"*{RECORD_SUFFIX}"))][: chosen.faces]
    G, codes = open_codes(names, truncation=0.7)
    arms: list[float | None] = [None, *chosen.mask_weight]
    rows, titles = [], []
    print("face             drag    mask  to go  left  steps    in   out  ratio  left after every tenth step")
    for index, code in enumerate(codes):
        with torch.inference_mode():
            before = to_picture(G.synthesize(code.ws, code.noise_or_const))[0]
        drags = list(_drags(before))
        drag, handle, region = drags[index % len(drags)]
        mask = torch.from_numpy(region_masks([region], [before], feather=0.0))
        row = [marked(before, [handle.start], [handle.target])]
        for weight in arms:
            search = Drag(G, steps=chosen.steps, resolution=chosen.features, mask_weight=weight or 0.0)
            way: list[float] = []
            ended = search.drag(
                code.ws, [handle], mask=None if weight is None else mask, noise=code.noise_or_const,
                on_step=lambda progress, way=way: way.append(progress.distance),  # type: ignore[misc]
            )  # fmt: skip
            with torch.inference_mode():
                after = to_picture(G.synthesize(ended.ws, code.noise_or_const))[0]
            inside, outside = _changes(before, after, mask.numpy() > 0.5)
            print(
                f"{code.name[:16]:<16} {drag:<6} {'free' if weight is None else f'{weight:g}':>5} "
                f"{math.dist(handle.start, handle.target):6.0f} {ended.distance:5.0f} {ended.steps:6} "
                f"{inside:5.1f} {outside:5.1f} {outside / max(inside, 1e-6):6.2f}  "
                f"{', '.join(f'{distance:.0f}' for distance in way[9::10])}",
                flush=True,
            )
            row.append(marked(after, ended.points, [handle.target]))
        rows.append(row)
        titles.append(f"{code.name[:16]} {drag}")
    if chosen.sheet is not None:
        contact_sheet(rows, ["before", *("free" if one is None else f"{one:g}" for one in arms)], titles).save(
            chosen.sheet
        )


def _drags(picture: Image.Image) -> Iterator[tuple[str, Handle, str]]:
    """What each drag is called, its handle, and the region that it lies in."""
    points = face_landmarks(picture, "face")
    unit = float(np.linalg.norm(points[42:48].mean(0) - points[36:42].mean(0)))
    for name, start, way, region in (
        ("mouth", points[48], (-0.12, -0.12), "mouth"),
        ("lid", points[37:39].mean(0), (0.0, -0.08), "eyes"),
        ("hair", _hair_edge(picture, points, unit), (0.0, 0.15), "hair"),
        ("chin", points[8], (0.0, 0.15), "face"),
    ):
        target = start + unit * np.array(way)
        yield name, Handle(_pixel(start, picture.width), _pixel(target, picture.width)), region


def _hair_edge(picture: Image.Image, points: Points, unit: float) -> Points:
    """Above the eyes, where lightness changes most from one row to the next: a fraction of the side, ``[2]``."""
    middle = (points[36:42].mean(0) + points[42:48].mean(0)) / 2
    light = np.asarray(picture.convert("L").resize((_READING_SIDE, _READING_SIDE)), dtype=np.float64)
    column = round(float(middle[0]) * _READING_SIDE)
    top, low = (max(4, round(float(middle[1] - by * unit) * _READING_SIDE)) for by in (1.6, 0.6))
    rows = light[top : low + 1, column - 3 : column + 4].mean(axis=1)
    edge = top + int(np.abs(rows[2:] - rows[:-2]).argmax()) + 1
    return np.array([middle[0], (edge + 0.5) / _READING_SIDE])


def _pixel(place: Points, side: int) -> tuple[float, float]:
    x, y = np.clip(np.round(place * side), 0, side - 1)
    return float(x), float(y)


def _changes(before: Image.Image, after: Image.Image, inside: "np.typing.NDArray[np.bool_]") -> Sequence[float]:
    change = np.abs(np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)).mean(axis=2)
    return float(change[inside].mean()), float(change[~inside].mean())


if __name__ == "__main__":
    sys.exit(main())
