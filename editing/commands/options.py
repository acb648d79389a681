"""Options that several commands of ``edit`` share."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.editing.records.camera import CameraOptions
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.styles.style import StyleOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stylegan_latents.editing.records.codes import Code, CodeSource
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.generator import Generator

RecordArgument = Annotated[
    Path | None,
    typer.Argument(
        help="A record of `invert`, or its photo, a code's file (.npz, .npy, .pt) with --model, or a sample: "
        "seed:5; the newest record here by default.",
        metavar="RECORD",
    ),
]
Names = Annotated[
    list[str],
    typer.Option("--direction", "-d", help="What to change: a name or a file; repeatable.", metavar="NAME"),
]
Layers = Annotated[
    str | None,
    typer.Option(help="coarse, middle, fine, all, or 0-3,7; each direction's own by default.", metavar="LAYERS"),
]
Raw = Annotated[
    bool, typer.Option("--raw", help="Take strengths as multiples of the stored vector, for published files.")
]
Truncation = Annotated[float, typer.Option(help="Truncation of seeds: 1 as drawn, 0 the mean face.")]

Out = Annotated[Path | None, typer.Option(help="The picture's file, or a folder for it.", metavar="FILE|DIR")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
RecordModel = Annotated[
    str | None, typer.Option(help="The generator; a record's own, or ffhq, by default.", metavar="NAME|PATH")
]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda, ...; a GPU when there is one by default.", metavar="DEVICE")
]


@dataclass(frozen=True)
class PictureOutput:
    """Output options for a picture."""

    panel: ClassVar[str] = "Output"
    out: Out = None
    overwrite: Overwrite = False


@dataclass(frozen=True)
class RecordOutput(PictureOutput):
    """Output options for a picture with its record beside it."""

    panel: ClassVar[str] = "Output"
    sheet: Annotated[bool, typer.Option("--sheet", help="Also write a before/after picture.")] = False


@dataclass(frozen=True)
class EditOutput(RecordOutput):
    """Output options for an edited photo or film."""

    panel: ClassVar[str] = "Output"
    paste_back: Annotated[bool, typer.Option("--paste-back", help="Paste the face back into the photo.")] = False
    photo: Annotated[
        Path | None, typer.Option(help="The photo or film, if it was moved or renamed.", metavar="PATH")
    ] = None


@dataclass(frozen=True)
class RecordModelOptions:
    """Model and device for records and seeds."""

    panel: ClassVar[str] = "Model and device"
    model: RecordModel = None
    device: Device = None


@dataclass(frozen=True, kw_only=True)
class LookOptions(StyleOptions, CameraOptions):
    """How pictures look: their style and camera."""

    def look_label(self) -> list[str]:
        """The camera's and the style's part of a file's name; empty without both."""
        return [*self.camera_label(), *self.style_label()]


@dataclass(frozen=True, kw_only=True)
class DrawingOptions(RecordModelOptions, LookOptions):
    """Model, device, style and camera of a command that draws records and seeds."""

    def open(
        self, record: Path | None, *, film: bool = False, loaded: "dict[str, Generator] | None" = None
    ) -> "OpenRecord":
        """The record that an argument names, see ``OpenRecord.of``."""
        from stylegan_latents.editing.records.opened import OpenRecord

        # Read before the model is loaded, which takes a while.
        style = self.find_style()
        opened = OpenRecord.of(record, model=self.model, device=self.device, film=film, loaded=loaded)
        if style is not None:
            opened.draw_in(*style)
        opened.look(self.camera, self.look_label())
        return opened

    def open_sources(
        self, sources: "Sequence[CodeSource]", truncation: float, *, styled: bool = True
    ) -> "tuple[Generator, list[Code]]":
        """The generator, in the style if ``styled``, and the codes; see ``records.codes.open_sources``."""
        from stylegan_latents.editing.records.codes import open_sources

        return open_sources(
            sources, model=self.model, device=self.device, truncation=truncation,
            style=self.find_style() if styled else None, camera=self.camera,
        )  # fmt: skip


@dataclass(frozen=True)
class ModelOptions(LookOptions):
    """Model, device, style and camera."""

    panel: ClassVar[str] = "Model and device"
    model: Annotated[str, typer.Option(help="A model's name or a generator's file.", metavar="NAME|PATH")] = "ffhq"
    device: Device = None


class BlendName(StrEnum):
    """Where a region is joined."""

    image = "image"
    features = "features"


@dataclass(frozen=True)
class RegionOptions:
    """Limits a change to regions of the picture."""

    panel: ClassVar[str] = "Region"
    region: Annotated[
        list[str],
        typer.Option(
            help="Change only this: eyes, nose, mouth, hair, face, background, or a mask's file; repeatable. Local "
            "edits that are pasted back have their own, unless it is all.",
            metavar="NAME|FILE",
        ),
    ] = field(default_factory=list)
    blend: Annotated[
        BlendName,
        typer.Option(help="Join a region in the image, or in the features, for changed outlines such as hair's."),
    ] = BlendName.image

    def check(self) -> None:
        """Raise InputError for a blend without a region."""
        if self.blend is BlendName.features and not self.region:
            raise InputError("--blend is for a --region; name one, such as --region mouth.")

    @property
    def names(self) -> list[str]:
        """The regions' part of a file name: ``mouth``, and ``features`` where they are blended in these."""
        stems = [Path(one.strip().lower()).stem if "." not in one else Path(one).stem for one in self.region]
        return [*stems, *(["features"] if self.blend is BlendName.features else [])]
