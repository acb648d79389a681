"""The photos that a command names, and the names of the files made from each."""

import contextlib
import dataclasses
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.remote_files import address_of, list_addresses
from stylegan_latents.invert.photos.files import PHOTO_SUFFIXES, list_photos
from stylegan_latents.invert.photos.tables import TABLE_SUFFIXES, AtAddress, Origin, list_table
from stylegan_latents.invert.record.files import PICTURE_SUFFIX, RECORD_SUFFIX, record_stem, result_stem
from stylegan_latents.invert.record.source import Source

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

    def results(self) -> list[Path]:
        """The record, the picture and the ``.npz`` if it is wanted."""
        return [path for path in (self.record, self.picture, self.npz) if path is not None]

    def check_free(self) -> None:
        """Raise InputError if the record, the picture or the ``.npz`` exists."""
        check_free(*self.results())


def check_free(*paths: Path | None) -> None:
    """Raise InputError if one of these files exists."""
    for path in paths:
        if path is not None and path.exists():
            raise InputError(
                f"{path} exists already; add --overwrite to replace it, or choose a folder with --out."
            )


@dataclass(frozen=True, slots=True)
class Job:
    """A photo of a run.

    Attributes:
        photo: its file; of one in a table or at an address, that followed by its name.
        stem: of its results' names.
        label: in messages: its name, or its path to be distinct.
        origin: of a photo that is no file of this machine.
        copy: its file while ``at_hand`` lasts.
    """

    photo: Path
    stem: str
    label: str
    origin: Origin | None = None
    copy: Path | None = None

    @property
    def file(self) -> Path:
        """Where the photo is read."""
        return self.copy or self.photo

    def source(self) -> Source:
        """The photo, for its record; InputError if it cannot be read."""
        source = Source.of(self.file)
        return source if self.copy is None else dataclasses.replace(source, name=self.photo.name, path=None)

    @contextlib.contextmanager
    def at_hand(self) -> "Iterator[Job]":
        """Yield this job with its photo as a file, a temporary one if need be; InputError if it cannot be read."""
        if self.origin is None:
            yield self
            return
        with tempfile.TemporaryDirectory(prefix="photo-") as folder:
            copy = Path(folder) / result_stem(self.photo.name)
            copy.write_bytes(self.origin.read())
            try:
                yield dataclasses.replace(self, copy=copy)
            except InputError as error:
                if str(copy) not in str(error):
                    raise
                raise InputError(str(error).replace(str(copy), self.label)) from error

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
        notes: lines for the user, on how the face was chosen and compared.
    """

    photo: Path
    label: str
    outputs: Outputs
    crop: "Crop"
    notes: Sequence[str] = ()


def gather(paths: Sequence[Path]) -> list[Job]:
    """The photos among files, folders, tables and addresses, each once, with result names that don't collide.

    A folder's photos are all but the pictures that these programs made: ``me.pose+2.png`` beside
    ``me.inversion.safetensors``.

    Raises:
        InputError: a folder or table is missing, may not be read, or holds no photo.
    """
    photos: dict[Path, Origin | None] = {}
    for path in paths:
        for photo, origin in _photos(path):
            photos.setdefault(photo, origin)
    names = Counter(photo.name for photo in photos)
    return [
        Job(photo, stem, photo.name if names[photo.name] == 1 else photo.as_posix(), photos[photo])
        for photo, stem in zip(photos, distinct_stems(photos), strict=True)
    ]


def _photos(path: Path) -> "Iterator[tuple[Path, Origin | None]]":
    """The photos that one argument names."""
    address = address_of(path)
    if path.suffix in TABLE_SUFFIXES:
        names: Counter[str] = Counter()
        for name, origin in list_table(address or str(path)):
            # Shards may have folders, and so the same name twice.
            names[name] += 1
            part = "" if names[name] == 1 else str(names[name])
            yield path / part / name, origin
    elif address is not None and path.suffix.lower() in PHOTO_SUFFIXES:
        yield path, AtAddress(address)
    elif address is not None:
        files = [one for one in list_addresses(address) if PurePosixPath(one).suffix.lower() in PHOTO_SUFFIXES]
        if not files:
            raise InputError(f"{address} holds no photo; give a folder of JPEG or PNG files, or one of these.")
        yield from ((path / PurePosixPath(one).name, AtAddress(one)) for one in files)
    # Path.is_dir raises for a path in a folder without permission; that error comes when the photo is read.
    elif os.path.isdir(path):  # noqa: PTH112
        yield from ((photo, None) for photo in _originals(path))
    else:
        yield path, None


def _originals(folder: Path) -> list[Path]:
    photos = list_photos(folder)
    stems = {record_stem(record) for record in folder.glob(f"*{RECORD_SUFFIX}")}

    def is_made(picture: Path) -> bool:
        parts = picture.stem.split(".")
        return any(".".join(parts[:count]) in stems for count in range(1, len(parts)))

    # Results are PNG by default; IMG_1.crop.jpg beside IMG_1's record is a photo.
    originals = [photo for photo in photos if photo.suffix.lower() != ".png" or not is_made(photo)]
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
