"""How near photos come that are no studio portraits, and what ``--method layered`` gains outside the face.

    python -m tests.benchmarks.wild_portraits wild/ --out wild-results/
    python -m tests.benchmarks.wild_portraits wild/ --out wild-results/ --only person-vlado5 --parts hybrid layered

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
smile, age and pose at +2 and -2. Seconds are of the processor on a CPU, and of the clock on a GPU. Each photo
leaves a picture: the photo, the default's inversion, the layered one, and the layered one with a smile, older, and
turned. What is measured is kept in wild.json after each part of each photo, and a further call continues there. The
medians are of the photos that have every part.
"""

import argparse
import json
import math
import statistics
import sys
import time
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.editing.directions.apply import apply_edits
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.regions.regions import region_masks
from stylegan_latents.generator.cli.command import choose_device, status_of
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.ops.memory import keep_freed_memory
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
from tests.benchmarks.projection import PlainLoop

EDITS = (("smile", 2.0), ("smile", -2.0), ("age", 2.0), ("age", -2.0), ("pose", 2.0), ("pose", -2.0))
SHOWN = (("smile", 2.0), ("age", 2.0), ("pose", 1.0))
TITLES = ("photo", "hybrid", "layered", *(f"{name} {strength:+g}" for name, strength in SHOWN))
PARTS = ("plain", "hybrid", "layered")
Row = dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds the photos")
    parser.add_argument("--out", type=Path, default=Path("wild"), help="folder for wild.json, records and pictures")
    parser.add_argument("--quality", choices=("draft", "good", "best"), default="good", help="of hybrid")
    parser.add_argument("--layered-quality", choices=("draft", "good", "best"), default="draft")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", nargs="*", help="parts of names; every photo by default")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS, help="what to measure; all by default")
    chosen = parser.parse_args()
    return status_of(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> int:
    chosen.out.mkdir(parents=True, exist_ok=True)
    table = chosen.out / "wild.json"
    device = choose_device(chosen.device)
    torch.backends.cudnn.allow_tf32 = False  # R and every metric are of real float32, as on a CPU
    G, lpips, identity = generator.load("ffhq").to(device), LPIPS.load("alex").to(device), Identity()
    qualities = {"hybrid": chosen.quality, "layered": chosen.layered_quality}
    for photo in list_photos(chosen.folder):
        row = _rows(table).get(photo.stem, {})
        missing = [part for part in chosen.parts if ("r" if part == "plain" else f"{part}_lpips") not in row]
        if not missing or (chosen.only and not any(part in photo.stem for part in chosen.only)):
            continue
        crop = cut_out(read_photo(photo), require_faces(read_photo(photo))[0], G.resolution, identity=identity)
        for part in missing:
            if part == "plain":
                row["r"] = _plain(G, lpips, crop)
            else:
                row |= _one(G, lpips, identity, part, qualities[part], crop, chosen.out / photo.stem)
            # Another process may have measured other photos meanwhile.
            table.write_text(json.dumps(_rows(table) | {photo.stem: row}, indent=1))
            print(photo.stem, part, {name: round(value, 3) for name, value in row.items()}, flush=True)
        records = {method: chosen.out / f"{photo.stem}.{method}.inversion.safetensors" for method in PARTS[1:]}
        if all(record.is_file() for record in records.values()):
            found = [Inversion.load(record) for record in records.values()]
            _sheet(G, crop, found).save(chosen.out / f"{photo.stem}.png")
    rows = _rows(table)
    for row in rows.values():
        row |= {
            f"{part}_of_r": row[f"{part}_lpips"] / row["r"]
            for part in PARTS[1:]
            if {"r", f"{part}_lpips"} <= {*row}
        }
    whole = [row for row in rows.values() if all(f"{part}_of_r" in row for part in PARTS[1:])]
    medians = {name: round(statistics.median(row[name] for row in whole), 3) for name in (whole or [{}])[0]}
    print(f"medians of {len(whole)}", medians)
    return 0


def _rows(table: Path) -> dict[str, Row]:
    """What was measured so far, by photo."""
    rows: dict[str, Row] = json.loads(table.read_text()) if table.is_file() else {}
    return rows


def _plain(G: Generator, lpips: LPIPS, crop: Crop) -> float:
    """R: LPIPS of the plain loop, which goes by the fast operations in float32."""
    image = to_tensor(crop.picture)
    with keep_freed_memory():
        ws = PlainLoop(G, lpips, image, plain_operations=False).search()
    return measure(G, ws, image, lpips=lpips, mask=crop.in_photo, compared_at=crop.compared_at)["lpips_alex"][0]


def _one(
    G: Generator, lpips: LPIPS, identity: Identity, method: str, quality: str, crop: Crop, stem: Path
) -> Row:  # fmt: skip
    """Invert with a method, keep the record, and measure it."""
    clock = time.process_time if G.device.type == "cpu" else time.perf_counter
    start = clock()
    found = find_codes(make_inverter(G, method, quality=quality), [crop])
    seconds = clock() - start
    found.save(f"{stem}.{method}.inversion.safetensors", overwrite=True)
    drawn = draw(G, found)
    face = torch.from_numpy(region_masks(["face"], [crop.picture]))[None, None]
    values = _measured(G, lpips, found, drawn, crop, face) | _identities(G, identity, found, drawn, crop)
    return {f"{method}_{name}": value for name, value in {"seconds": seconds, **values}.items()}


def _sheet(G: Generator, crop: Crop, found: list[Inversion]) -> Image.Image:
    """The photo, its inversions, and edits of the last of them."""
    pictures = [crop.picture, *(to_picture(draw(G, one))[0] for one in found)]
    own = tuned_generator(G, found[-1])
    with torch.inference_mode():
        for name, strength in SHOWN:
            ws = apply_edits(found[-1].for_generator(G), [(find_direction(name, G), strength)])
            pictures.append(to_picture(own.synthesize(ws))[0])
    return contact_sheet([pictures], TITLES, cell=384)


def _measured(G: Generator, lpips: LPIPS, found: Inversion, drawn: Tensor, crop: Crop, face: Tensor) -> Row:
    """LPIPS of the whole picture, inside the face and outside, where the crop shows the photo."""
    shown = torch.ones_like(face) if crop.in_photo is None else crop.in_photo
    masks = {"lpips": shown, "inside": shown * face, "outside": shown * (1 - face)}
    image = to_tensor(crop.picture)
    return {
        name: measure(G, found.ws, image, lpips=lpips, drawn=drawn, mask=mask, compared_at=crop.compared_at)[
            "lpips_alex"
        ][0]
        for name, mask in masks.items()
    }


def _identities(G: Generator, identity: Identity, found: Inversion, drawn: Tensor, crop: Crop) -> Row:
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
            ws = apply_edits(found.for_generator(G), [(find_direction(name, G), strength)])
            distances.append(distance(own.synthesize(ws, size=G.resolution // 2)))
    return {"identity": distance(drawn), "edited": statistics.mean(distances)}


if __name__ == "__main__":
    sys.exit(main())
