"""The command ``edit``: a record in, an edited picture out.

``edit`` alone applies directions; a first word from ``COMMANDS`` chooses another command.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.commands.discover import discover_app
from stylegan_latents.editing.commands.drag import drag_app
from stylegan_latents.editing.commands.evaluate import evaluate_app
from stylegan_latents.editing.commands.interpolate import interpolate_app
from stylegan_latents.editing.commands.mix import mix_app
from stylegan_latents.editing.commands.models import models_app
from stylegan_latents.editing.commands.options import (
    Blend,
    BlendName,
    Device,
    Overwrite,
    PictureOut,
    RecordArgument,
    RecordModel,
    Regions,
    Sheet,
    check_blend,
)
from stylegan_latents.editing.commands.parts import parts_app
from stylegan_latents.editing.commands.retrieve import retrieve_app
from stylegan_latents.editing.commands.sample import sample_app
from stylegan_latents.editing.commands.text import text_app
from stylegan_latents.editing.records.choose import announced_record
from stylegan_latents.editing.records.outputs import free, picture_target
from stylegan_latents.generator.cli.command import new_app, run
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

    from stylegan_latents.editing.directions.apply import Edit
    from stylegan_latents.editing.directions.direction import Direction

_Directions = Annotated[
    list[str] | None,
    typer.Option("--direction", "-d", help="What to change: a name or a file; repeatable.", metavar="NAME"),
]
_Layers = Annotated[
    str | None,
    typer.Option(
        help="coarse, middle, fine, all, or rows such as 0-3,7; each direction's own by default.", metavar="LAYERS"
    ),
]
_Raw = Annotated[
    bool, typer.Option("--raw", help="Take strengths as multiples of the stored vector, for published files.")
]

apply_app, grid_app, directions_app = new_app(), new_app(), new_app()
FAR = 5
"""Strengths beyond this are warned of, in standard deviations of W; style channels go further."""
COMMANDS: dict[str, typer.Typer] = {
    "grid": grid_app,
    "mix": mix_app,
    "interpolate": interpolate_app,
    "directions": directions_app,
    "discover": discover_app,
    "drag": drag_app,
    "evaluate": evaluate_app,
    "models": models_app,
    "parts": parts_app,
    "retrieve": retrieve_app,
    "sample": sample_app,
    "text": text_app,
}


@apply_app.command(
    epilog="Example: edit --direction pose --strength 2 --direction smile --strength -1   "
    "Other commands: edit grid, mix, interpolate, drag, text, parts, retrieve, directions, discover, evaluate, "
    "models, sample; each has its --help."
)
def edit(
    record: RecordArgument = None,
    direction: _Directions = None,
    strength: Annotated[
        list[float] | None,
        typer.Option("--strength", "-s", help="How far, in standard deviations; one for each --direction."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="Go to this score in place of a --strength, such as pose=15.", metavar="NAME=SCORE"),
    ] = None,
    keep_identity: Annotated[
        float | None,
        typer.Option(help="Go only so far that the face stays within this distance; 0.6 is another person."),
    ] = None,
    region: Regions = None,
    blend: Blend = BlendName.image,
    layers: _Layers = None,
    raw: _Raw = False,
    out: PictureOut = None,
    sheet: Sheet = False,
    paste_back: Annotated[
        bool, typer.Option("--paste-back", help="Put the edited face back into the whole photo.")
    ] = False,
    photo: Annotated[
        Path | None, typer.Option(help="The photo or film, where it is not where it was.", metavar="PATH")
    ] = None,
    overwrite: Overwrite = False,
    model: RecordModel = None,
    device: Device = None,
) -> None:
    """Change an inverted photo, or film, along directions, and write the picture, or film."""
    from stylegan_latents.editing.directions.apply import edit_name, pair
    from stylegan_latents.editing.directions.catalogue import find
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.editing.regions.regions import check_regions
    from stylegan_latents.editing.strengths.guided import check_bound, guide, guided_name, parse_target
    from stylegan_latents.invert.photos.files import save_picture
    from stylegan_latents.invert.record.files import is_film_record

    # A misspelt command looks like a record, so that comes first; the newest record takes longer to find.
    path = None if record is None else announced_record(record, tuple(COMMANDS))
    aims = [parse_target(text) for text in target or []]
    pairs = pair(direction or [], strength or []) if direction or strength or not aims else []
    check_regions(region or [])
    check_blend(blend, region)
    check_bound(keep_identity)
    path = path or announced_record(None)
    if is_film_record(path):
        from stylegan_latents.editing.films.film_edit import edit_film

        _check_film_options(target, keep_identity, region, sheet)
        written = edit_film(
            path, pairs, layers=layers, raw=raw, out=out, paste_back=paste_back, film=photo, overwrite=overwrite,
            model=model, device=device,
        )  # fmt: skip
        print(printable(f"Wrote {written}"))
        return
    opened = OpenRecord(path, model=model, device=device)
    # What can be told without the model, which takes a while to load, is told before that.
    names = opened.check_edit([*(direction or []), *(one for one, _ in aims)], layers)
    name = guided_name(
        edit_name(
            [(one, amount) for one, (_, amount) in zip(names[: len(pairs)], pairs, strict=True)],
            layers=layers,
            raw=raw,
        ),
        aims,
        keep_identity,
        region or [],
    )
    file = picture_target(out, f"{opened.stem}.{name}{'.pasted' if paste_back else ''}.png", overwrite)
    sheet_file = free(file.with_name(f"{file.stem}.sheet.png"), overwrite) if sheet else None
    opened.check_output(file)
    # Read before the work: a photo that is gone is better told now.
    whole = opened.photo(photo) if paste_back else None
    edits = [
        (find(name, opened.generator), amount) for name, (_, amount) in zip(direction or [], pairs, strict=True)
    ]
    for found, amount in edits:
        _say_note(found)
        if abs(amount) > FAR and not raw and found.space == "w":
            print(
                printable(f"edit: {found.name} {amount:+g} is far: beyond {FAR} few faces stay faces"),
                file=sys.stderr,
            )
    rows = None if layers is None else opened.generator.rows(layers)
    wanted = [(find(name, opened.generator), score) for name, score in aims]

    def draw(chosen: "Sequence[Edit]", size: int | None = None) -> "Image":
        return opened.edited(chosen, rows=rows, raw=raw, size=size, regions=region or (), blend=blend.value)

    before = opened.picture()
    edits = guide(draw, edits, wanted, keep_identity)
    after = result = draw(edits)
    if whole is not None:
        from stylegan_latents.invert.paste_back.paste import paste_back as paste

        result = paste(whole, after, opened.alignment(), reference=before)
    save_picture(result, file, overwrite=overwrite)
    print(printable(f"Wrote {file}"))
    if sheet_file is not None:
        from stylegan_latents.invert.photos.contact_sheet import contact_sheet

        titles = ["inversion", "  ".join(f"{found.name} {amount:+.3g}" for found, amount in edits)]
        pictures = [before, after]
        try:
            pictures.insert(0, opened.crop(opened.photo(photo)))
            titles.insert(0, "photo")
        except InputError as error:
            if photo is not None:
                raise
            print(printable(f"The sheet goes without the photo: {error}"))
        save_picture(contact_sheet([pictures], titles), sheet_file, overwrite=overwrite)
        print(printable(f"Wrote {sheet_file}"))


@grid_app.command(epilog="Example: edit grid me.inversion.safetensors --direction age --range -3 3")
def grid(
    record: RecordArgument = None,
    direction: _Directions = None,
    ends: Annotated[
        tuple[float, float],
        typer.Option("--range", "-r", help="The first and the last strength.", metavar="FROM TO"),
    ] = (-3.0, 3.0),
    steps: Annotated[int, typer.Option(min=2, max=99, help="How many pictures in a row.")] = 7,
    layers: _Layers = None,
    raw: _Raw = False,
    out: PictureOut = None,
    overwrite: Overwrite = False,
    model: RecordModel = None,
    device: Device = None,
) -> None:
    """Show a range of strengths: one row of pictures for each --direction."""
    from stylegan_latents.editing.directions.apply import edit_name, spread
    from stylegan_latents.editing.directions.catalogue import find
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import save_picture

    strengths = spread(*ends, steps)
    if not direction:
        raise InputError("Say what to change, such as --direction age; `edit directions` lists all.")
    path = announced_record(record, tuple(COMMANDS))
    opened = OpenRecord(path, model=model, device=device)
    names = opened.check_edit(direction, layers)
    name = edit_name([(one, ends[0]) for one in names], layers=layers, raw=raw)
    target = picture_target(out, f"{opened.stem}.{name}_to{ends[1]:+g}.png", overwrite)
    opened.check_output(target)
    found = [find(name, opened.generator) for name in direction]
    for one in found:
        _say_note(one)
    rows = None if layers is None else opened.generator.rows(layers)
    pictures = [[opened.edited([(one, amount)], rows=rows, raw=raw) for amount in strengths] for one in found]
    titles = [f"{amount:+.3g}" if amount else "0" for amount in strengths]
    save_picture(contact_sheet(pictures, titles, names, cell=256), target, overwrite=overwrite)
    print(printable(f"Wrote {target}"))


@directions_app.command()
def directions(
    model: Annotated[str, typer.Option(help="The generator.", metavar="NAME|PATH")] = "ffhq",
) -> None:
    """List the directions that are known for a model, and how well each does."""
    from stylegan_latents.editing.directions.describe import describe
    from stylegan_latents.editing.directions.shipped import known
    from stylegan_latents.generator.loading import latent_space_of, load

    space = latent_space_of(model)
    if space is None:
        space = load(model).latent_space
    here = known(space)
    if not here:
        print(f"No direction is known for the model '{model}' ({space}).")
    for direction in here.values():
        print(describe(direction))


def _check_film_options(
    target: list[str] | None, keep_identity: float | None, region: list[str] | None, sheet: bool
) -> None:
    """Refuse what is for photos."""
    given = {"--target": target, "--keep-identity": keep_identity, "--region": region, "--sheet": sheet}
    for name, value in given.items():
        if value:
            raise InputError(f"{name} is for photos, and this record is a film's; leave it out.")


def _say_note(direction: "Direction") -> None:
    """What a user should know of a published file, such as how its layers were mapped."""
    note = direction.provenance.get("note")
    if note:
        print(printable(f"edit: {direction.name}: {note}"), file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the console script's entry point."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in COMMANDS:
        return run(COMMANDS[words[0]], f"edit {words[0]}", words[1:])
    return run(apply_app, "edit", words)


if __name__ == "__main__":
    sys.exit(main())
