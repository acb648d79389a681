"""How far the direction ``light`` moves the light on faces, and whether they stay the same persons.

    python -m tests.benchmarks.light                          # 16 codes that no step of finding it used
    python -m tests.benchmarks.light *.inversion.safetensors --sheet light.png

For each strength the medians over the faces of two numbers: by how much more luminance the right half of the face
has than the left one, as a share of the mean of both, less that of the unedited face; and the identity distance
from it. The halves are bounded by the face's outline and the middle of nose, mouth and chin; luminance is linear.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from stylegan_latents import generator
from stylegan_latents.editing.commands.evaluate import FIRST_SEED
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.discovery.scorers.scorer import Array
from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.invert.faces.detector import Face
from stylegan_latents.invert.faces.dlib_landmarks import aligned_box, read_landmarks
from stylegan_latents.invert.faces.identity import Identity
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.contact_sheet import contact_sheet
from stylegan_latents.invert.photos.files import to_picture

_SIDE = 512
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", nargs="*", help="edit these, in place of samples")
    parser.add_argument("--direction", default="light", help="a name or a file (default: light)")
    parser.add_argument("--codes", type=int, default=16, help="samples to edit (default: 16)")
    parser.add_argument("--strengths", nargs="+", type=float, default=[-2, -1, 1, 2])
    parser.add_argument("--sheet", type=Path, help="a picture of all edits")
    chosen = parser.parse_args()
    return status_of(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    identity, rows, found = Identity(), [], []
    strengths = sorted({0.0, *chosen.strengths})
    for draw in _faces(chosen):
        pictures = [draw(strength) for strength in strengths]
        box = aligned_box(_SIDE)
        faces = [Face(box, read_landmarks(picture, box), 1.0) for picture in pictures]
        known = [identity.embed_face(*pair) for pair in zip(pictures, faces, strict=True)]
        sides = [_right_of_left(*pair) for pair in zip(pictures, (face.landmarks for face in faces), strict=True)]
        plain = strengths.index(0.0)
        distances = [identity.distance(known[plain], one) for one in known]
        found.append([*zip([side - sides[plain] for side in sides], distances, strict=True)])
        rows.append(pictures)
    values = np.array(found)
    for index, strength in enumerate(strengths):
        difference, distance = np.median(values[:, index], axis=0)
        print(f"{strength:+g}: luminance right of left {difference:+.2f}, identity distance {distance:.2f}")
    ends = values[:, -1, 0] - values[:, 0, 0]
    print(f"from {strengths[0]:+g} to {strengths[-1]:+g}: at least {ends.min():.2f}, median {np.median(ends):.2f}")
    print(f"largest identity distance: {values[..., 1].max():.2f}; {len(values)} faces")
    if chosen.sheet is not None:
        contact_sheet(rows, [f"{strength:+g}" for strength in strengths], cell=256).save(chosen.sheet)


def _faces(chosen: argparse.Namespace) -> Iterator[Callable[[float], Image.Image]]:
    """For each face, what draws it at a strength."""
    for name in chosen.records:
        opened = OpenRecord.of(name)
        direction = find_direction(chosen.direction, opened.generator)
        yield (
            lambda strength, one=direction, opened=opened: (
                opened.edited([(one, strength)] if strength else [], size=_SIDE).picture
            )
        )
    if chosen.records:
        return
    G = generator.load("ffhq")
    direction = find_direction(chosen.direction, G)
    for seed in range(FIRST_SEED, FIRST_SEED + chosen.codes):
        ws = G.sample([seed], truncation=0.7)
        yield lambda strength, ws=ws: to_picture(G.synthesize(direction.apply(ws, strength), size=_SIDE))[0]


def _right_of_left(picture: Image.Image, landmarks: Landmarks) -> float:
    """The difference of the halves' mean luminance over the mean of both."""
    middle = np.concatenate([landmarks.nose_bridge, landmarks.nose_base[2:3], landmarks.outer_lips[[3, 9]]])
    outline = landmarks.outline
    luminance = (np.asarray(picture) / 255.0) ** 2.2 @ _LUMINANCE
    right, left = (
        _mean_within(luminance, np.concatenate([half, middle])) for half in (outline[8:], outline[8::-1])
    )
    return 2 * (right - left) / (right + left)


def _mean_within(luminance: Array, corners: Array) -> float:
    """The mean within a polygon."""
    mask = Image.new("1", luminance.shape[::-1])
    ImageDraw.Draw(mask).polygon([(x, y) for x, y in corners.tolist()], fill=1)
    return float(luminance[np.asarray(mask)].mean())


if __name__ == "__main__":
    sys.exit(main())
