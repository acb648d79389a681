"""Which photos a command names, which faces of them are inverted, and what the files made from each are called."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import shortened
from stylegan_latents.invert.photos.files import list_photos
from stylegan_latents.invert.record.files import PICTURE_SUFFIX, RECORD_SUFFIX, record_stem

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.invert.faces.align import Face
    from stylegan_latents.invert.invert_face import Crop

_LONGEST_STEM = 180  # in bytes; the rest of the 255 that a name may have is for what edits add


@dataclass(frozen=True)
class Outputs:
    """The files made from one face of one photo.

    Attributes:
        record: the inversion.
        picture: what the generator makes of it.
        npz: the code for other tools, when wanted.
        preview: a film of the search, when wanted.
    """

    record: Path
    picture: Path
    npz: Path | None = None
    preview: Path | None = None

    @property
    def stem(self) -> str:
        """What the names of all these files begin with."""
        return record_stem(self.record)

    def check_free(self) -> None:
        """Refuse, before the work, when a file would have to be replaced after it.

        Raises:
            InputError: one of the files exists; it is named.
        """
        for path in (self.record, self.picture, self.npz):
            if path is not None and path.exists():
                raise InputError(
                    f"{path} exists already; add --overwrite to replace it, or choose a folder with --out."
                )


@dataclass(frozen=True)
class Job:
    """A photo, and the stem that its results' names begin with.

    Attributes:
        label: what the photo is called where it is told of: its name, or where others have that name, its path.
    """

    photo: Path
    stem: str
    label: str

    def outputs(
        self, folder: Path, *, face: int | None = None, npz: bool = False, preview: Path | None = None
    ) -> Outputs:
        """The files of one face.

        Args:
            folder: where they go.
            face: a face's number from the left, when several of the photo are inverted.
            npz: whether the code is wanted as .npz too.
            preview: the film's path, used as it is.
        """
        stem = self.stem if face is None else f"{self.stem}.face{face}"
        return Outputs(
            folder / f"{stem}{RECORD_SUFFIX}",
            folder / f"{stem}{PICTURE_SUFFIX}",
            folder / f"{stem}.npz" if npz else None,
            preview,
        )


@dataclass(frozen=True)
class Target:
    """One face of one photo (or a photo's middle), and the files to make from it.

    Attributes:
        note: what the user should know of how it was chosen; empty for nothing.
    """

    photo: Path
    image: "Image.Image"
    face: "Face | None"
    label: str
    outputs: Outputs
    note: str = ""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A target that is ready for a search: its crop, in place of the photo, which may be large.

    Attributes:
        photo, label, outputs, note: the target's.
        crop: what is inverted.
    """

    photo: Path
    label: str
    outputs: Outputs
    crop: "Crop"
    note: str = ""


def gather(paths: Sequence[Path]) -> list[Job]:
    """The photos that a command names, files and folders, each once, with results' names that don't collide.

    From a folder all photos are taken but those that these programs made there: ``me.pose+2.png`` beside
    ``me.inversion.safetensors``.

    Raises:
        InputError: a folder is missing, may not be read, or holds no photo.
    """
    photos: dict[Path, None] = {}
    for path in paths:
        # Path.is_dir would fail for what lies in a folder that may not be entered; reading that photo tells it.
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
    # PNG is what is made unless another name is asked for; IMG_1.crop.jpg beside IMG_1's record is a photo.
    pictures = [photo for photo in photos if photo.suffix.lower() == ".png"]
    made = {picture for picture in pictures for stem in stems if picture.stem.startswith(f"{stem}.")}
    originals = [photo for photo in photos if photo not in made]
    if not originals:
        raise InputError(f"The folder {folder} holds only pictures that were made here, and no photo.")
    return originals


def distinct_stems(photos: Iterable[Path], others: Iterable[str] = ()) -> list[str]:
    """The stem of each photo or film; its whole name where stems are equal, and a number where names are, too.

    Long ones are cut.

    Args:
        photos: the files.
        others: stems that are taken.
    """
    photos, others = list(photos), {other.casefold() for other in others}
    stems = Counter([*others, *(photo.stem.casefold() for photo in photos)])
    names = [photo.stem if stems[photo.stem.casefold()] == 1 else photo.name for photo in photos]
    taken = set(others)
    distinct = []
    for name in (shortened(name, _LONGEST_STEM) for name in names):
        candidate, number = name, 2
        while candidate.casefold() in taken:
            candidate, number = f"{name}-{number}", number + 1
        taken.add(candidate.casefold())
        distinct.append(candidate)
    return distinct
