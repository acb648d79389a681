"""How much pasting back changes a photo away from its person, with the person's mask and without.

    python -m tests.benchmarks.paste_back records/ --photos photos/ [--strength 1.5] [--pictures FOLDER]

Every record of the folder is edited along each direction at both signs and pasted back. Away from the person, as
before and as after the edit and a halo, the change of the photo is measured in levels of 255, in a square of twice
the crop's side. With --pictures, the photo and both results are written side by side.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.editing.records.pasted import people_of
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.paste_back.paste import paste_back
from stylegan_latents.invert.paste_back.person_layer import PersonLayer, person_layer, square_of

DIRECTIONS = ("pose", "pitch", "smile", "mouth-open", "eyes-open", "age", "gender")
_HALO = 9


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", type=Path, help="folder of records of photos")
    parser.add_argument("--photos", type=Path, required=True, help="folder of the photos")
    parser.add_argument("--strength", type=float, default=1.5)
    parser.add_argument("--directions", nargs="+", default=DIRECTIONS)
    parser.add_argument("--pictures", type=Path, help="write photo, result without and with the mask here")
    chosen = parser.parse_args()
    return status_of(
        lambda: _run(chosen.records, chosen.photos, chosen.directions, chosen.strength, chosen.pictures)
    )


def _run(folder: Path, photos: Path, names: list[str], strength: float, pictures: Path | None) -> int:
    records = sorted(folder.glob("*.inversion.safetensors"))
    if not records:
        raise InputError(f"{folder} holds no record.")
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
    loaded: dict[str, Generator] = {}
    changes: dict[str, list[np.ndarray]] = {"without": [], "with": []}
    print(f"{'photo':<24} {'edit':<16} {'without: median  95 %':>22} {'with: median  95 %':>22}")
    for path in records:
        opened = OpenRecord(path, loaded=loaded)
        photo = opened.photo(photos / opened.inversion.sources[0].name)
        before = opened.picture()
        for name in names:
            direction = find_direction(name, opened.generator)
            for amount in (-strength, strength):
                edits = [(direction, amount)]
                after = opened.edited(edits)
                people = people_of(opened, (before, after), edits)
                if people is None:
                    raise InputError(f"The model of {path} has no catalogue of parts of people.")
                shares = (people[0].person, people[1].person)
                change = np.ones((*shares[0].shape, 1), np.float32)
                layer = person_layer(photo, opened.alignment(), (before, after), shares, change)
                away = _away(layer, shares[1])
                results = [
                    paste_back(photo, after, opened.alignment(), reference=before, people=one)
                    for one in (None, people)
                ]
                row = []
                for kind, result in zip(changes, results, strict=True):
                    found = _change(photo, result, layer)[away]
                    changes[kind].append(found)
                    row.append(f"{np.median(found):14.1f} {np.percentile(found, 95):6.1f}")
                print(f"{opened.stem:<24} {name + format(amount, '+g'):<16} {'  '.join(row)}", flush=True)
                if pictures is not None:
                    _side_by_side([photo, *results]).save(
                        pictures / f"{opened.stem}.{name}{amount:+g}.jpg", quality=92
                    )
    for kind, found in changes.items():
        every = np.concatenate(found)
        print(
            f"{kind} the mask: median {np.median(every):.1f}, 95 % below {np.percentile(every, 95):.1f}, "
            f"{(every < 8).mean():.1%} below 8 levels"
        )
    return 0


def _away(layer: PersonLayer, after: np.ndarray) -> np.ndarray:
    """Where in the layer's square is no person, before or after the edit."""
    side, inner = layer.person.shape[0], after.shape[0]
    person = layer.person > 0.02
    start = (side - inner) // 2
    person[start : start + inner, start : start + inner] |= after > 0.02
    grown = np.asarray(Image.fromarray(person).convert("L").filter(ImageFilter.MaxFilter(2 * _HALO + 1)))
    return grown == 0


def _change(photo: Image.Image, result: Image.Image, layer: PersonLayer) -> np.ndarray:
    before, after = (square_of(one, layer.alignment).astype(np.float32) for one in (photo, result))
    return np.abs(after - before).max(axis=2)


def _side_by_side(pictures: list[Image.Image]) -> Image.Image:
    width, height = pictures[0].size
    sheet = Image.new("RGB", (width * len(pictures), height))
    for index, picture in enumerate(pictures):
        sheet.paste(picture, (index * width, 0))
    return sheet


if __name__ == "__main__":
    sys.exit(main())
