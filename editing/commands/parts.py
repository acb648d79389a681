"""The command ``edit parts``, and what ``--part`` means to the commands that take it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.commands.options import PictureOutput, RecordsModelOptions, Truncation
from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.mixing.parts import Parts
    from stylegan_latents.editing.records.codes import Code
    from stylegan_latents.generator.generator import Generator

parts_app = new_app()
THRESHOLD = 0.3
"""The share of a style channel's change that has to lie in a part for the channel to be taken."""
_CELL, _DIMMED = 256, 0.2


@dataclass(frozen=True)
class PartsSettings:
    """What ``edit parts`` takes."""

    sources: Annotated[
        list[str],
        typer.Argument(
            help="Shown on these: records, inverted photos, seeds; six seeds by default.", metavar="A..."
        ),
    ] = field(default_factory=list)
    truncation: Truncation = 0.7
    output: PictureOutput = field(default_factory=PictureOutput)
    on: RecordsModelOptions = field(default_factory=RecordsModelOptions)


@parts_app.command(
    epilog="Examples:\n\nedit parts\n\nedit parts me.jpg seed:3\n\nedit parts --model cats.pkl --out cats.png\n\n"
    "What they are for:\n\nedit mix me.jpg you.jpg --part eyes"
)
@takes(PartsSettings)
def parts(settings: PartsSettings) -> None:
    """Show the parts that a model's pictures have, for `edit mix --part`; found at the first call, then kept."""
    from stylegan_latents.editing.mixing.parts_catalogue import parts_of
    from stylegan_latents.editing.records.codes import check_not_a_source, open_sources, read_sources
    from stylegan_latents.editing.records.outputs import picture_target
    from stylegan_latents.generator.cli.progress import show_work
    from stylegan_latents.invert.photos.files import save_picture

    overwrite = settings.output.overwrite
    target = picture_target(settings.output.out, "parts.png", overwrite)
    sources = read_sources(settings.sources or [f"seed:{seed}" for seed in range(6)])
    check_not_a_source(target, sources)
    G, codes = open_sources(
        sources, model=settings.on.model, device=settings.on.device, truncation=settings.truncation
    )
    with show_work() as begin:
        found = parts_of(G, begin)
    save_picture(parts_figure(G, found, codes), target, overwrite=overwrite)
    for index, name in enumerate(found.names):
        print(f"{name}: {int((found.shares[index] >= THRESHOLD).sum())} style channels")
    print(printable(f"Wrote {target}"))


def parts_figure(G: "Generator", parts: "Parts", codes: "Sequence[Code]") -> "Image.Image":
    """The pictures of codes above one row for each part, where the rest is dimmed."""
    import numpy as np
    import torch
    from PIL import Image

    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import to_picture

    side = min(_CELL, G.resolution)
    pictures, masks = [], []
    with torch.inference_mode():
        for code in codes:
            drawn = code.drawn_by(G).synthesize(code.ws, code.noise_or_const, size=side)
            pictures.append(to_picture(drawn)[0].convert("RGB"))
            masks.append(parts.masks(G, code.ws)[0].numpy())
    rows = [pictures]
    for index in range(len(parts.names)):
        row = []
        for picture, mask in zip(pictures, masks, strict=True):
            light = Image.fromarray((255 * mask[index]).astype(np.uint8)).resize(picture.size)
            dimmed = Image.blend(Image.new("RGB", picture.size, "white"), picture, _DIMMED)
            row.append(Image.composite(picture, dimmed, light))
        rows.append(row)
    return contact_sheet(rows, [code.name for code in codes], ["", *parts.names], cell=side)


def share_parts(givers: Sequence[str], parts: Sequence[str]) -> list[list[str]]:
    """The parts of each giver: all of them of the only one, or one of each.

    Raises:
        InputError: the counts do not fit, or two give the same part.
    """
    if len(givers) == 1:
        return [list(parts)]
    if len(parts) != len(givers):
        raise InputError(f"Give one --part for each of the {len(givers)} givers, not {len(parts)}.")
    if len({part.strip().lower() for part in parts}) != len(parts):
        raise InputError("Two givers cannot give the same part; give each its own --part.")
    return [[part] for part in parts]


def check_threshold(threshold: float) -> None:
    """Raise InputError for a threshold that is no share."""
    if not 0 <= threshold < 1:
        raise InputError(f"--threshold takes a share from 0 up to 1, such as {THRESHOLD}, not {threshold:g}.")


def threshold_name(threshold: float) -> list[str]:
    """What a picture's name says of a threshold: nothing of the default one."""
    return [] if threshold == THRESHOLD else [f"threshold{threshold:g}"]


def channel_weights(G: "Generator", names: Sequence[Sequence[str]], threshold: float) -> "list[Tensor]":
    """The style channels of each giver's parts, ``[style channels]`` each.

    Raises:
        InputError: as ``parts_of`` and ``Parts.weights``.
    """
    from stylegan_latents.editing.mixing.parts_catalogue import parts_of
    from stylegan_latents.generator.cli.progress import show_work

    with show_work() as begin:
        found = parts_of(G, begin)
    return [found.weights(part, threshold) for part in names]
