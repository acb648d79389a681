"""The command ``edit drag``: points of an inverted photo moved to targets."""

import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import RecordArgument, RecordModelOptions, RecordOutput
from stylegan_latents.editing.records.outputs import EditedFiles, picture_target
from stylegan_latents.generator.cli.command import DONE, LARGEST_SEED, STOPPED, new_app
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.drag.drag import Dragged
    from stylegan_latents.editing.drag.handles import Handle, Point

drag_app = new_app()


@dataclass(frozen=True)
class DragSettings:
    """What ``edit drag`` takes."""

    panel: ClassVar[str] = "Drag"
    record: RecordArgument = None
    starts: Annotated[
        list[str],
        typer.Option("--from", help="A point of the inverted picture, in its pixels; repeatable.", metavar="X,Y"),
    ] = field(default_factory=list)
    targets: Annotated[
        list[str], typer.Option("--to", help="Where it is to go; one for each --from.", metavar="X,Y")
    ] = field(default_factory=list)
    mask: Annotated[
        list[str],
        typer.Option(
            help="What may change: a picture, white there, or eyes, nose, mouth, hair, face, background.",
            metavar="FILE|NAME",
        ),
    ] = field(default_factory=list)
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 200
    learning_rate: Annotated[float, typer.Option(help="Size of each step, in standard deviations of W.")] = 0.01
    mask_weight: Annotated[
        float, typer.Option(help="Weight of changes outside of the mask; the points are always pulled more.")
    ] = 10.0
    layers: Annotated[
        str,
        typer.Option(
            help="Layers of the code that move, as for edit; middle alone takes more steps and changes less of the "
            "rest.",
            metavar="LAYERS",
        ),
    ] = "coarse,middle"
    features: Annotated[
        int | None,
        typer.Option(help="Side of the feature map in which points are tracked; the finest up to 128 by default."),
    ] = None
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=LARGEST_SEED, help="Of the samples whose standard deviations scale the steps.", metavar="N"
        ),
    ] = 0
    output: RecordOutput = field(default_factory=RecordOutput)
    on: RecordModelOptions = field(default_factory=RecordModelOptions)


@drag_app.command(
    epilog="Examples:\n\nedit drag me.jpg --from 400,620 --to 380,600\n\n"
    "edit drag me.jpg --from 300,500 --to 330,500 --from 700,500 --to 730,500 --mask face --steps 100"
)
@takes(DragSettings)
def drag(settings: DragSettings) -> int:
    """Move points of an inverted photo; writes a picture, and a record to edit on.

    Ctrl-C ends the search and keeps what is there.
    """
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.editing.regions.regions import check_regions
    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.invert.photos.files import save_picture

    output = settings.output
    pairs = parse_handles(settings.starts, settings.targets)
    check_regions(settings.mask)
    opened = OpenRecord.of(settings.record, model=settings.on.model, device=settings.on.device)
    opened.check_layers(settings.layers)
    picture = picture_target(output.out, f"{opened.stem}.dragged.png", output.overwrite)
    files = EditedFiles.beside(picture, sheet=output.sheet, overwrite=output.overwrite)
    for target in files:
        opened.check_output(target)

    from stylegan_latents.editing.drag.drag import Drag, dragged_record
    from stylegan_latents.editing.drag.handles import Handle, check_handles

    handles = [Handle(start, target) for start, target in pairs]
    G = opened.generator
    check_handles(handles, G.resolution)
    search = Drag(
        G,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        rows=G.rows(settings.layers),
        resolution=settings.features,
        mask_weight=settings.mask_weight,
        seed=settings.seed,
    )
    before = opened.picture()
    where = _mask(settings.mask, before, opened.stem)
    if where is not None:
        for x, y in held_back(handles, where):
            print(f"edit drag: the point {x:g},{y:g} is outside of the mask, which holds it back", file=sys.stderr)
    with show_count(opened.stem, settings.steps, "step") as count:
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
    dragged_record(opened.inversion, search, handles, ended).save(files.record, overwrite=output.overwrite)
    save_picture(after, files.picture, overwrite=output.overwrite)
    if files.sheet is not None:
        save_picture(_sheet(before, after, handles, ended), files.sheet, overwrite=output.overwrite)
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


def _mask(names: list[str], picture: "Image.Image", name: str) -> "Tensor | None":
    if not names:
        return None
    import torch

    from stylegan_latents.editing.regions.regions import region_masks

    return torch.from_numpy(region_masks(names, [picture], feather=0.0, name=name))


def _sheet(
    before: "Image.Image", after: "Image.Image", handles: "Sequence[Handle]", ended: "Dragged"
) -> "Image.Image":
    """Both pictures, with a line from each point (red) to its target (blue)."""
    from stylegan_latents.editing.drag.handles import marked
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet

    targets = [handle.target for handle in handles]
    starts = [handle.start for handle in handles]
    return contact_sheet(
        [[marked(before, starts, targets), marked(after, ended.points, targets)]], ["before", "dragged"]
    )
