"""How much pasting back changes a photo away from its person, and whether anybody sees a seam.

    python -m tests.benchmarks.paste_back records/ --photos photos/ [--strengths -1.5 1.5] [--sheets FOLDER]

Every record of the folder is edited along each direction by each strength and pasted back, as ``edit`` does it:
local edits change their region alone. Away from the person, as before and as after the edit and a halo, the
change of the photo is measured in levels of 255, in a square of twice the crop's side. With --sheets, results and
untouched photos are written in random order, for somebody who does not know which is which, beside ``key.csv``,
which says it.

Public portraits that it was tried on, of GitHub repositories but the first:
scikit-image's ``astronaut``;
ageitgey/face_recognition examples: ``obama.jpg``, ``two_people.jpg``, ``knn_examples/train/rose_leslie/img2.jpg``,
``knn_examples/train/alex_lacamoire/img1.jpg``, ``knn_examples/train/kit_harington/john2.jpeg``;
mchong6/JoJoGAN ``test_input/iu.jpeg``; TencentARC/GFPGAN ``inputs/whole_imgs/00.jpg`` (children);
vladmandic/human samples/in: ``stock-models-9.jpg``, ``stock-teen-3.jpg``,
``stock-teen-7.jpg``, ``stock-teen-8.jpg``.
"""

import argparse
import csv
import random
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.editing.records.pasted import pasted, people_of
from stylegan_latents.editing.regions.joining import can_join
from stylegan_latents.editing.regions.parts import stored_parts
from stylegan_latents.editing.regions.regions import Blend, own_region
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.paste_back.outline import CANVAS, INNER, person_in, square_of, wider
from stylegan_latents.invert.photos.person_mask import CLASSES, PersonMask

DIRECTIONS = ("pose", "pitch", "smile", "mouth-open", "eyes-open", "age", "gender")
_HALO = 9
# A photo is shown untouched once for so many of its edits; the side of a picture of a sheet, and their number.
_UNTOUCHED, _SIDE, _ACROSS, _DOWN = 3, 480, 4, 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", type=Path, help="folder of records of photos")
    parser.add_argument("--photos", type=Path, required=True, help="folder of the photos")
    parser.add_argument("--strengths", type=float, nargs="+", default=(-1.5, 1.5))
    parser.add_argument("--directions", nargs="+", default=DIRECTIONS)
    parser.add_argument("--sheets", type=Path, help="write sheets in random order and their key here")
    chosen = parser.parse_args()
    return status_of(
        lambda: _run(chosen.records, chosen.photos, chosen.directions, chosen.strengths, chosen.sheets)
    )


def _run(folder: Path, photos: Path, names: list[str], strengths: list[float], sheets: Path | None) -> int:
    records = sorted(folder.glob("*.inversion.safetensors"))
    if not records:
        raise InputError(f"{folder} holds no record.")
    loaded: dict[str, Generator] = {}
    changes: list[np.ndarray] = []
    shown: list[tuple[str, Image.Image]] = []
    told = 0
    print(f"{'photo':<24} {'edit':<16} {'median':>8} {'95 %':>8}")
    for path in records:
        opened = OpenRecord(path, loaded=loaded)
        photo = opened.photo(photos / opened.inversion.sources[0].name)
        before, square = opened.picture(), wider(opened.alignment())
        for index, (name, amount) in enumerate((name, amount) for name in names for amount in strengths):
            direction = find_direction(name, opened.generator)
            edits = [(direction, amount)]
            regions, blend = _regions(opened, str(direction.provenance.get("score", "")))
            drawn = opened.edited(edits, regions=regions, blend=blend)
            people = people_of(opened, before, drawn)
            if people is None:
                raise InputError(f"The model of {path} has no catalogue of parts of people.")
            seams: list[str] = []
            result = pasted(opened, photo, drawn, seams.append)
            was, now = (square_of(one, square) for one in (photo, result))
            change = np.abs(was.astype(np.float32) - now).max(axis=2)[_away(was, people)]
            changes.append(change)
            told += bool(seams)
            edit = name + format(amount, "+g")
            print(
                f"{opened.stem:<24} {edit:<16} {np.median(change):8.1f} {np.percentile(change, 95):8.1f}"
                + ("  told" if seams else ""),
                flush=True,
            )
            shown.append((f"{opened.stem} {edit}", _cell(result, opened)))
            if index % _UNTOUCHED == 0:
                shown.append((f"{opened.stem} untouched", _cell(photo, opened)))
        if sheets is not None:
            _write(sheets, shown)
    every = np.concatenate(changes)
    print(
        f"{len(changes)} edits: median {np.median(every):.1f}, 95 % below {np.percentile(every, 95):.1f}, "
        f"{(every < 8).mean():.1%} below 8 levels; a seam was told of {told}"
    )
    return 0


def _regions(opened: OpenRecord, score: str) -> tuple[list[str], Blend]:
    """What ``edit --paste-back`` changes of a picture along a direction of this score, empty for all, and how it is
    joined.
    """
    own = own_region(
        [score],
        lambda side: opened.picture(size=side),
        lambda: can_join(opened.generator, stored_parts(opened.unstyled)),
    )
    return ([], "image") if own is None else ([own[0]], own[1])


def _away(photo: np.ndarray, people: tuple[PersonMask, PersonMask]) -> np.ndarray:
    """Where in the square is no person, nor their clothes, before or after the edit."""
    shares = people[0].shares.copy()
    clothes, hair = CLASSES.index("clothes"), CLASSES.index("hair")
    shares[hair] += shares[clothes]
    shares[clothes] = 0
    person = person_in(photo, PersonMask(shares))[1] > 0.02
    person[INNER, INNER] |= people[1].person > 0.02
    grown = np.asarray(Image.fromarray(person).convert("L").filter(ImageFilter.MaxFilter(2 * _HALO + 1)))
    assert grown.shape == (CANVAS, CANVAS)
    return grown == 0


def _cell(picture: Image.Image, opened: OpenRecord) -> Image.Image:
    """The surroundings of the crop, in the photo's orientation."""
    quad = opened.alignment().quad
    middle, reach = quad.mean(axis=0), 1.3 * np.abs(quad - quad.mean(axis=0)).max()
    low, high = np.maximum(middle - reach, 0), np.minimum(middle + reach, picture.size)
    part = picture.crop((int(low[0]), int(low[1]), int(high[0]), int(high[1])))
    part.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return part


def _write(folder: Path, shown: list[tuple[str, Image.Image]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    order = random.Random(0).sample(range(len(shown)), len(shown))
    each = _ACROSS * _DOWN
    with (folder / "key.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("number", "picture"), *((n + 1, shown[i][0]) for n, i in enumerate(order))])
    for start in range(0, len(order), each):
        sheet = Image.new("RGB", (_ACROSS * _SIDE, _DOWN * (_SIDE + 16)), "white")
        pen = ImageDraw.Draw(sheet)
        for place, index in enumerate(order[start : start + each]):
            x, y = place % _ACROSS * _SIDE, place // _ACROSS * (_SIDE + 16)
            sheet.paste(shown[index][1], (x, y + 16))
            pen.text((x + 2, y + 2), str(start + place + 1), fill="black")
        sheet.save(folder / f"sheet{start // each + 1:02d}.png")


if __name__ == "__main__":
    sys.exit(main())
