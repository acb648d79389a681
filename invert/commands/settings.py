"""The settings of a run of ``invert``: all its options, what excludes what, and shards."""

import dataclasses
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from stylegan_latents.generator.cluster.connection import ClusterOptions
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_folder_name
from stylegan_latents.generator.reading.remote_files import address_of
from stylegan_latents.generator.styles.style import StyleOptions
from stylegan_latents.invert.commands.panels import (
    AlbumOptions,
    FaceOptions,
    FilmOptions,
    MachineOptions,
    MethodOptions,
    ResultOptions,
)
from stylegan_latents.invert.inverters.by_name import check_options, film_methods

_SEARCH_OPTIONS = (
    "model", "person", "encoder", "weights", "pivot", "space", "steps", "seed", "identity_weight", "precision",
    "mask", "keep_unchanged", "low_resolution",
)  # fmt: skip
"""In the order in which a report's rows name them."""


class SettingsError(InputError):
    """The settings fit no photo of the run, so that trying the next one is of no use."""


@dataclass(frozen=True)
class Shard:
    """One part of a run that is split among processes which do not communicate.

    The part of a photo depends on its name alone: parts are disjoint, complete and the same everywhere.

    Attributes:
        number: of this part, from 1.
        count: of all parts.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read ``3/16``.

        Raises:
            InputError: the text is no such pair, or there is no such part.
        """
        pair = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
        if pair is None:
            raise InputError(f"--shard takes a number and how many there are, such as 3/16, not '{text}'.")
        shard = cls(int(pair[1]), int(pair[2]))
        if not 1 <= shard.number <= shard.count:
            raise InputError(f"There is no shard {text}; of {shard.count} they are 1/{shard.count} and so on.")
        return shard

    def holds(self, name: str) -> bool:
        """Whether the photo or film with this stem of its results is in this part."""
        # File systems differ in how they spell an accented letter.
        spelled = unicodedata.normalize("NFC", name).encode("utf-8", "surrogateescape")
        return int.from_bytes(hashlib.sha256(spelled).digest()[:8]) % self.count == self.number - 1

    def own_file(self, path: Path) -> Path:
        """``table.03-of-16.csv`` for ``table.csv``, so that parts that run at once write different files."""
        return path.with_stem(f"{path.stem}.{self.number:0{len(str(self.count))}}-of-{self.count}")


@dataclass(frozen=True, kw_only=True)
class Settings(
    FaceOptions,
    MethodOptions,
    AlbumOptions,
    ResultOptions,
    StyleOptions,
    FilmOptions,
    MachineOptions,
    ClusterOptions,
):
    """All options of a run; each attribute is the option of that name.

    Attributes:
        photos: files, folders, image tables, addresses of these, and films.
        model: as named, or by default the person's, the encoder's or the program's.
        method: as named; ``person`` with ``--person``.

    Raises:
        InputError: two options exclude each other, or the encoder does not name its model.
    """

    photos: Annotated[
        list[Path],
        # readable=False: an unreadable photo is reported with the other bad ones, not in place of the run.
        typer.Argument(
            help="Photos, folders of photos, tables of photos (.tar of WebDataset, .parquet), addresses such as "
            "s3://bucket/photos, or films.",
            metavar="PHOTO|FOLDER|TABLE|FILM",
            readable=False,
        ),
    ]

    def __post_init__(self) -> None:
        self.check_face()
        self.check_cluster()
        check_folder_name(self.folder)
        if self.cluster is not None and self.keep_partial:
            raise InputError("--keep-partial is for one machine; leave it or --cluster out.")
        if self.report is not None and address_of(self.folder) is not None:
            raise InputError("--report needs results in a folder; give one with --out.")
        if self.shard is not None:
            shard = Shard.parse(self.shard)
            if self.report is not None:
                object.__setattr__(self, "report", shard.own_file(self.report))
        changed = {one.name for one in dataclasses.fields(self) if getattr(self, one.name) != one.default}
        self.check_album(self.method, changed)
        if self.person is not None:
            if self.method not in (None, "person"):
                raise InputError(f"--person searches in its own way; leave --method {self.method} or --person out.")
            object.__setattr__(self, "method", "person")
        elif self.method == "person":
            raise InputError("--method person needs a person's model: --person with what --together wrote.")
        # Every method computes in float32.
        given = changed - {"precision"} if self.precision == "float32" else changed
        check_options(self.method, given, pivot=self.pivot)
        if self.identity_weight is not None and not self.align:
            raise InputError("--identity-weight needs an aligned face; leave it or --no-align out.")
        if not self.model:
            object.__setattr__(self, "model", self._person_model() or self.default_model())
        self.find_style()

    def _person_model(self) -> str | None:
        """The model that a person's weights were tuned on, its name or file; None without ``--person``."""
        if self.person is None:
            return None
        from stylegan_latents.invert.record.person import Person

        record = Person.load(self.person).record
        return record.model if record.model_file is None else str(record.model_file)

    def check_for_films(self) -> None:
        """Raise InputError for options that films do not take."""
        for name in ("together", "person"):
            if getattr(self, name):
                raise InputError(f"--{name} is for photos; leave it or the film out.")
        if self.method is not None and self.method not in film_methods():
            raise InputError(f"--method {self.method} is for photos; a film takes {', '.join(film_methods())}.")
        names = (
            "landmarks", "mask", "keep_unchanged", "low_resolution", "preview", "npz", "report", "keep_partial",
            "cluster", "style",
        )  # fmt: skip
        if self.detector != "hog":
            raise InputError("--detector is for photos; leave it out for a film.")
        for name in ["face all"] * (self.face == "all") + [name for name in names if getattr(self, name)]:
            raise InputError(f"--{name.replace('_', '-')} is for photos; leave it out for a film.")

    def is_own(self, stem: str) -> bool:
        """Whether the photo or film with this stem of its results belongs to this run's shard."""
        return self.shard is None or Shard.parse(self.shard).holds(stem)

    def check_masks(self, photos: int) -> None:
        """Raise InputError for a mask that does not exist, or that several photos would share."""
        for mask in (self.mask, self.keep_unchanged):
            if mask is not None and photos > 1:
                raise InputError(f"A mask is for one photo, and there are {photos}; name the one it belongs to.")
            if mask is not None and not mask.is_file():
                raise InputError(f"There is no mask {mask}; give a picture of the photo's size.")

    def search_options(self) -> str:
        """The options of the search other than method and quality that differ from their defaults, in words."""
        from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL

        defaults = {field.name: field.default for field in dataclasses.fields(self)} | {"model": DEFAULT_MODEL}
        changed = [name for name in _SEARCH_OPTIONS if getattr(self, name) != defaults[name]]
        # Of a file, the name is enough.
        return ", ".join(f"{name.replace('_', '-')} {Path(str(getattr(self, name))).name}" for name in changed)
