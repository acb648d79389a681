"""The examples of the tab Edit: a photo, and faces of seeds."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.shared import Example
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.files import atomic_path

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

SEEDS = (2, 9, 12, 18, 28, 33, 35)
_SIDE = 256
# NASA's portrait of Eileen Collins, in the public domain.
_PHOTO = Path(__file__).resolve().parents[2] / "examples" / "astronaut.jpg"


def examples(studio: Studio) -> list[Example]:
    """The examples, the same for every visitor; drawn once, without downloads."""
    from stylegan_latents.editing.samples.sampling import Sampling

    if studio.examples:
        return studio.examples
    folder = studio.examples_folder
    folder.mkdir(parents=True, exist_ok=True)
    G = studio.preview_G
    sampling = Sampling(size=min(_SIDE, G.resolution))
    copy = folder / _PHOTO.name
    shutil.copyfile(_PHOTO, copy)
    studio.examples.append(Example("Photo", copy, photo=copy))
    if not G.label_dim:
        kept = _kept_folder(G)
        waiting = [seed for seed in SEEDS if kept is None or not (kept / _name(seed)).is_file()]
        with studio.computing.turn():
            for seed, _, picture in sampling.pictures(G, waiting):
                with atomic_path((kept or folder) / _name(seed)) as temporary:
                    picture.save(temporary, quality=88)
        for seed in SEEDS:
            if kept is not None:
                shutil.copyfile(kept / _name(seed), folder / _name(seed))
            studio.examples.append(Example(f"Seed {seed}", folder / _name(seed), seed=seed))
    return studio.examples


def seed_face(visit: Visit, seed: int, truncation: float = 0.7, label: int | None = None) -> Face:
    """Add the face of a seed, of the class ``label`` if the model has classes, to the visit, if it is new."""
    from stylegan_latents.editing.samples.sampling import Sampling

    name = f"seed{seed}" if truncation == 0.7 else f"seed{seed}-t{truncation:g}"
    name += "" if label is None else f"-c{label}"
    if name in visit.faces:
        return visit.faces[name]
    sampling, G = Sampling(truncation=truncation, label=label), visit.studio.G
    sampling.check(G)
    inversion = sampling.record(G, seed, sampling.codes(G, [seed]))
    words = ["edit", "sample", "--seeds", str(seed), "--truncation", f"{truncation:g}", "--records"]
    words += [] if label is None else ["--class", str(label)]
    # The command names its files after the class, too.
    writes = f"seed{seed:04d}" + ("" if label is None else f"@{label}")
    return visit.add(inversion, name, made_by=visit.studio.command_line(words), writes=writes)


def _kept_folder(G: "Generator") -> Path | None:
    """The cache of pictures of a named model; None for a user's own file."""
    from stylegan_latents.generator.weights.fetch import cache_folder
    from stylegan_latents.generator.weights.zoo import models

    return cache_folder() / f"demo-seeds-{G.fingerprint[:16]}" if G.name in models() else None


def _name(seed: int) -> str:
    return f"seed-{seed}.jpg"
