"""Options that several commands of ``edit`` take: each once, in groups that the commands' settings nest."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from stylegan_latents.generator.errors import InputError

RecordArgument = Annotated[
    Path | None,
    typer.Argument(
        help="A record that `invert` wrote, or its photo, or a code's file (.npz, .npy, .pt) with --model; the "
        "newest record in this folder by default.",
        metavar="RECORD",
    ),
]
Names = Annotated[
    list[str],
    typer.Option("--direction", "-d", help="What to change: a name or a file; repeatable.", metavar="NAME"),
]
Layers = Annotated[
    str | None,
    typer.Option(
        help="coarse, middle, fine, all, or rows such as 0-3,7; each direction's own by default.", metavar="LAYERS"
    ),
]
Raw = Annotated[
    bool, typer.Option("--raw", help="Take strengths as multiples of the stored vector, for published files.")
]
Truncation = Annotated[float, typer.Option(help="Of seeds: 1 as drawn, 0 the mean face.")]

Out = Annotated[Path | None, typer.Option(help="The picture's name, or a folder for it.", metavar="FILE|DIR")]
_Sheet = Annotated[bool, typer.Option("--sheet", help="Write a before/after picture, too.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
RecordsModel = Annotated[
    str | None, typer.Option(help="The generator; the records', or the default one.", metavar="NAME|PATH")
]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda, ...; a GPU when there is one by default.", metavar="DEVICE")
]


@dataclass(frozen=True)
class PictureOutput:
    """Where a picture goes."""

    panel: ClassVar[str] = "Output"
    out: Out = None
    overwrite: Overwrite = False


@dataclass(frozen=True)
class EditOutput:
    """Where an edited photo or film goes, and what is made of it."""

    panel: ClassVar[str] = "Output"
    out: Out = None
    sheet: _Sheet = False
    paste_back: Annotated[
        bool, typer.Option("--paste-back", help="Put the edited face back into the whole photo.")
    ] = False
    photo: Annotated[
        Path | None, typer.Option(help="The photo or film, if it was moved or renamed.", metavar="PATH")
    ] = None
    overwrite: Overwrite = False


@dataclass(frozen=True)
class RecordOutput:
    """Where a picture and its record go."""

    panel: ClassVar[str] = "Output"
    out: Annotated[
        Path | None,
        typer.Option(help="The picture's name, or a folder; the record goes beside it.", metavar="FILE|DIR"),
    ] = None
    sheet: _Sheet = False
    overwrite: Overwrite = False


@dataclass(frozen=True)
class RecordModelOptions:
    """The generator of one record, and where it computes."""

    panel: ClassVar[str] = "Model and device"
    model: Annotated[
        str | None, typer.Option(help="The generator; the record's by default.", metavar="NAME|PATH")
    ] = None
    device: Device = None


@dataclass(frozen=True)
class RecordsModelOptions:
    """The generator of several records or seeds, and where it computes."""

    panel: ClassVar[str] = "Model and device"
    model: RecordsModel = None
    device: Device = None


@dataclass(frozen=True)
class ModelOptions:
    """A generator, and where it computes."""

    panel: ClassVar[str] = "Model and device"
    model: Annotated[str, typer.Option(help="A model's name or a generator's file.", metavar="NAME|PATH")] = "ffhq"
    device: Device = None


class BlendName(StrEnum):
    """Where a region is joined."""

    image = "image"
    features = "features"


@dataclass(frozen=True)
class RegionOptions:
    """Where in the picture something changes."""

    panel: ClassVar[str] = "Region"
    region: Annotated[
        list[str],
        typer.Option(
            help="Change this alone: eyes, nose, mouth, hair, face, background, or a mask's file; repeatable.",
            metavar="NAME|FILE",
        ),
    ] = field(default_factory=list)
    blend: Annotated[
        BlendName,
        typer.Option(
            help="Join a region in the image, outside of which nothing changes; or in the network's features, for "
            "what changes its outline, such as hair."
        ),
    ] = BlendName.image

    def check(self) -> None:
        """Raise InputError for a way to join regions where there are none."""
        if self.blend is BlendName.features and not self.region:
            raise InputError("--blend says how a --region is joined; name one, such as --region mouth.")

    @property
    def names(self) -> list[str]:
        """What a picture's name says of the regions: ``mouth``, and ``features`` where they are joined there."""
        stems = [Path(one.strip().lower()).stem if "." not in one else Path(one).stem for one in self.region]
        return [*stems, *(["features"] if self.blend is BlendName.features else [])]
