"""The command ``edit`` alone: a record and directions in, an edited photo or film out."""

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import (
    EditOutput,
    Layers,
    Names,
    Raw,
    RecordArgument,
    RecordModelOptions,
    RegionOptions,
)
from stylegan_latents.editing.directions.apply import default_strength, edit_name, pair
from stylegan_latents.editing.records.outputs import free, picture_target, placed
from stylegan_latents.editing.strengths.guided import check_bound, guided_name, parse_target
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL.Image import Image

    from stylegan_latents.editing.directions.apply import Edit
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.directions.published import PublishedDirection
    from stylegan_latents.editing.records.opened import OpenRecord

FAR = 5
"""Strengths beyond this are warned of, in standard deviations of W; style channels go further."""

EXAMPLES = """Examples:

edit --direction pose

edit me.jpg --direction pose --strength 2 --direction smile --strength -1

edit me.jpg --direction age --target age=60 --keep-identity 0.45 --sheet

edit me.jpg --direction smile --region mouth --paste-back"""


@dataclass(frozen=True)
class ChangeOptions:
    """What an edit changes, and how far.

    Raises:
        InputError: nothing is to change, strengths do not fit the directions, or a target or bound is none.
    """

    panel: ClassVar[str] = "Change"
    direction: Names = field(default_factory=list)
    strength: Annotated[
        list[float],
        typer.Option(
            "--strength",
            "-s",
            help="How far, in standard deviations, negative for the other way; one for each --direction, or none, "
            "for a clear change.",
        ),
    ] = field(default_factory=list)
    target: Annotated[
        list[str],
        typer.Option(help="Go to this score in place of a --strength, such as pose=15.", metavar="NAME=SCORE"),
    ] = field(default_factory=list)
    keep_identity: Annotated[
        float | None,
        typer.Option(help="Go only so far that the face stays within this distance; 0.6 is another person."),
    ] = None
    layers: Layers = None
    raw: Raw = False

    def __post_init__(self) -> None:
        _ = self.aims
        if self.strength or not (self.direction or self.target):
            pair(self.direction, self.strength)
        elif self.raw and self.direction:
            raise InputError(
                "Stored vectors have no usual length; with --raw give each --direction its --strength."
            )
        check_bound(self.keep_identity)

    @property
    def aims(self) -> list[tuple[str, float]]:
        """Each ``--target`` as a direction's name and a score."""
        return [parse_target(text) for text in self.target]


@dataclass(frozen=True)
class EditSettings:
    """What ``edit`` takes.

    Raises:
        InputError: a way to join regions is given, and no region.
    """

    record: RecordArgument = None
    change: ChangeOptions = field(default_factory=ChangeOptions)
    where: RegionOptions = field(default_factory=RegionOptions)
    output: EditOutput = field(default_factory=EditOutput)
    on: RecordModelOptions = field(default_factory=RecordModelOptions)

    def __post_init__(self) -> None:
        self.where.check()


@takes(EditSettings)
def edit(settings: EditSettings) -> None:
    """Change an inverted photo, or film, along directions, and write the picture, or film."""
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.editing.regions.regions import check_regions

    change, where, output = settings.change, settings.where, settings.output
    check_regions(where.region)
    opened = OpenRecord.of(settings.record, model=settings.on.model, device=settings.on.device, film=True)
    is_film = opened.inversion.footage is not None
    if is_film:
        _check_film_options(settings)
    # What can be told without the model, which takes a while to load, is told before that.
    found = opened.lookup([*change.direction, *(name for name, _ in change.aims)])
    opened.check_layers(change.layers)
    fixed = _with_strengths(found[: len(change.direction)], change.strength)
    amounts = [(one.name, amount) for one, amount in fixed]
    name = edit_name(amounts, layers=change.layers, raw=change.raw)
    if is_film:
        from stylegan_latents.editing.films.film_edit import edit_film

        written = edit_film(
            opened, fixed, name=name, layers=change.layers, raw=change.raw, out=output.out,
            paste_back=output.paste_back, film=output.photo, overwrite=output.overwrite,
        )  # fmt: skip
        print(f"Wrote {written}")
        return
    name = guided_name(name, change.aims, change.keep_identity, where.names)
    _edit_photo(settings, opened, name, fixed, found[len(change.direction) :])


def _edit_photo(
    settings: EditSettings,
    opened: "OpenRecord",
    name: str,
    fixed: "Sequence[tuple[Direction | PublishedDirection, float]]",
    aimed: "Sequence[Direction | PublishedDirection]",
) -> None:
    """Draw, and write, the picture and the sheet of one photo.

    Args:
        name: what the file's name says of the edit.
        fixed: directions with their strengths.
        aimed: those of the targets.
    """
    from stylegan_latents.editing.strengths.guided import guide
    from stylegan_latents.invert.photos.files import save_picture

    change, where, output = settings.change, settings.where, settings.output
    file, sheet_file, is_there = _files(settings, f"{opened.stem}.{name}")
    opened.check_output(file)
    # Read before the work: a photo that is gone is better told now.
    whole = opened.photo(output.photo) if output.paste_back and not is_there else None
    if whole is not None:
        opened.base.check_square("--paste-back")
    edits = list(zip(bind([one for one, _ in fixed], opened), (amount for _, amount in fixed), strict=True))
    for direction, amount in edits:
        if abs(amount) > FAR and not change.raw and direction.space == "w":
            print(f"edit: {direction.name} {amount:+g} is far: beyond {FAR} few faces stay faces", file=sys.stderr)
    rows = None if change.layers is None else opened.generator.rows(change.layers)
    targets = list(zip(bind(aimed, opened), (score for _, score in change.aims), strict=True))

    def draw(chosen: "Sequence[Edit]", size: int | None = None) -> "Image":
        return opened.edited(
            chosen, rows=rows, raw=change.raw, size=size, regions=where.region, blend=where.blend.value
        )

    edits = guide(draw, edits, targets, change.keep_identity)
    after = result = draw(edits)
    before = opened.picture() if whole is not None or sheet_file is not None else after
    if whole is not None:
        from stylegan_latents.invert.paste_back.paste import paste_back as paste

        result = paste(whole, after, opened.alignment(), reference=before)
    if is_there:
        print(f"{file} exists already and stays as it is")
    else:
        save_picture(result, file, overwrite=output.overwrite)
        print(f"Wrote {file}")
    if sheet_file is not None:
        title = "  ".join(f"{direction.name} {amount:+.3g}" for direction, amount in edits)
        sheet = _sheet(opened, before, after, title, output.photo)
        save_picture(sheet, sheet_file, overwrite=output.overwrite)
        print(f"Wrote {sheet_file}")


def _files(settings: EditSettings, stem: str) -> "tuple[Path, Path | None, bool]":
    """The picture's file, the sheet's if one is wanted, and whether the picture is made already.

    Raises:
        InputError: one of them may not be written.
    """
    output = settings.output
    default = f"{stem}{'.pasted' if output.paste_back else ''}.png"
    file = placed(output.out, default)
    # The default name says what the edit is, so that a picture of that name needs only its sheet.
    is_there = output.sheet and not output.overwrite and file.name == default and file.is_file()
    if not is_there:
        file = picture_target(output.out, default, output.overwrite)
    sheet = free(file.with_name(f"{file.stem}.sheet.png"), output.overwrite) if output.sheet else None
    return file, sheet, is_there


def _sheet(opened: "OpenRecord", before: "Image", after: "Image", title: str, named: "Path | None") -> "Image":
    """The photo, where it is found, the inversion and the edit side by side."""
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet

    titles, pictures = ["inversion", title], [before, after]
    try:
        pictures.insert(0, opened.crop(opened.photo(named)))
        titles.insert(0, "photo")
    except InputError as error:
        if named is not None:
            raise
        print(f"The sheet goes without the photo: {error}")
    return contact_sheet([pictures], titles)


def _with_strengths(
    directions: "Sequence[Direction | PublishedDirection]", strengths: "Sequence[float]"
) -> "list[tuple[Direction | PublishedDirection, float]]":
    """Each direction with its strength; where none was given, one that shows, which is printed."""
    if strengths:
        return pair(directions, strengths)
    pairs = [(one, default_strength(one)) for one in directions]
    for one, amount in pairs:
        print(f"{one.name} by {amount:+g}, as there is no --strength")
    return pairs


def bind(directions: "Sequence[Direction | PublishedDirection]", opened: "OpenRecord") -> "list[Direction]":
    """Directions bound to a record's generator; what a user should know of a published file is told."""
    bound = [one.bind(opened.generator) for one in directions]
    for direction in bound:
        note = direction.provenance.get("note")
        if note:
            print(f"edit: {direction.name}: {note}", file=sys.stderr)
    return bound


def _check_film_options(settings: EditSettings) -> None:
    """Refuse what is for photos."""
    given = {
        "--target": settings.change.target,
        "--keep-identity": settings.change.keep_identity,
        "--region": settings.where.region,
        "--sheet": settings.output.sheet,
    }
    for name, value in given.items():
        if value:
            raise InputError(f"{name} is for photos, and this record is a film's; leave it out.")
