"""How soon dragged points arrive, with a mask and without, and what changes inside of the mask and outside.

    python -m tests.benchmarks.drag                                       # of four seeds
    python -m tests.benchmarks.drag records/ --steps 60 --mask-weight 3 10 --sheet drags.png

One drag a face, in turn: a corner of the mouth, a lid, the edge of the hair, the chin, each with the region that it
lies in as the mask; or the one asked for. For each: how far it was to go and what is left, in pixels, by the
search's own tracker, and how far it came that way and aside by the landmarks, or the hair's edge, of the pictures
before and after, which know nothing of the search; after how many steps, and what the tracker said was left after
every tenth; the mean change of the pixels, in levels of 255, inside and outside of that region. `free` was dragged
without the mask.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from stylegan_latents.editing.drag.drag import Drag
from stylegan_latents.editing.drag.handles import Handle, marked
from stylegan_latents.editing.records.codes import open_sources, read_sources
from stylegan_latents.editing.regions.regions import Points, face_landmarks, region_masks
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.contact_sheet import contact_sheet
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.files import RECORD_SUFFIX

_READING_SIDE = 256


_WAYS = {
    "mouth": ((-0.12, -0.12), "mouth"),
    "lid": ((0.0, -0.08), "eyes"),
    "hair": ((0.0, 0.15), "hair"),
    "chin": ((0.0, 0.15), "face"),
}
"""Each drag's way, in distances between the eyes, and region."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="records; seeds when left out")
    parser.add_argument("--faces", type=int, default=4, help="how many (default: 4)")
    parser.add_argument("--drag", choices=tuple(_WAYS), help="the same for every face")
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
    G, codes = open_sources(read_sources(names), truncation=0.7)
    arms: list[float | None] = [None, *chosen.mask_weight]
    rows, titles = [], []
    print(
        "face             drag    mask  to go  left  came aside  steps    in   out  ratio  left after every tenth"
    )
    for index, code in enumerate(codes):
        with torch.inference_mode():
            before = to_picture(G.synthesize(code.ws, code.noise_or_const))[0]
        drag = chosen.drag or tuple(_WAYS)[index % len(_WAYS)]
        way, region = _WAYS[drag]
        start, unit = _place(drag, before)
        handle = Handle(_pixel(start, before.width), _pixel(start + unit * np.array(way), before.width))
        mask = torch.from_numpy(region_masks([region], [before], feather=0.0))
        row = [marked(before, [handle.start], [handle.target])]
        for weight in arms:
            search = Drag(G, steps=chosen.steps, resolution=chosen.features, mask_weight=weight or 0.0)
            left: list[float] = []
            ended = search.drag(
                code.ws, [handle], mask=None if weight is None else mask, noise=code.noise_or_const,
                on_step=lambda progress, left=left: left.append(progress.distance),  # type: ignore[misc]
            )  # fmt: skip
            with torch.inference_mode():
                after = to_picture(G.synthesize(ended.ws, code.noise_or_const))[0]
            inside, outside = _changes(before, after, mask.numpy() > 0.5)
            came, aside = _came(drag, before, after)
            print(
                f"{code.name[:16]:<16} {drag:<6} {'free' if weight is None else f'{weight:g}':>5} "
                f"{math.dist(handle.start, handle.target):6.0f} {ended.distance:5.0f} "
                f"{came:5.0f} {aside:5.0f} {ended.steps:6} "
                f"{inside:5.1f} {outside:5.1f} {outside / max(inside, 1e-6):6.2f}  "
                f"{', '.join(f'{distance:.0f}' for distance in left[9::10])}",
                flush=True,
            )
            row.append(marked(after, ended.points, [handle.target]))
        rows.append(row)
        titles.append(f"{code.name[:16]} {drag}")
    if chosen.sheet is not None:
        contact_sheet(rows, ["before", *("free" if one is None else f"{one:g}" for one in arms)], titles).save(
            chosen.sheet
        )


def _place(drag: str, picture: Image.Image) -> tuple[Points, float]:
    """Where what is dragged is, by the picture alone, and how far apart the eyes are: fractions of the side."""
    landmarks = face_landmarks(picture, "face")
    unit = float(np.linalg.norm(landmarks.right_eye.mean(0) - landmarks.left_eye.mean(0)))
    if drag == "hair":
        return _hair_edge(picture, landmarks, unit), unit
    places = {"mouth": landmarks.mouth_corners[0], "lid": landmarks.left_eye[1:3].mean(0), "chin": landmarks.chin}
    return places[drag], unit


def _came(drag: str, before: Image.Image, after: Image.Image) -> tuple[float, float]:
    """How far what is dragged came its way, and aside of it, in pixels."""
    way = np.array(_WAYS[drag][0]) / math.hypot(*_WAYS[drag][0])
    x, y = (_place(drag, after)[0] - _place(drag, before)[0]) * before.width
    return float(x * way[0] + y * way[1]), float(abs(x * way[1] - y * way[0]))


def _hair_edge(picture: Image.Image, landmarks: Landmarks, unit: float) -> Points:
    """Above the eyes, where lightness changes most from one row to the next: a fraction of the side, ``[2]``."""
    middle = (landmarks.left_eye.mean(0) + landmarks.right_eye.mean(0)) / 2
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
