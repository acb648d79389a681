"""Neutral to smiling on real pairs of photos, with one strength for all people.

    python -m tests.benchmarks.smile_pairs ../shared/photos [--paste-back] [--strength 0.4] [--records FOLDER]

The folder holds ``NAME_neutral.*`` and ``NAME_smiling.*`` of each person. Every neutral photo is aligned and
inverted with the default inverter, then edited with ``smile``. A pair passes when the edited picture's smile
score is nearer to the smiling photo's than the unedited picture's is, and dlib's identity distance between
the edited picture and the neutral photo is below 0.5. Exit status 1 when a pair fails.

The pictures are the generator's: the inversion, and its edit. With --paste-back they are photos: the neutral one,
and what `edit --paste-back` makes of it.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

from stylegan_latents import generator
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.discovery.scorers.faces import FaceScorer
from stylegan_latents.generator.cli.command import status_of
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.align import align_face
from stylegan_latents.invert.faces.find import require_faces
from stylegan_latents.invert.faces.identity import Identity
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.paste_back.paste import paste_back
from stylegan_latents.invert.photos.crop import crop_of
from stylegan_latents.invert.photos.files import list_photos, read_photo, to_picture, to_tensor
from stylegan_latents.invert.record.inversion import Inversion

_SMILE = FaceScorer.names.index("smile")
_NEAR = 0.5
_SCAN = (0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0)
# Landmarks are read at this side: with twice the pixels of the search their jitter is about half.
_SIZE = 512


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds NAME_neutral.* and NAME_smiling.*")
    parser.add_argument("--strength", type=float, help="for everyone (default: the best of a scan)")
    parser.add_argument("--paste-back", action="store_true", help="judge the photo that the edit is put back into")
    parser.add_argument("--records", type=Path, help="keep the inversions here and use those that are there")
    chosen = parser.parse_args()
    return status_of(lambda: _run(chosen.folder, chosen.strength, chosen.records, chosen.paste_back))


def _run(folder: Path, strength: float | None, records: Path | None, pasted: bool) -> int:
    pairs = _pairs(folder)
    G = generator.load("ffhq")
    smile, scorer, identity = find_direction("smile", G), FaceScorer(), Identity()
    neutral, smiling = (torch.cat([_aligned(pair[i], G.resolution) for pair in pairs]) for i in (0, 1))
    ws = torch.cat([_invert(G, image[None], pair[0], records) for image, pair in zip(neutral, pairs, strict=True)])

    def score(images: torch.Tensor) -> np.ndarray:
        return scorer.score(torch.nn.functional.interpolate(images, size=(_SIZE, _SIZE), mode="area"))[:, _SMILE]

    def edited(strength: float) -> torch.Tensor:
        moved = smile.apply(ws, strength)
        with torch.no_grad():
            if pasted:
                return torch.cat(
                    [_pasted(G, pair[0], *codes) for pair, *codes in zip(pairs, ws, moved, strict=True)]
                )
            return torch.cat([G.synthesize(one[None], size=_SIZE) for one in moved])

    target, unedited = score(smiling), score(edited(0.0))
    before = np.abs(unedited - target)
    strengths = _SCAN if strength is None else (strength,)
    scores = {value: score(edited(value)) for value in strengths}
    for value, found in scores.items():
        count = (np.abs(found - target) < before).sum()
        print(f"strength {value:4.2f}: nearer in {count} of {len(pairs)} pairs")

    def merit(value: float) -> tuple[int, float]:
        gain = before - np.abs(scores[value] - target)
        return int((gain > 0).sum()), float(gain.mean())

    best = max(strengths, key=merit)
    after = scores[best]
    photos = score(neutral)
    people = identity.embed_aligned(neutral)
    faces = identity.embed_aligned(edited(best))
    print(f"\nstrength {best:.2f} for everyone; smile scores, and identity distance of edited and neutral photo")
    print(f"{'pair':<24} neutral smiling  inverted  edited  nearer  identity")
    failed = 0
    for index, (path, _) in enumerate(pairs):
        one, two = people[index], faces[index]
        distance = float("nan") if one is None or two is None else identity.distance(one, two)
        nearer = bool(abs(after[index] - target[index]) < before[index])
        failed += not (nearer and distance < _NEAR)
        print(
            f"{path.stem:<24} {photos[index]:7.3f} {target[index]:7.3f} {unedited[index]:9.3f} "
            f"{after[index]:7.3f}  {'yes' if nearer else 'NO':<6}  {distance:.3f}"
        )
    print(f"{len(pairs) - failed} of {len(pairs)} pairs pass")
    return int(failed > 0)


def _pasted(G: generator.Generator, path: Path, code: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """The crop of a photo after its edit was put back into it."""
    photo = read_photo(path)
    _, alignment = align_face(photo, require_faces(photo, name=path.name)[0], size=G.resolution)
    before, after = (to_picture(G.synthesize(one[None]))[0] for one in (code, moved))
    return to_tensor(crop_of(paste_back(photo, after, alignment, reference=before), alignment, _SIZE))


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    photos = {photo.stem: photo for photo in list_photos(folder)}
    pairs = [
        (photo, photos[stem.replace("_neutral", "_smiling")])
        for stem, photo in sorted(photos.items())
        if stem.endswith("_neutral") and stem.replace("_neutral", "_smiling") in photos
    ]
    if not pairs:
        raise InputError(f"{folder} holds no pair of photos named NAME_neutral and NAME_smiling.")
    return pairs


def _aligned(path: Path, size: int) -> torch.Tensor:
    photo = read_photo(path)
    return to_tensor(align_face(photo, require_faces(photo, name=path.name)[0], size=size)[0])


def _invert(G: generator.Generator, image: torch.Tensor, photo: Path, records: Path | None) -> torch.Tensor:
    """The code of one photo, ``[1, num_ws, w_dim]``, from a record of an earlier run where there is one."""
    path = None if records is None else records / f"{photo.stem}.inversion.safetensors"
    if path is not None and path.is_file():
        return Inversion.load(path).ws
    start = time.perf_counter()
    record = make_inverter(G).invert(image)
    print(f"inverted {photo.name} in {time.perf_counter() - start:.1f} s", flush=True)
    if path is not None:
        record.save(path)
    return record.ws


if __name__ == "__main__":
    sys.exit(main())
