"""The options of the command ``invert`` by panel of its help: each once, with its help text and bounds."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from stylegan_latents.generator.cli.command import LARGEST_SEED
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.inverters.by_name import Method, PivotMethod, methods_help
from stylegan_latents.invert.inverters.options import Quality, Space

_ONE_PHOTO = (
    "face", "landmarks", "mask", "low_resolution", "npz", "preview", "report", "keep_partial", "batch", "shard",
    "cluster", "detector",
)  # fmt: skip
"""Options of single photos, which an album does not take."""


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
    detector: Annotated[
        Literal["hog", "cnn"],
        typer.Option(help="How faces are found: hog, frontal ones; cnn, profiles too, in some seconds."),
    ] = "hog"
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
        typer.Option(
            min=8,
            help="Compare at this side in pixels: for blurred pictures, whose detail the model adds. By default "
            "a face below 100 pixels is compared at three quarters of the photo's own.",
            show_default=False,
        ),
    ] = None

    def check_face(self) -> None:
        """Raise InputError for an unknown face, and for landmarks without alignment."""
        if self.face not in ("largest", "all") and not self.face.isdecimal():
            raise InputError(f"--face takes largest, all or a number counted from 0, not '{self.face}'.")
        if self.detector != "hog" and not self.align:
            raise InputError("--detector is for faces that are aligned; leave it or --no-align out.")
        if self.landmarks is not None and not self.align:
            raise InputError("--landmarks is for faces that are aligned; leave it or --no-align out.")


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """How the code is found, and in which model's latent space."""

    panel: ClassVar[str] = "Method"

    method: Annotated[Method | None, typer.Option(help=methods_help(), show_default=False)] = None
    quality: Annotated[Quality, typer.Option(help="How long the search takes; instant is a first look.")] = "good"
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
            help="What pivotal, layered and noise start from; by default hybrid where there is an encoder.",
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
class AlbumOptions:
    """One model of one person, from an album."""

    panel: ClassVar[str] = "One person"

    together: Annotated[
        bool,
        typer.Option(
            "--together",
            help="Make one model of the person in these photos, or add new photos to it. Needs --name.",
        ),
    ] = False
    name: Annotated[
        str | None,
        typer.Option(help="The model's name: anna is written to anna.person.safetensors.", metavar="NAME"),
    ] = None
    person: Annotated[
        Path | None,
        typer.Option(
            help="Invert with the model of this person, which also fills what --mask hides.", metavar="FILE"
        ),
    ] = None

    def check_album(self, method: str | None, others: Collection[str]) -> None:
        """Raise InputError for options that do not go together.

        Args:
            method: as given.
            others: the names of all options that differ from their defaults.
        """
        if not self.together:
            if self.name is not None:
                raise InputError("--name is for the model that --together makes; add --together, or leave it out.")
            return
        if self.name is None:
            raise InputError("--together needs a name for the person, such as --name anna.")
        if not re.fullmatch(r"[^\W_][\w .-]{0,59}", self.name) or self.name.endswith((" ", ".")):
            raise InputError(f"--name is up to 60 letters, digits, spaces, dots and dashes, not '{self.name}'.")
        if method not in (None, "hybrid", "optimize", "encode"):
            raise InputError(
                "--together tunes the model itself; take --method hybrid, optimize or encode, or leave it out."
            )
        if "style" in others or "style_strength" in others:
            raise InputError(
                "--together draws no pictures; give --style with the photo to draw, such as `invert PHOTO --person "
                f"{self.name}.person.safetensors --style pencil`."
            )
        for name in ("person", *_ONE_PHOTO):
            if name in others:
                raise InputError(f"--{name.replace('_', '-')} does not go with --together; leave one of them out.")


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
    low_memory: Annotated[
        bool,
        typer.Option(
            "--low-memory",
            help="Use about two thirds of the memory, for up to twice the time; for MobileStyleGANs such as ffhq.",
        ),
    ] = False
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
