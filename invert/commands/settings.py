"""The options of the command ``invert``: each once, with its help text, its bounds and what it excludes."""

import dataclasses
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from stylegan_latents.generator.cli.command import LARGEST_SEED
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.styles.style import StyleOptions
from stylegan_latents.invert.inverters.by_name import Method, PivotMethod, check_options, film_methods, methods_help
from stylegan_latents.invert.inverters.options import Quality, Space

_SEARCH_OPTIONS = (
    "model", "encoder", "weights", "pivot", "space", "steps", "seed", "identity_weight", "precision", "mask",
    "keep_unchanged", "low_resolution",
)  # fmt: skip
"""In this order a report's rows name them."""


class SettingsError(InputError):
    """The settings fit no photo of the run, so that trying the next one is of no use."""


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
            help="Take the photo's central square, without looking for a face: for aligned crops and non-faces.",
            show_default=False,
        ),
    ] = True
    landmarks: Annotated[
        Path | None,
        typer.Option(
            help="Landmarks placed by hand, for paintings and profiles: a .json, .pts or .npy file of the eyes and "
            "the mouth, or a folder with one file per photo.",
            metavar="FILE|DIR",
        ),
    ] = None
    mask: Annotated[
        Path | None,
        typer.Option(help="Picture of the photo's size: where it is white, the model fills the photo in."),
    ] = None
    low_resolution: Annotated[
        int | None,
        typer.Option(min=8, help="Compare at this side in pixels: for small or blurred faces; the model sharpens."),
    ] = None

    def check_face(self) -> None:
        """Raise InputError for an unknown face, and for landmarks without alignment."""
        if self.face not in ("largest", "all") and not self.face.isdecimal():
            raise InputError(f"--face takes largest, all or a number counted from 0, not '{self.face}'.")
        if self.landmarks is not None and not self.align:
            raise InputError("--landmarks says how to align, and --no-align not to; leave one of them out.")


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """How the code is found, and in which model's latent space."""

    panel: ClassVar[str] = "Method"

    method: Annotated[Method | None, typer.Option(help=methods_help(), show_default=False)] = None
    quality: Annotated[Quality, typer.Option(help="How long the search takes.")] = "good"
    space: Annotated[
        Space,
        typer.Option(help="w: one code for all layers, easiest to edit; w+: one per layer, closer to the photo."),
    ] = "w+"
    model: Annotated[
        str,
        typer.Option(
            help="The generator: a name from `edit models`, or a file; by default ffhq, or the encoder's own.",
            metavar="NAME|PATH",
            show_default=False,
        ),
    ] = ""
    encoder: Annotated[
        Path | None,
        typer.Option(
            help="The encoder: a file that `stylegan-latents train` wrote, or a .pt of pSp, e4e or ReStyle; by "
            "default the one that comes with the model.",
            metavar="FILE",
        ),
    ] = None
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Steps of the search, or passes of a ReStyle encoder; by default from --quality."),
    ] = None
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Random seed.", metavar="N")] = 0
    identity_weight: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Weight of the identity loss, which keeps the person recognisable; the method's own by default.",
            show_default=False,
        ),
    ] = None
    pivot: Annotated[
        PivotMethod | None,
        typer.Option(
            help="The method that pivotal and noise start from; by default hybrid where there is an encoder.",
            show_default=False,
        ),
    ] = None
    weights: Annotated[
        Literal["full", "low-rank", "channels"],
        typer.Option(help="Form of pivotal's tuned weights: full is closest; the others make small records."),
    ] = "full"
    keep_unchanged: Annotated[
        Path | None,
        typer.Option(help="For pivotal: a mask; where it is white, tuning changes nothing.", metavar="MASK"),
    ] = None

    @property
    def model_file(self) -> Path | None:
        """The file or folder that the model is loaded from; None for one with a name."""
        from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL

        path = Path(self.model).expanduser()
        return path.absolute() if self.model != DEFAULT_MODEL and path.exists() else None

    def default_model(self) -> str:
        """The model where none is named: the encoder's, or the default one.

        Raises:
            InputError: the encoder cannot be read, or does not name its model.
        """
        from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL

        if self.encoder is None:
            return DEFAULT_MODEL
        from stylegan_latents.invert.inverters.encode import model_of

        return model_of(self.encoder)


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
            help="Table of more metrics; rows of other photos and methods stay.", metavar="FILE.csv|FILE.parquet"
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
        """Raise InputError for options of films in a run without one."""
        if self.every != 1 or self.max_frames is not None or not self.smooth:
            raise InputError("--every, --max-frames and --no-smooth are for films; leave them out for photos.")


@dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """Where and how the codes are computed."""

    panel: ClassVar[str] = "Machine"

    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, ...; a GPU by default, if there is one.", metavar="DEVICE")
    ] = None
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        typer.Option(help="Precision of the search; auto: bfloat16 where it is fast. Results are float32."),
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
class Settings(FaceOptions, MethodOptions, ResultOptions, StyleOptions, FilmOptions, MachineOptions):
    """All options of a run; each attribute is the option of that name.

    Attributes:
        photos: files and folders, photos and films.
        model: as named, or by default the encoder's or the program's.

    Raises:
        InputError: two options exclude each other, or the encoder does not name its model.
    """

    photos: Annotated[
        list[Path],
        # readable=False: an unreadable photo is reported with the other bad ones, not in place of the run.
        typer.Argument(help="Photos, folders of photos, or films.", metavar="PHOTO|FOLDER|FILM", readable=False),
    ]

    def __post_init__(self) -> None:
        self.check_face()
        if self.shard is not None:
            shard = Shard.parse(self.shard)
            if self.report is not None:
                object.__setattr__(self, "report", shard.own_file(self.report))
        changed = {one.name for one in dataclasses.fields(self) if getattr(self, one.name) != one.default}
        # Every method computes in float32.
        given = changed - {"precision"} if self.precision == "float32" else changed
        check_options(self.method, given, pivot=self.pivot)
        if self.identity_weight is not None and not self.align:
            raise InputError("--identity-weight needs an aligned face; leave it or --no-align out.")
        if not self.model:
            object.__setattr__(self, "model", self.default_model())
        self.find_style()

    def check_for_films(self) -> None:
        """Raise InputError for options that films do not take."""
        if self.method is not None and self.method not in film_methods():
            raise InputError(f"--method {self.method} is for photos; a film takes {', '.join(film_methods())}.")
        names = (
            "landmarks", "mask", "keep_unchanged", "low_resolution", "preview", "npz", "report", "keep_partial",
            "style",
        )  # fmt: skip
        for name in ["face all"] * (self.face == "all") + [name for name in names if getattr(self, name)]:
            raise InputError(f"--{name.replace('_', '-')} is for photos; leave it out for a film.")

    def is_own(self, stem: str) -> bool:
        """Whether the photo or film whose results' names begin so is for this run and not for another shard."""
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
