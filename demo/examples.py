"""What is one click away without a photo of one's own: faces of seeds, and a photo that other packages hold."""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.studio import Studio

SEEDS = (2, 5, 11, 26, 32, 44, 65)
_SIDE = 256


@dataclass(frozen=True)
class Example:
    """One example.

    Attributes:
        title: what it is called.
        picture: a small picture's file.
        seed: of a face that nobody has; None for a photo.
        photo: the photo's file; None for a seed.
    """

    title: str
    picture: Path
    seed: int | None = None
    photo: Path | None = None


def examples(studio: "Studio") -> list[Example]:
    """The examples, the same for every visitor; drawn once. Nothing is fetched."""
    from editing.sampling import Sampling

    if studio.examples:
        return studio.examples
    folder = studio.examples_folder
    folder.mkdir(parents=True, exist_ok=True)
    G = studio.preview_G
    sampling = Sampling(size=min(_SIDE, G.resolution))
    photo = _astronaut()
    if photo is not None:
        copy = folder / "astronaut.png"
        shutil.copyfile(photo, copy)
        studio.examples.append(Example("Photo", copy, photo=copy))
    if not G.label_dim:
        with studio.turns:
            for seed, _, picture in sampling.pictures(G, SEEDS):
                path = folder / f"seed-{seed}.jpg"
                picture.save(path, quality=88)
                studio.examples.append(Example(f"Seed {seed}", path, seed=seed))
    return studio.examples


def _astronaut() -> Path | None:
    """NASA's portrait of Eileen Collins, public domain, where scikit-image is installed, which brings it."""
    found = importlib.util.find_spec("skimage")
    if found is None or found.origin is None:
        return None
    picture = Path(found.origin).parent / "data" / "astronaut.png"
    return picture if picture.is_file() else None
