"""The command ``edit grid``: shows a range of strengths side by side."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.changes import bind
from stylegan_latents.editing.commands.options import (
    DrawingOptions,
    Layers,
    Names,
    PictureOutput,
    Raw,
    RecordArgument,
)
from stylegan_latents.editing.directions.apply import edit_name, spread
from stylegan_latents.editing.records.outputs import picture_target
from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

grid_app = new_app()


@dataclass(frozen=True)
class GridSettings:
    """Arguments and options of ``edit grid``."""

    panel: ClassVar[str] = "Change"
    record: RecordArgument = None
    direction: Names = field(default_factory=list)
    ends: Annotated[
        tuple[float, float], typer.Option("--range", "-r", help="First and last strength.", metavar="FROM TO")
    ] = (-2.0, 2.0)
    steps: Annotated[int, typer.Option(min=2, max=99, help="How many pictures in a row.")] = 5
    layers: Layers = None
    raw: Raw = False
    output: PictureOutput = field(default_factory=PictureOutput)
    on: DrawingOptions = field(default_factory=DrawingOptions)


@grid_app.command(
    epilog=examples("edit grid me.jpg --direction age", "edit grid me.jpg --direction pose --range -3 3 --steps 7")
)
@takes(GridSettings)
def grid(settings: GridSettings) -> None:
    """Show a range of strengths: one row of pictures for each --direction."""
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import save_picture

    strengths = spread(*settings.ends, settings.steps)
    if not settings.direction:
        raise InputError("Say what to change, such as --direction age; `edit directions` lists all.")
    opened = settings.on.open(settings.record)
    found = opened.lookup(settings.direction)
    opened.check_layers(settings.layers)
    names = [one.name for one in found]
    first, last = settings.ends
    name = edit_name([(one, first) for one in names], layers=settings.layers, raw=settings.raw)
    overwrite = settings.output.overwrite
    target = picture_target(settings.output.out, f"{opened.stem}.{name}_to{last:+g}.png", overwrite)
    opened.check_output(target)
    directions = bind(found, opened)
    rows = None if settings.layers is None else opened.generator.rows(settings.layers)
    pictures = [
        [opened.edited([(one, amount)], rows=rows, raw=settings.raw).picture for amount in strengths]
        for one in directions
    ]
    titles = [f"{amount:+.3g}" if amount else "0" for amount in strengths]
    save_picture(contact_sheet(pictures, titles, names, cell=256), target, overwrite=overwrite)
    print(printable(f"Wrote {target}"))
