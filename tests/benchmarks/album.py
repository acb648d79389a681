"""One model of one person from five photos: how near it brings a photo that it has not seen.

    python -m tests.benchmarks.album ../shared/photos --out album/ --people 081 125

The folder holds ``NAME_neutral.*`` and ``NAME_smiling.*`` of each person. The album is the real neutral photo
and four pictures made from it: two turned heads, a half smile and an older face, drawn with weights tuned to the
neutral photo. The smiling photo, which is real, is held out. It is inverted with the default method and with the
person's model; once whole, and once with its left half hidden, where the fill is compared with the photo. Identity
is dlib's distance, LPIPS is AlexNet's at 256 pixels.
"""

import argparse
import dataclasses
import sys
import time
from pathlib import Path

import torch
from PIL import Image, ImageEnhance

from stylegan_latents import generator
from stylegan_latents.editing.directions.apply import apply_edits
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import LPIPS, area_resize
from stylegan_latents.invert.album.build import tune_person
from stylegan_latents.invert.faces.find import require_faces
from stylegan_latents.invert.faces.identity import Identity
from stylegan_latents.invert.invert_face import Crop, cut_out, find_codes
from stylegan_latents.invert.inverters.base import Inverter
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.inverters.person import PersonInverter
from stylegan_latents.invert.inverters.tuning import TuningSettings
from stylegan_latents.invert.photos.contact_sheet import contact_sheet
from stylegan_latents.invert.photos.files import list_photos, read_photo, to_picture, to_tensor
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.metrics import draw
from stylegan_latents.invert.record.person import Person
from stylegan_latents.invert.record.source import Source
from stylegan_latents.invert.record.tuned_weights import tuned_generator

MADE = {"left": ("pose", -1.5), "right": ("pose", 1.5), "half-smile": ("smile", 0.7), "older": ("age", 0.7)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds NAME_neutral.* and NAME_smiling.*")
    parser.add_argument("--out", type=Path, default=Path("album"), help="folder for pictures and models")
    parser.add_argument("--people", nargs="*", help="parts of names; everyone by default")
    chosen = parser.parse_args()
    return status_of(lambda: _run(chosen.folder, chosen.out, chosen.people))


def _run(folder: Path, out: Path, people: list[str] | None) -> int:
    out.mkdir(parents=True, exist_ok=True)
    G, identity = generator.load("ffhq"), Identity()
    photos = {photo.stem: photo for photo in list_photos(folder)}
    rows: list[dict[str, float]] = []
    for stem, neutral in photos.items():
        smiling = photos.get(stem.replace("neutral", "smiling"))
        if not stem.endswith("_neutral") or smiling is None or not (not people or any(p in stem for p in people)):
            continue
        rows.append(_one(G, identity, neutral, smiling, out / stem.removesuffix("_neutral")))
        print(stem, {name: round(value, 3) for name, value in rows[-1].items()}, flush=True)
    print("mean", {name: round(sum(row[name] for row in rows) / len(rows), 3) for name in rows[0]})
    return 0


def _crop(photo: Path, G: Generator, identity: Identity) -> Crop:
    picture = read_photo(photo)
    return cut_out(picture, require_faces(picture)[0], G.resolution, source=Source.of(photo), identity=identity)


def _album(G: Generator, crop: Crop, out: Path) -> list[Path]:
    """The files of the album, which are made once."""
    files = [out / f"{name}.png" for name in ("neutral", *MADE)]
    if all(file.exists() for file in files):
        return files
    out.mkdir(parents=True, exist_ok=True)
    found = find_codes(make_inverter(G, "pivotal"), [crop])
    tuned, ws = tuned_generator(G, found), found.for_generator(G)
    crop.picture.save(files[0])
    for file, (name, strength) in zip(files[1:], MADE.values(), strict=True):
        with torch.no_grad():
            moved = apply_edits(ws, [(find_direction(name, G), strength)])
            picture = to_picture(tuned.synthesize(moved))[0]
        ImageEnhance.Brightness(picture).enhance(1.05).save(file)
    return files


def _one(G: Generator, identity: Identity, neutral: Path, smiling: Path, out: Path) -> dict[str, float]:
    album = [_crop(file, G, identity) for file in _album(G, _crop(neutral, G, identity), out)]
    held_out = _crop(smiling, G, identity)
    file = out / "one.person.safetensors"
    begun = time.perf_counter()
    if not file.exists():
        anchors = [_anchor(make_inverter(G), crop) for crop in album]
        person = Person.of("one", anchors, [crop.person for crop in album])
        print(f"  anchors: {time.perf_counter() - begun:.0f} s", flush=True)
        settings = TuningSettings(steps=30 * len(album))
        person = tune_person(G, person, album, settings, lambda *_: None)
        person.save(file)
        print(f"  anchors and tuning: {time.perf_counter() - begun:.0f} s", flush=True)
        print("  lpips of the album", [round(x, 3) for x in person.record.metrics["lpips_alex"]])
    person = Person.load(file)
    half = torch.ones(1, 1, G.resolution, G.resolution)
    half[..., : G.resolution // 2] = 0
    hidden = dataclasses.replace(held_out, masks={"mask": half})
    values: dict[str, float] = {}
    pictures: dict[str, Image.Image] = {"photo": held_out.picture}
    inverters: dict[str, Inverter] = {
        "plain": make_inverter(G),
        "span": PersonInverter(G, person, beyond=0),
        "person": PersonInverter(G, person),
    }
    for name, inverter in inverters.items():
        for kind, crop in (("", held_out), (" half", hidden)):
            begun = time.perf_counter()
            picture = to_picture(draw(G, find_codes(inverter, [crop])))[0]
            pictures[name + kind] = picture
            measured = _measures(identity, held_out, picture, bool(kind)) | {"s": time.perf_counter() - begun}
            print(f"  {name}{kind}", {key: round(value, 3) for key, value in measured.items()}, flush=True)
            values |= {f"{name}{kind} {key}": value for key, value in measured.items()}
    contact_sheet([list(pictures.values())], list(pictures), cell=384).save(out / "sheet.png")
    return values


def _anchor(inverter: Inverter, crop: Crop) -> Inversion:
    found = find_codes(inverter, [crop])
    assert crop.source is not None
    return dataclasses.replace(found, sources=[crop.source], alignments=[crop.alignment])


def _measures(identity: Identity, held_out: Crop, picture: Image.Image, hidden: bool) -> dict[str, float]:
    """Identity and LPIPS of a picture; where half was hidden, LPIPS and the squared error of that half alone."""
    other = identity(picture)
    assert held_out.person is not None
    values = {"identity": float("nan") if other is None else identity.distance(held_out.person, other)}
    ours, theirs = (area_resize(to_tensor(one), 256) for one in (picture, held_out.picture))
    if hidden:
        ours, theirs = (one[..., :128] for one in (ours, theirs))
        values["mse"] = float((ours - theirs).square().mean())
    return values | {"lpips": float(LPIPS.load("alex")(ours, theirs))}


if __name__ == "__main__":
    sys.exit(main())
