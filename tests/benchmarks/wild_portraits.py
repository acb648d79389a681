"""How near photos come that are no studio portraits, and what ``--method layered`` gains outside the face.

    python -m tests.benchmarks.wild_portraits wild/ --out wild-results/ --quality draft
    python -m tests.benchmarks.wild_portraits wild/ --out wild-results/ --only person-vlado5 --no-plain

The folder holds these pictures of public repositories under their own names:

- glasses: github.com/cleardusk/3DDFA_V2 examples/inputs/JianzhuGuo.jpg
- a microphone and a hand: github.com/ageitgey/face_recognition examples/lin-manuel-miranda.png
- a beard and curls: github.com/ageitgey/face_recognition examples/knn_examples/train/alex_lacamoire/img1.jpg
- a child, hair clips: github.com/TencentARC/GFPGAN inputs/whole_imgs/00.jpg
- a faded old scan in green light: github.com/TencentARC/GFPGAN inputs/whole_imgs/10045.png
- sunglasses with reflections: github.com/vladmandic/human samples/in/person-vlado5.jpg
- a hand in the hair: github.com/vladmandic/human samples/in/person-lexi.jpg
- two hands at the head: github.com/vladmandic/human samples/in/stock-emotions-a-1.jpg
- a hand at the chin in the dark: github.com/vladmandic/human samples/in/stock-emotions-b-5.jpg
- a hand at the chin: github.com/vladmandic/human samples/in/stock-teen-4.jpg

R is LPIPS of the plain loop of ``tests.benchmarks.projection`` on the same photo. Inside the face is the region
``face`` of ``edit --region``. Identity is dlib's distance from the photo: of the inversion, and the mean after
smile, age and pose at +2 and -2. Each photo leaves a picture: the photo, the default's inversion, the layered one,
and the layered one with a smile, older, and turned. A line for each photo is kept in wild.json.
"""

import argparse
import json
import math
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.editing.directions.apply import apply_edits
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.regions.regions import region_masks
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.faces.find import require_faces
from stylegan_latents.invert.faces.identity import Identity
from stylegan_latents.invert.invert_face import Crop, cut_out, find_codes
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.photos.contact_sheet import contact_sheet
from stylegan_latents.invert.photos.files import list_photos, read_photo, to_picture, to_tensor
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.metrics import draw, measure
from stylegan_latents.invert.record.tuned_weights import tuned_generator
from stylegan_latents.invert.search.loss import LPIPS
from tests.benchmarks.projection import plain_result

EDITS = (("smile", 2.0), ("smile", -2.0), ("age", 2.0), ("age", -2.0), ("pose", 2.0), ("pose", -2.0))
SHOWN = (("smile", 2.0), ("age", 2.0), ("pose", 1.0))
TITLES = ("photo", "hybrid", "layered", *(f"{name} {strength:+g}" for name, strength in SHOWN))
METHODS = ("hybrid", "layered")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds the photos")
    parser.add_argument("--out", type=Path, default=Path("wild"), help="folder for wild.json, records and pictures")
    parser.add_argument("--quality", choices=("draft", "good", "best"), default="good")
    parser.add_argument("--only", nargs="*", help="parts of names; every photo by default")
    parser.add_argument("--no-plain", action="store_true", help="leave the plain loop out, and with it R")
    chosen = parser.parse_args()
    return status_of(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> int:
    chosen.out.mkdir(parents=True, exist_ok=True)
    table = chosen.out / "wild.json"
    rows: list[dict[str, Any]] = json.loads(table.read_text()) if table.is_file() else []
    G, lpips, identity = generator.load("ffhq"), LPIPS.load("alex"), Identity()
    for photo in list_photos(chosen.folder):
        done = any(row["photo"] == photo.stem for row in rows)
        if done or (chosen.only and not any(part in photo.stem for part in chosen.only)):
            continue
        rows.append({"photo": photo.stem, **_one(G, lpips, identity, photo, chosen)})
        table.write_text(json.dumps(rows, indent=1))
        print({name: round(value, 3) if isinstance(value, float) else value for name, value in rows[-1].items()})
    names = [name for name in rows[0] if name != "photo"] if rows else []
    medians = {name: statistics.median(row.get(name, math.nan) for row in rows) for name in names}
    print(f"medians of {len(rows)}", {name: round(value, 3) for name, value in medians.items()})
    return 0


def _one(
    G: Generator, lpips: LPIPS, identity: Identity, photo: Path, chosen: argparse.Namespace
) -> dict[str, float]:
    picture = read_photo(photo)
    crop = cut_out(picture, require_faces(picture)[0], G.resolution, identity=identity)
    image = to_tensor(crop.picture)
    face = torch.from_numpy(region_masks(["face"], [crop.picture]))[None, None]
    row: dict[str, float] = {}
    if not chosen.no_plain:
        ws, _ = plain_result(G, lpips, image, True)
        row["r"] = measure(G, ws, image, lpips=lpips, mask=crop.in_photo)["lpips_alex"][0]
    pictures: list[Image.Image] = [crop.picture]
    for method in METHODS:
        start = time.perf_counter()
        found = find_codes(make_inverter(G, method, quality=chosen.quality), [crop])
        row[f"{method}_seconds"] = time.perf_counter() - start
        found.save(chosen.out / f"{photo.stem}.{method}.inversion.safetensors", overwrite=True)
        drawn = draw(G, found)
        pictures.append(to_picture(drawn)[0])
        row |= {f"{method}_{name}": value for name, value in _measured(G, lpips, found, drawn, crop, face).items()}
        row |= {f"{method}_{name}": value for name, value in _identities(G, identity, found, drawn, crop).items()}
        if "r" in row:
            row[f"{method}_of_r"] = row[f"{method}_lpips"] / row["r"]
    own = tuned_generator(G, found)
    with torch.inference_mode():
        for name, strength in SHOWN:
            ws = apply_edits(found.ws, [(find_direction(name, G), strength)])
            pictures.append(to_picture(own.synthesize(ws))[0])
    contact_sheet([pictures], TITLES, cell=384).save(chosen.out / f"{photo.stem}.png")
    return row


def _measured(
    G: Generator, lpips: LPIPS, found: Inversion, drawn: Tensor, crop: Crop, face: Tensor
) -> dict[str, float]:
    """LPIPS of the whole picture, inside the face and outside, where the crop shows the photo."""
    shown = torch.ones_like(face) if crop.in_photo is None else crop.in_photo
    masks = {"lpips": shown, "inside": shown * face, "outside": shown * (1 - face)}
    image = to_tensor(crop.picture)
    return {
        name: measure(G, found.ws, image, lpips=lpips, drawn=drawn, mask=mask)["lpips_alex"][0]
        for name, mask in masks.items()
    }


def _identities(G: Generator, identity: Identity, found: Inversion, drawn: Tensor, crop: Crop) -> dict[str, float]:
    """Identity distances from the photo: of the inversion, and the mean after ``EDITS``."""
    person = crop.person
    if person is None:
        return {"identity": math.nan, "edited": math.nan}

    def distance(images: Tensor) -> float:
        other = identity(to_picture(images)[0])
        return 1.0 if other is None else identity.distance(person, other)  # 1: no face is left

    own, distances = tuned_generator(G, found), []
    with torch.inference_mode():
        for name, strength in EDITS:
            ws = apply_edits(found.ws, [(find_direction(name, G), strength)])
            distances.append(distance(own.synthesize(ws, size=G.resolution // 2)))
    return {"identity": distance(drawn), "edited": statistics.mean(distances)}


if __name__ == "__main__":
    sys.exit(main())
