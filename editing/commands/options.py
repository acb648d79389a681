"""Options that several commands of ``edit`` take, each in one wording."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stylegan_latents.generator.errors import InputError

RecordArgument = Annotated[
    Path | None,
    typer.Argument(help="What `invert` wrote; the newest in this folder by default.", metavar="RECORD"),
]
MovedLayers = Annotated[
    str,
    typer.Option(
        help="What of the code moves: coarse, middle, fine, all, or rows such as 0-3,7.", metavar="LAYERS"
    ),
]
Truncation = Annotated[float, typer.Option(help="Of seeds: 1 as drawn, 0 the mean face.")]
PartThreshold = Annotated[
    float, typer.Option(help="How much of a style channel's change has to lie in the --part.")
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        help="Only here: eyes, nose, mouth, hair, face, background, or a mask's file.", metavar="NAME|FILE"
    ),
]


class BlendName(StrEnum):
    """Where a region is joined."""

    image = "image"
    features = "features"


Blend = Annotated[
    BlendName,
    typer.Option(
        help="Join a region in the image, outside of which nothing changes; or in the network's features, for what "
        "changes its outline, such as hair."
    ),
]

PictureOut = Annotated[
    Path | None, typer.Option(help="The picture's name, or a folder for it.", metavar="FILE|DIR")
]
RecordOut = Annotated[
    Path | None,
    typer.Option(help="The picture's name, or a folder; the record goes beside it.", metavar="FILE|DIR"),
]
Sheet = Annotated[bool, typer.Option("--sheet", help="Write a before/after picture, too.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]

RecordModel = Annotated[
    str | None, typer.Option(help="The generator; the record's by default.", metavar="NAME|PATH")
]
RecordsModel = Annotated[
    str | None, typer.Option(help="The generator; the records', or the default one.", metavar="NAME|PATH")
]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda, ...; a GPU when there is one by default.", metavar="DEVICE")
]


def check_blend(blend: BlendName, regions: list[str] | None) -> None:
    """Raise InputError for a way to join regions where there are none."""
    if blend is BlendName.features and not regions:
        raise InputError("--blend says how a --region is joined; name one, such as --region mouth.")
