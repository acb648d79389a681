"""The command ``edit shape``: writes the head of a three-dimensional model as a mesh or a volume."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import Overwrite, RecordArgument, RecordModelOptions
from stylegan_latents.editing.records.outputs import placed
from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.files import check_replaceable, printable

shape_app = new_app()


@dataclass(frozen=True)
class ShapeSettings:
    """Arguments and options of ``edit shape``."""

    panel: ClassVar[str] = "Shape"
    record: RecordArgument = None
    side: Annotated[int, typer.Option(min=16, max=512, help="Samples along each side of the cube.")] = 256
    level: Annotated[
        float | None,
        typer.Option(help="Density of a mesh's surface: less for a larger head; by default the model's."),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(help="A .ply (mesh), a .mrc (densities) or a folder.", metavar="FILE|DIR"),
    ] = None
    overwrite: Overwrite = False
    on: RecordModelOptions = field(default_factory=RecordModelOptions)


@shape_app.command(epilog=examples("edit shape seed0002.inversion.safetensors --out head.ply"))
@takes(ShapeSettings)
def shape(settings: ShapeSettings) -> None:
    """Write the head of a three-dimensional model (EG3D, StyleNeRF) as a coloured mesh, or its densities."""
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.cli.progress import show_status
    from stylegan_latents.generator.errors import InputError
    from stylegan_latents.generator.shape import check_shape_file, find_shape, find_volume

    is_volume = placed(settings.out, "shape.ply").suffix.lower() == ".mrc"
    check_shape_file(placed(settings.out, "shape.ply"))  # said before the model is loaded
    if is_volume and settings.level is not None:
        raise InputError("--level is for a mesh; a .mrc holds all densities.")
    opened = OpenRecord.of(settings.record, model=settings.on.model, device=settings.on.device)
    target = placed(settings.out, f"{opened.stem}.shape.ply")
    check_replaceable(target, settings.overwrite)
    opened.check_output(target)
    G, ws = opened.generator, opened.ws
    if is_volume:
        with show_status("Measuring the densities"):
            volume = find_volume(G, ws, opened.noise, side=settings.side)
        volume.save_mrc(target, overwrite=settings.overwrite)
        print(printable(f"Wrote {target}: {settings.side} samples a side; the surface is at {volume.level:g}"))
        return
    with show_status("Finding the surface"):
        mesh = find_shape(G, ws, opened.noise, side=settings.side, level=settings.level)
    mesh.save_ply(target, overwrite=settings.overwrite)
    print(printable(f"Wrote {target}: {len(mesh.vertices)} vertices, {len(mesh.faces)} triangles"))
