"""What the command ``invert`` can be told: each option once, with its text, its bounds and what it excludes."""

import dataclasses
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.method_options import MethodOptions
from stylegan_latents.invert.inverters.by_name import film_methods

# In this order a report's rows name them.
_OF_THE_SEARCH = (
    "model", "encoder", "weights", "pivot", "space", "steps", "seed", "identity_weight", "precision", "mask",
    "keep_unchanged", "low_resolution",
)  # fmt: skip


class SettingsError(InputError):
    """What was given cannot be used for any photo of a run; trying the next one is of no use."""


@dataclass(frozen=True)
class Shard:
    """One part of a run that several processes share without speaking to each other.

    Which part a photo is in depends on its name alone, so parts are disjoint, complete and the same everywhere.

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
        """Whether a photo or film whose results are called so is in this part."""
        # File systems differ in how they spell an accented letter.
        spelled = unicodedata.normalize("NFC", name).encode("utf-8", "surrogateescape")
        return int.from_bytes(hashlib.sha256(spelled).digest()[:8]) % self.count == self.number - 1

    def own_file(self, path: Path) -> Path:
        """``table.03-of-16.csv`` for ``table.csv``: what several parts write at once needs several names."""
        return path.with_stem(f"{path.stem}.{self.number:0{len(str(self.count))}}-of-{self.count}")


@dataclass(frozen=True, kw_only=True)
class FaceOptions:
    """What of a photo is inverted."""

    panel: ClassVar[str] = "Photos and faces"

    face: Annotated[
        str,
        typer.Option(
            help="Which face of a photo: the largest, all, or one by its number, from 0, left to right.",
            metavar="largest|all|N",
        ),
    ] = "largest"
    align: Annotated[
        bool,
        typer.Option(
            " /--no-align",
            help="Take the photo's central square, without looking for a face: for aligned crops, and what is no "
            "face.",
            show_default=False,
        ),
    ] = True
    landmarks: Annotated[
        Path | None,
        typer.Option(
            help="Landmarks placed by hand, for paintings and profiles: a .json, .pts or .npy file of the eyes and "
            "the mouth, or a folder with one file a photo.",
            metavar="FILE|DIR",
        ),
    ] = None
    mask: Annotated[
        Path | None,
        typer.Option(
            help="Picture of the photo's size: what is white in it is ignored, and filled in by the model."
        ),
    ] = None
    low_resolution: Annotated[
        int | None,
        typer.Option(
            min=8, help="Compare at this size, in pixels: for small or blurred faces; the model sharpens."
        ),
    ] = None

    def check_face(self) -> None:
        """Raise InputError for an unknown face, and for landmarks without alignment."""
        if self.face not in ("largest", "all") and not self.face.isdecimal():
            raise InputError(f"--face takes largest, all or a number counted from 0, not '{self.face}'.")
        if self.landmarks is not None and not self.align:
            raise InputError("--landmarks says how to align, and --no-align not to; leave one of them out.")


@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """What is written, and where."""

    panel: ClassVar[str] = "Results"

    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; the current one by default.", metavar="DIR")
    ] = None
    npz: Annotated[bool, typer.Option("--npz", help="Also write the code as .npz, for other tools.")] = False
    preview: Annotated[
        Path | None,
        typer.Option(help="Film of the search: a name ending with .mp4 or .gif, or a folder for its frames."),
    ] = None
    report: Annotated[
        Path | None,
        typer.Option(
            help="Measure more, and add it to this table; rows of other photos and methods stay in it.",
            metavar="FILE.csv|FILE.parquet",
        ),
    ] = None
    keep_partial: Annotated[
        bool, typer.Option("--keep-partial", help="When Ctrl-C stops the search early, keep the best code so far.")
    ] = False
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but warnings and errors.")] = False

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return self.out or Path()


@dataclass(frozen=True, kw_only=True)
class FilmOptions:
    """How a film is inverted."""

    panel: ClassVar[str] = "Films"

    every: Annotated[int, typer.Option(min=1, help="Process every Nth frame.")] = 1
    max_frames: Annotated[int | None, typer.Option(min=1, help="Process only the first N frames.")] = None
    smooth: Annotated[
        bool, typer.Option("--smooth/--no-smooth", help="Smooth the crop's path and the codes over time.")
    ] = True

    def check_no_film(self) -> None:
        """Raise InputError for options of films where there is none."""
        if self.every != 1 or self.max_frames is not None or not self.smooth:
            raise InputError(
                "--every, --max-frames and --no-smooth are of films, and there is none here; leave them out."
            )


@dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """Where and how it is computed."""

    panel: ClassVar[str] = "Machine"

    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, ...; a GPU by default, if there is one.", metavar="DEVICE")
    ] = None
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        typer.Option(
            help="Precision of the search; auto is bfloat16 where the device is fast in it. Results are computed "
            "in float32."
        ),
    ] = "auto"
    batch: Annotated[
        int | None,
        typer.Option(min=1, help="Number of photos inverted at once; by default 1 on a CPU, 8 on a GPU."),
    ] = None
    shard: Annotated[
        str | None,
        typer.Option(
            help="Invert only part K of N of the photos, chosen by their names: for jobs that run side by side. A "
            "report is then one for each part.",
            metavar="K/N",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Settings(FaceOptions, MethodOptions, ResultOptions, FilmOptions, MachineOptions):
    """What the command line says about a run; each attribute is the option of that name.

    Attributes:
        photos: files and folders, photos and films.
        model: as it was named, or what the encoder or the program takes by default.

    Raises:
        InputError: two options exclude each other, or an encoder does not say which model it is for.
    """

    photos: Annotated[
        list[Path],
        # One that may not be read is told with the other bad ones, not in place of all.
        typer.Argument(help="Photos, folders of photos, or films.", metavar="PHOTO|FOLDER|FILM", readable=False),
    ]

    def __post_init__(self) -> None:
        self.check_face()
        if self.shard is not None:
            shard = Shard.parse(self.shard)
            if self.report is not None:
                object.__setattr__(self, "report", shard.own_file(self.report))
        self.check_method(preview=self.preview is not None, precision=self.precision == "bfloat16")
        if self.identity_weight is not None and not self.align:
            raise InputError("--identity-weight is for a face that was found; leave it or --no-align out.")
        if not self.model:
            object.__setattr__(self, "model", self.own_model())

    def check_for_films(self) -> None:
        """Raise InputError for options that have no meaning for a film."""
        if self.method is not None and self.method not in film_methods():
            raise InputError(f"--method {self.method} is for photos; a film takes {', '.join(film_methods())}.")
        given = {
            "--landmarks": self.landmarks,
            "--mask": self.mask,
            "--keep-unchanged": self.keep_unchanged,
            "--low-resolution": self.low_resolution,
            "--preview": self.preview,
            "--npz": self.npz,
            "--report": self.report,
            "--face all": self.face == "all",
            "--keep-partial": self.keep_partial,
        }
        for name, value in given.items():
            if value:
                raise InputError(f"{name} is for photos; leave it out for a film.")

    def is_own(self, stem: str) -> bool:
        """Whether the photo or film whose results' names begin so is for this run and not for another shard."""
        return self.shard is None or Shard.parse(self.shard).holds(stem)

    def check_masks(self, photos: int) -> None:
        """Raise InputError for a mask that is not there, or that several photos would share."""
        for mask in (self.mask, self.keep_unchanged):
            if mask is not None and photos > 1:
                raise InputError(f"A mask is for one photo, and there are {photos}; name the one it belongs to.")
            if mask is not None and not mask.is_file():
                raise InputError(f"There is no mask {mask}; give a picture of the photo's size.")

    def options(self) -> str:
        """What the search is told beside method and quality, in words; empty for what it does by itself."""
        from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL

        defaults = {field.name: field.default for field in dataclasses.fields(self)} | {"model": DEFAULT_MODEL}
        given = {name: getattr(self, name) for name in _OF_THE_SEARCH}
        # Of a file, the name is enough.
        told = {name: Path(str(value)).name for name, value in given.items() if value != defaults[name]}
        return ", ".join(f"{name.replace('_', '-')} {value}" for name, value in told.items())
