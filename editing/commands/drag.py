"""The command ``edit drag``: moves points of an inverted photo to targets."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import DrawingOptions, RecordArgument, RecordOutput
from stylegan_latents.editing.records.outputs import EditedFiles
from stylegan_latents.generator.cli.command import DONE, LARGEST_SEED, STOPPED, new_app, warn
from stylegan_latents.generator.cli.help_page import examples
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
            help="What may change: eyes, nose, mouth, hair, face, background, or a picture that is white there.",
            metavar="FILE|NAME",
        ),
    ] = field(default_factory=list)
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="Largest number of steps.")] = 200
    learning_rate: Annotated[float, typer.Option(help="Size of each step, in standard deviations of W.")] = 0.01
    mask_weight: Annotated[float, typer.Option(help="Weight of the loss for changes outside of the mask.")] = 10.0
    layers: Annotated[
        str,
        typer.Option(help="Layers to change; middle alone is slower, the rest changes less.", metavar="LAYERS"),
    ] = "coarse,middle"
    features: Annotated[
        int | None, typer.Option(help="Side of the feature map for tracking; the finest up to 128 by default.")
    ] = None
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the samples that scale the steps.", metavar="N")
    ] = 0
    output: RecordOutput = field(default_factory=RecordOutput)
    on: DrawingOptions = field(default_factory=DrawingOptions)


@drag_app.command(
    epilog=examples(
        "edit drag me.jpg --from 400,620 --to 380,600",
        "edit drag me.jpg --from 300,500 --to 330,500 --from 700,500 --to 730,500 --mask face --steps 100",
    )
)
@takes(DragSettings)
def drag(settings: DragSettings) -> int:
    """Drag points of an inverted photo to targets; writes a picture and its record.

    Ctrl-C ends the search and keeps its result so far.
    """
    from stylegan_latents.editing.regions.regions import check_regions
    from stylegan_latents.generator.cli.progress import show_count

    output = settings.output
    pairs = parse_handles(settings.starts, settings.targets)
    check_regions(settings.mask)
    opened = settings.on.open(settings.record)
    opened.check_layers(settings.layers)
    files = EditedFiles.of(
        opened, output.out, f"{opened.stem}.dragged.png", sheet=output.sheet, overwrite=output.overwrite
    )

    import torch

    from stylegan_latents.editing.drag.drag import Drag, dragged_record
    from stylegan_latents.editing.drag.handles import Handle, begins_in, check_handles

    handles = [Handle(start, target) for start, target in pairs]
    G = opened.generator
    check_handles(handles, G.resolution)
    search = Drag(
        G, steps=settings.steps, learning_rate=settings.learning_rate, rows=G.rows(settings.layers),
        resolution=settings.features, mask_weight=settings.mask_weight, seed=settings.seed,
    )  # fmt: skip
    before = opened.picture()
    mask = _mask(settings.mask, before, opened.stem)
    if mask is not None:
        for x, y in (handle.start for handle in handles if handle.start != handle.target):
            if not begins_in(mask, (torch.tensor([x, y]) + 0.5) / G.resolution):
                warn("edit drag", f"the point {x:g},{y:g} is outside of the mask, which holds it back.")
    with show_count(opened.stem, settings.steps, "step") as count:
        ended = search.drag(
            opened.ws, handles, mask=mask, noise=opened.noise, keep_partial=True,
            on_step=lambda now: count(f"{now.distance:.0f} pixels to go"),
        )  # fmt: skip
    after = opened.picture(ended.ws)
    record = dragged_record(opened.inversion, search, handles, ended)
    files.write(record, after, lambda: _sheet(before, after, handles, ended))
    print(ended.summary)
    for file in files:
        print(printable(f"Wrote {file}"))
    return STOPPED if ended.stopped else DONE


def parse_handles(starts: "Sequence[str]", targets: "Sequence[str]") -> "list[tuple[Point, Point]]":
    """Each ``--from`` with the ``--to`` at the same position; InputError if they do not match, or are no points."""
    if not starts and not targets:
        raise InputError("Give points and their targets, such as --from 400,620 --to 380,600.")
    if len(starts) != len(targets):
        raise InputError(f"Each --from needs its --to: {len(starts)} came with {len(targets)}.")
    return [(_parse(start), _parse(target)) for start, target in zip(starts, targets, strict=True)]


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
