"""The command ``edit drag``: points of an inverted photo moved to targets."""

import math
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.commands.options import (
    Device,
    Overwrite,
    RecordArgument,
    RecordModel,
    RecordOut,
    Sheet,
)
from stylegan_latents.editing.records.outputs import EditedFiles, picture_target
from stylegan_latents.generator.cli.command import DONE, LARGEST_SEED, STOPPED, new_app
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.drag.drag import Dragged, Handle, Point

drag_app = new_app()


@drag_app.command(
    epilog="Examples: edit drag me.inversion.safetensors --from 400,620 --to 380,600   "
    "edit drag me.jpg --from 300,500 --to 330,500 --from 700,500 --to 730,500 --mask face --steps 100"
)
def drag(
    record: RecordArgument = None,
    starts: Annotated[
        list[str] | None,
        typer.Option("--from", help="A point of the inverted picture, in its pixels; repeatable.", metavar="X,Y"),
    ] = None,
    targets: Annotated[
        list[str] | None, typer.Option("--to", help="Where it is to go; one for each --from.", metavar="X,Y")
    ] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            help="What may change: a picture, white there, or eyes, nose, mouth, hair, face, background.",
            metavar="FILE|NAME",
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 200,
    learning_rate: Annotated[float, typer.Option(help="How far each step goes, in deviations of W.")] = 0.01,
    mask_weight: Annotated[
        float, typer.Option(help="How much the rest is held; the points are always pulled more.")
    ] = 10.0,
    layers: Annotated[
        str,
        typer.Option(
            help="What of the code moves, as for edit; middle alone takes more steps and changes less of the rest.",
            metavar="LAYERS",
        ),
    ] = "coarse,middle",
    features: Annotated[
        int | None, typer.Option(help="Side of the features that are followed; the finest up to 128 by default.")
    ] = None,
    seed: Annotated[
        int,
        typer.Option(min=0, max=LARGEST_SEED, help="Of the samples that the steps are measured on.", metavar="N"),
    ] = 0,
    out: RecordOut = None,
    sheet: Sheet = False,
    overwrite: Overwrite = False,
    model: RecordModel = None,
    device: Device = None,
) -> int:
    """Move points of an inverted photo; Ctrl-C keeps what is there. Writes a picture, and a record to edit on."""
    from stylegan_latents.editing.records.choose import announced_record
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.editing.regions.regions import check_regions
    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.invert.photos.files import save_picture

    pairs = parse_handles(starts or [], targets or [])
    check_regions(mask or [])
    opened = OpenRecord(announced_record(record), model=model, device=device)
    opened.check_edit([], layers)
    picture = picture_target(out, f"{opened.stem}.dragged.png", overwrite)
    files = EditedFiles.beside(picture, sheet=sheet, overwrite=overwrite)
    for target in files:
        opened.check_output(target)

    from stylegan_latents.editing.drag.drag import Drag, Handle, check_handles, dragged_record

    handles = [Handle(start, target) for start, target in pairs]
    G = opened.generator
    check_handles(handles, G.resolution)
    search = Drag(
        G,
        steps=steps,
        learning_rate=learning_rate,
        rows=G.rows(layers),
        resolution=features,
        mask_weight=mask_weight,
        seed=seed,
    )
    before = opened.picture()
    where = _mask(mask, before, opened.stem)
    if where is not None:
        for x, y in held_back(handles, where):
            print(f"edit drag: the point {x:g},{y:g} is outside of the mask, which holds it back", file=sys.stderr)
    with show_count(opened.stem, steps, "step") as count:
        ended = search.drag(
            opened.ws,
            handles,
            mask=where,
            noise=opened.noise,
            on_step=lambda now: count(f"{now.distance:.0f} pixels to go"),
            keep_partial=True,
        )
    after = opened.picture(ended.ws)
    # The record first: the picture can be made from it again.
    dragged_record(opened.inversion, search, handles, ended).save(files.record, overwrite=overwrite)
    save_picture(after, files.picture, overwrite=overwrite)
    if files.sheet is not None:
        save_picture(_sheet(before, after, handles, ended), files.sheet, overwrite=overwrite)
    print(ended.summary)
    for file in files:
        print(printable(f"Wrote {file}"))
    return STOPPED if ended.stopped else DONE


def parse_handles(starts: "Sequence[str]", targets: "Sequence[str]") -> "list[tuple[Point, Point]]":
    """Each ``--from`` with the ``--to`` at the same position.

    Raises:
        InputError: there is none, their counts differ, or one is no pair of numbers.
    """
    if not starts and not targets:
        raise InputError("Say what goes where, such as --from 400,620 --to 380,600.")
    if len(starts) != len(targets):
        raise InputError(f"Each --from needs its --to: {len(starts)} came with {len(targets)}.")
    return [(_parse(start), _parse(target)) for start, target in zip(starts, targets, strict=True)]


def held_back(handles: "Sequence[Handle]", mask: "Tensor") -> "list[Point]":
    """The points that are to move from where nothing may change, by a mask ``[side, side]`` in [0, 1]."""
    moving = [handle.start for handle in handles if handle.start != handle.target]
    return [(x, y) for x, y in moving if not mask[round(y), round(x)] > 0]


def _parse(text: str) -> "Point":
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError(f"'{text}' is no point: give x and y in pixels, such as 400,620.")
    return x, y


def _mask(names: list[str] | None, picture: "Image.Image", name: str) -> "Tensor | None":
    if not names:
        return None
    import torch

    from stylegan_latents.editing.regions.regions import region_masks

    return torch.from_numpy(region_masks(names, [picture], feather=0.0, name=name))


def _sheet(
    before: "Image.Image", after: "Image.Image", handles: "Sequence[Handle]", ended: "Dragged"
) -> "Image.Image":
    """Both pictures, with a line from each point (red) to its target (blue)."""
    from stylegan_latents.editing.drag.picture import marked
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet

    targets = [handle.target for handle in handles]
    starts = [handle.start for handle in handles]
    return contact_sheet(
        [[marked(before, starts, targets), marked(after, ended.points, targets)]], ["before", "dragged"]
    )
