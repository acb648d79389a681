"""The photos that a command names, and the names of the files made from each."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.files import list_photos
from stylegan_latents.invert.record.files import PICTURE_SUFFIX, RECORD_SUFFIX, record_stem, result_stem

if TYPE_CHECKING:
    from stylegan_latents.invert.invert_face import Crop


@dataclass(frozen=True)
class Outputs:
    """The files made from one face: its record, picture, ``--npz`` and ``--preview``."""

    record: Path
    picture: Path
    npz: Path | None = None
    preview: Path | None = None

    @property
    def stem(self) -> str:
        """The beginning of these files' names."""
        return record_stem(self.record)

    def check_free(self) -> None:
        """Raise InputError if the record, the picture or the ``.npz`` exists."""
        check_free(self.record, self.picture, self.npz)


def check_free(*paths: Path | None) -> None:
    """Raise InputError if one of these files exists."""
    for path in paths:
        if path is not None and path.exists():
            raise InputError(
                f"{path} exists already; add --overwrite to replace it, or choose a folder with --out."
            )


@dataclass(frozen=True)
class Job:
    """A photo, the stem of its results' names, and its label in messages: its name, or its path to be distinct."""

    photo: Path
    stem: str
    label: str

    def outputs(self, folder: Path, *, face: int | None = None, npz: bool = False) -> Outputs:
        """The files of one face in a folder; ``face`` is its number where the names contain it."""
        stem = self.stem if face is None else f"{self.stem}.face{face}"
        record, picture = folder / f"{stem}{RECORD_SUFFIX}", folder / f"{stem}{PICTURE_SUFFIX}"
        return Outputs(record, picture, folder / f"{stem}.npz" if npz else None)


@dataclass(frozen=True, eq=False)
class Target:
    """One face of a photo, or its centre, ready for the search.

    Attributes:
        photo: the file.
        label: its name in messages and reports.
        outputs: the files to write.
        crop: what is inverted.
        note: for the user, on how the face was chosen; empty for none.
    """

    photo: Path
    label: str
    outputs: Outputs
    crop: "Crop"
    note: str = ""


def gather(paths: Sequence[Path]) -> list[Job]:
    """The photos among files and folders, each once, with result names that don't collide.

    A folder's photos are all but the pictures that these programs made: ``me.pose+2.png`` beside
    ``me.inversion.safetensors``.

    Raises:
        InputError: a folder is missing, may not be read, or holds no photo.
    """
    photos: dict[Path, None] = {}
    for path in paths:
        # Path.is_dir raises for a path in a folder without permission; that error comes when the photo is read.
        for photo in _originals(path) if os.path.isdir(path) else [path]:  # noqa: PTH112
            photos.setdefault(photo)
    names = Counter(photo.name for photo in photos)
    return [
        Job(photo, stem, photo.name if names[photo.name] == 1 else photo.as_posix())
        for photo, stem in zip(photos, distinct_stems(photos), strict=True)
    ]


def _originals(folder: Path) -> list[Path]:
    photos = list_photos(folder)
    stems = [record_stem(record) for record in folder.glob(f"*{RECORD_SUFFIX}")]
    # Results are PNG by default; IMG_1.crop.jpg beside IMG_1's record is a photo.
    pictures = [photo for photo in photos if photo.suffix.lower() == ".png"]
    made = {picture for picture in pictures for stem in stems if picture.stem.startswith(f"{stem}.")}
    originals = [photo for photo in photos if photo not in made]
    if not originals:
        raise InputError(f"The folder {folder} holds only results of earlier runs, and no photo; name another.")
    return originals


def distinct_stems(photos: Iterable[Path], others: Iterable[str] = ()) -> list[str]:
    """The stem of each photo or film, shortened; its whole name where stems are equal, then numbered.

    ``others`` are stems that are already in use.
    """
    photos, taken = list(photos), {other.casefold() for other in others}
    stems = Counter([*taken, *(photo.stem.casefold() for photo in photos)])
    names = [photo.stem if stems[photo.stem.casefold()] == 1 else photo.name for photo in photos]
    distinct = []
    for name in map(result_stem, names):
        candidate, number = name, 2
        while candidate.casefold() in taken:
            candidate, number = f"{name}-{number}", number + 1
        taken.add(candidate.casefold())
        distinct.append(candidate)
    return distinct
