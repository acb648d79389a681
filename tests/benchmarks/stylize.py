"""What styles change and what they keep, on photos of eleven people; sheets to look at.

    python -m tests.benchmarks.stylize PHOTOS OUT                     # the shipped styles
    python -m tests.benchmarks.stylize PHOTOS OUT --like drawing.png  # also tunes one, and says how long it took

PHOTOS holds photos of several people; those named ``*_neutral`` are drawn in each style. For each style and
strength: the VGG Gram distance to the style picture as a fraction of the unstyled face's; for how many the person's
own photo is the nearest by dlib's distance; how far the landmarks move, in distances between the eyes.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylegan_latents.editing.styles.losses import gram_distance, gram_matrices
from stylegan_latents.editing.styles.pictures import read_pictures, realistic_codes
from stylegan_latents.editing.styles.stylize import StylizeSettings, keeping_person, stylize
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.loading import load
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import LPIPS, area_resize
from stylegan_latents.generator.precision import DTYPES, in_precision, resolve_precision
from stylegan_latents.generator.styles.style import Style, find_style, shipped_styles
from stylegan_latents.invert.faces.find import landmarks_of_crop, require_faces
from stylegan_latents.invert.faces.identity import Embedding, Identity
from stylegan_latents.invert.invert_face import cut_out, find_codes
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.photos.contact_sheet import contact_sheet
from stylegan_latents.invert.photos.files import read_photo, to_picture, to_tensor
from stylegan_latents.invert.record.files import RECORD_SUFFIX
from stylegan_latents.invert.record.inversion import Inversion


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--style", nargs="*", default=list(shipped_styles()), help="names or files")
    parser.add_argument("--pictures", type=Path, help="folder of the styles' pictures, NAME.png")
    parser.add_argument("--like", type=Path, help="a picture to make a style from, and to time")
    parser.add_argument("--keep-shape", action="store_true")
    parser.add_argument("--keep-colour", action="store_true")
    parser.add_argument("--quality", default="good", help="of the photos' inversions, as for `invert`")
    parser.add_argument("--records", type=Path, help="folder of the photos' records, in place of new inversions")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.6, 1.0])
    parser.add_argument("--no-keep-person", action="store_true")
    parser.add_argument("--steps", type=int, default=StylizeSettings.steps)
    given = parser.parse_args()
    return status_of(lambda: _run(given))


def _grams(vgg: LPIPS, picture: Image.Image) -> list[Tensor]:
    return gram_matrices(vgg.activations(area_resize(to_tensor(picture), 256)))


def _right(identity: Identity, pictures: list[Image.Image], people: list[Embedding | None]) -> int:
    """How many pictures are nearest to the photo of their own person."""
    right = 0
    for number, found in enumerate(map(identity, pictures)):
        if found is not None:
            distances = [np.inf if one is None else identity.distance(found, one) for one in people]
            right += int(np.argmin(distances)) == number
    return right


def _run(given: argparse.Namespace) -> None:
    given.out.mkdir(parents=True, exist_ok=True)
    G = load()
    styles: list[tuple[Style, Image.Image | None]] = []
    for name in given.style:
        picture = None if given.pictures is None else given.pictures / f"{Path(name).name.split('.')[0]}.png"
        styles.append((find_style(name), None if picture is None else Image.open(picture).convert("RGB")))
    if given.like is not None:
        begun = time.perf_counter()
        read = read_pictures([given.like], G.resolution)
        settings = StylizeSettings(steps=given.steps, keep_shape=given.keep_shape, keep_colour=given.keep_colour)
        settings = settings if given.no_keep_person else keeping_person(settings, G)
        made = stylize(G, read.images, realistic_codes(G, read.images), settings, name=given.like.stem)
        print(f"{given.like.stem}: tuned in {time.perf_counter() - begun:.0f} s")
        made.save(given.out / f"{made.name}.style.safetensors", overwrite=True)
        styles.append((made, read.crops[0]))
    vgg, identity = LPIPS.load("vgg"), Identity()
    files = sorted(given.photos.glob("*_neutral.jpg"))
    crops = [cut_out(photo, require_faces(photo)[0], G.resolution) for photo in map(read_photo, files)]
    people = [identity(crop.picture) for crop in crops]
    if given.records is not None:
        found = [Inversion.load(given.records / f"{file.stem}{RECORD_SUFFIX}") for file in files]
    else:
        inverter = make_inverter(G, quality=given.quality)
        found = [find_codes(inverter, [crop]) for crop in crops]
    codes = torch.cat([one.for_generator(G) for one in found])
    with torch.inference_mode(), keep_freed_memory():
        dtype = DTYPES[resolve_precision("auto", G.device)]
        drawer = in_precision(G, dtype)
        plain = [to_picture(drawer.synthesize(code[None]))[0] for code in codes]
        print(f"without a style: right person {_right(identity, plain, people)} of {len(people)}", flush=True)
        for style, picture in styles:
            sheet = [plain]
            for strength in given.strengths:
                styled = in_precision(style.apply(G, strength), dtype)
                drawn = [to_picture(styled.synthesize(code[None]))[0] for code in codes]
                sheet.append(drawn)
                right, moved = _right(identity, drawn, people), []
                for before, after in zip(plain, drawn, strict=True):
                    one, two = landmarks_of_crop(before), landmarks_of_crop(after)
                    if one is not None and two is not None:
                        eyes = float(np.linalg.norm(one.left_eye.mean(axis=0) - one.right_eye.mean(axis=0)))
                        moved.append(float(np.linalg.norm(one.points - two.points, axis=1).mean()) / eyes)
                line = f"{style.name} {strength:g}: right person {right} of {len(people)}"
                line += (
                    f", landmarks moved {100 * float(np.mean(moved or [np.nan])):.1f} % ({len(moved)} faces found)"
                )
                if picture is not None:
                    wanted = _grams(vgg, picture)
                    before, after = (
                        sum(float(gram_distance(_grams(vgg, one), wanted)) for one in some)
                        for some in (plain, drawn)
                    )
                    line += f", Gram distance {after / before:.2f} of the unstyled"
                print(line, flush=True)
            titles = [file.stem.removesuffix("_neutral") for file in files]
            rows = ["", *(f"{strength:g}" for strength in given.strengths)]
            contact_sheet(sheet, titles, rows, cell=256).save(given.out / f"{style.name}.png")


if __name__ == "__main__":
    sys.exit(main())
