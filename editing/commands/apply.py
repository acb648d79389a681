"""The default command of ``edit``: edits a photo or film along directions."""

import contextlib
import shlex
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.commands.changes import ChangeOptions, bind
from stylegan_latents.editing.commands.options import (
    BlendName,
    DrawingOptions,
    EditOutput,
    RecordArgument,
    RegionOptions,
)
from stylegan_latents.editing.directions.apply import default_strength, edit_name, pair
from stylegan_latents.editing.directions.describe import USEFUL
from stylegan_latents.editing.records.outputs import picture_target, placed, sheet_target
from stylegan_latents.editing.strengths.guided import guided_name
from stylegan_latents.generator.cli.command import warn
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.cluster.connection import ClusterOptions
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

    from stylegan_latents.editing.directions.apply import Edit
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.directions.published import PublishedDirection
    from stylegan_latents.editing.discovery.scorers.scorer import Scorer
    from stylegan_latents.editing.nonlinear.attribute_flow import AttributeFlow
    from stylegan_latents.editing.nonlinear.mapper import MapperEdit
    from stylegan_latents.editing.records.drawn import DrawnEdit
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.generator import Generator

    _Change = Direction | PublishedDirection | MapperEdit

EVERYWHERE = "all"
"""``--region all``: no region, also where an edit would get one by itself."""

FAR = 5
"""A larger strength in W gives a warning."""

EXAMPLES = examples(
    "edit --direction pose",
    "edit me.jpg --direction pose --strength 2 --direction smile --strength -1",
    "edit me.jpg --direction age --target age=60 --keep-identity 0.45 --sheet",
    "edit me.jpg --direction smile --region mouth --paste-back",
    "edit results/ --all --direction smile --out smiling/",
    "edit me.jpg --flow flow.safetensors --set smile=0.3 --set age=40",
)


@dataclass(frozen=True)
class EditSettings:
    """Arguments and options of ``edit``."""

    record: RecordArgument = None
    every: Annotated[
        bool, typer.Option("--all", help="Edit every record of the folder; results that exist stay.")
    ] = False
    change: ChangeOptions = field(default_factory=ChangeOptions)
    where: RegionOptions = field(default_factory=RegionOptions)
    output: EditOutput = field(default_factory=EditOutput)
    on: DrawingOptions = field(default_factory=DrawingOptions)
    cluster: ClusterOptions = field(default_factory=ClusterOptions)

    def __post_init__(self) -> None:
        self.where.check()
        if not self.on.camera:
            self.check_limits()
        if not self.every and self.cluster.cluster is not None:
            raise InputError("--cluster is for many records; add --all, and name their folder.")
        if self.every and self.record is not None and not self.record.is_dir():
            raise InputError(f"--all takes a folder of records, and {self.record} is none.")
        if self.output.photo is not None:
            if self.every:
                raise InputError("--photo is for one record; leave it or --all out.")
            if not (self.output.paste_back or self.output.sheet):
                raise InputError("--photo is for --paste-back and --sheet; add one, or leave it out.")
            with contextlib.suppress(PermissionError):  # which is told when it is read
                if not self.output.photo.exists():
                    raise InputError(f"There is no file {self.output.photo}.")
        if self.every and self.output.out is not None and self.output.out.suffix and not self.output.out.is_dir():
            raise InputError(
                f"--all writes a picture for each record, and {self.output.out} is one picture; name a folder."
            )

    def check_limits(self) -> None:
        """Raise InputError for limits of an edit where there is none, or for nothing to do at all."""
        change = self.change
        if change.direction or change.target or change.flow or change.mapper:
            return
        if not (self.on.style or self.on.camera):
            pair([], [])
        region = [] if self.where.region == [EVERYWHERE] else self.where.region
        for name, value in (
            ("--region", region), ("--layers", change.layers), ("--keep-identity", change.keep_identity),
            ("--person", change.person),
        ):  # fmt: skip
            if value:
                raise InputError(f"{name} limits an edit, and there is none; add --direction smile, say.")


@takes(EditSettings)
def edit(settings: EditSettings) -> int | None:
    """Edit an inverted photo or film along directions."""
    from stylegan_latents.editing.regions.regions import check_regions

    regions = [] if settings.where.region == [EVERYWHERE] else settings.where.region
    check_regions(regions, others=[EVERYWHERE])
    if not settings.every:
        _edit_record(settings, settings.record, {})
        return None
    from stylegan_latents.editing.records.many import edit_each

    folder = settings.record or Path()
    return edit_each(
        folder, partial(_edit_record, settings), settings.output.out, settings.cluster, settings.on.device
    )


def _edit_record(settings: EditSettings, record: Path | None, loaded: "dict[str, Generator]") -> None:
    """Edit one record; ``loaded`` are generators by name, to which its own is added."""
    opened = settings.on.open(record, film=True, loaded=loaded)
    is_film = opened.inversion.footage is not None
    if is_film:
        _check_film_options(settings)
    turns = settings.on.rig_targets(opened.inversion.latent_space)
    if turns is not None:
        if is_film:
            raise InputError("--yaw and --pitch are for photos with this model; take --direction pose for a film.")
        on = replace(settings.on, yaw=None, pitch=None)
        settings = replace(settings, change=settings.change.turned(turns), on=on)
        opened.look(settings.on.camera, settings.on.look_label())
    settings.check_limits()
    change, output = settings.change, settings.output
    # Checked before the model is loaded, which takes a while.
    found = opened.lookup([*change.direction, *(name for name, _ in change.targets)])
    opened.check_layers(change.layers)
    flow = change.load_flow()
    fixed = _with_strengths([*found[: len(change.direction)], *change.load_mappers()], change.strength)
    amounts = [(one.name, amount) for one, amount in fixed]
    name = edit_name(amounts, layers=change.layers, raw=change.raw)
    if is_film:
        from stylegan_latents.editing.films.film_edit import edit_film

        written = edit_film(
            opened, fixed, name=name or _only_look(settings), layers=change.layers, raw=change.raw, out=output.out,
            paste_back=output.paste_back, whole=settings.where.region == [EVERYWHERE], film=output.photo,
            overwrite=output.overwrite,
        )  # fmt: skip
        print(printable(f"Wrote {written}"))
        return
    guided = found[len(change.direction) :]
    settings = replace(settings, where=_where(settings, opened, [*(one for one, _ in fixed), *guided]))
    reached = [*change.values_wanted, *change.targets]
    name = guided_name(name, reached, change.keep_identity, settings.where.names) or _only_look(settings)
    if change.person is not None:
        name = f"{name}.within"
    _edit_photo(settings, opened, name, fixed, guided, flow)


def _edit_photo(
    settings: EditSettings,
    opened: "OpenRecord",
    name: str,
    fixed: "Sequence[tuple[_Change, float]]",
    guided: "Sequence[Direction | PublishedDirection]",
    flow: "AttributeFlow | None",
) -> None:
    """Write the edited picture and the sheet of one photo; ``guided`` are the directions of the targets."""
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.regions.joining import joins_face
    from stylegan_latents.editing.strengths.guided import guide
    from stylegan_latents.invert.photos.files import read_photo, save_picture

    change, where, output = settings.change, settings.where, settings.output
    file, sheet_file, is_there = _files(settings, f"{opened.stem}.{name}")
    if is_there and sheet_file is None:
        print(printable(f"{file} exists already and stays as it is"))
        return
    scorer = _scorer(change, guided, flow)
    opened.check_output(file)
    # Read before the work, in case it is missing.
    whole = opened.photo(output.photo) if output.paste_back and not is_there else None
    if whole is not None:
        opened.base.check_square("--paste-back")
    elif output.photo is not None and sheet_file is not None:
        opened.photo(output.photo)
    edits: list[Edit] = [] if flow is None else [(change.flow_edit(flow, opened, scorer), 1.0)]
    for one, (_, amount) in zip(bind([one for one, _ in fixed], opened), fixed, strict=True):
        edits.append((one, amount))
        if abs(amount) > FAR and not change.raw and not (isinstance(one, Direction) and one.space == "s"):
            warn("edit", f"{one.name} {amount:+g} is far; beyond {FAR} few pictures still look like faces.")
    rows = None if change.layers is None else opened.generator.rows(change.layers)
    span = None
    if change.person is not None:
        from stylegan_latents.invert.record.person import Person

        span = Person.load(change.person).span(opened.base)
    targets = list(zip(bind(guided, opened), (score for _, score in change.targets), strict=True))

    def draw(chosen: "Sequence[Edit]", size: int | None = None) -> "DrawnEdit":
        # While strengths are sought, a face that will be joined is drawn as a whole.
        sought = size is not None and joins_face(where.region, where.blend.value)
        return opened.edited(
            chosen, rows=rows, raw=change.raw, size=size, regions=[] if sought else where.region,
            blend=where.blend.value, span=span,
        )  # fmt: skip

    edits = guide(lambda chosen, size: draw(chosen, size).picture, edits, targets, change.keep_identity, scorer)
    for made, amount in edits[len(edits) - len(targets) :]:
        if abs(amount) > USEFUL and not change.raw and not (isinstance(made, Direction) and made.space == "s"):
            warn("edit", f"{made.name} {amount:+.2f} is far for this face; up to {USEFUL} most edits look right.")
    drawn = draw(edits)
    after = result = drawn.picture
    if flow is not None and scorer is not None:
        change.report_reached(flow, after, scorer)
    before = opened.picture() if sheet_file is not None else after
    if whole is not None:
        from stylegan_latents.editing.records.pasted import pasted

        program = f"edit: {opened.stem}" if settings.every else "edit"
        result = pasted(opened, whole, drawn, partial(warn, program))
    if is_there:
        print(printable(f"{file} exists already and stays as it is"))
    else:
        save_picture(result, file, overwrite=output.overwrite)
        print(printable(f"Wrote {file}"))
        if drawn.join is not None and whole is not None and opened.inversion.weights is None and not settings.every:
            print(printable(_closer(opened, output.photo)))
    if sheet_file is not None:
        if output.paste_back:
            after = opened.crop(read_photo(file) if whole is None else result)
        names = [f"{one.name} {amount:+.3g}" for one, amount in edits]
        title = "  ".join(names if flow is None else [edits[0][0].name, *names[1:]])
        sheet = _sheet(opened, before, after, title, output.photo)
        save_picture(sheet, sheet_file, overwrite=output.overwrite)
        print(printable(f"Wrote {sheet_file}"))


def _closer(opened: "OpenRecord", named: Path | None) -> str:
    """How hair and skin join more closely, as a command to type where the default one makes this record.

    Args:
        opened: the record.
        named: the photo's path, if one was given.
    """
    from stylegan_latents.editing.records.photo import find_photo

    inversion, words = opened.inversion, ["invert", "--method", "layered"]
    source = inversion.sources[0] if inversion.sources else None
    if source is not None and inversion.model == DEFAULT_MODEL and Path(source.name).stem == opened.stem:
        path = find_photo(inversion, opened.path.absolute().parent, named, opened.stem)
        words.insert(1, str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
    return f"Hair and skin join more closely after a longer search: `{shlex.join(words)}`, then this edit again."


def _where(
    settings: EditSettings,
    opened: "OpenRecord",
    changes: "Sequence[_Change]",
) -> RegionOptions:
    """The regions to change: as given, or for an edit of the face that is pasted back its own."""
    where = settings.where
    if where.region == [EVERYWHERE]:
        return replace(where, region=[])
    # A style and a camera change the whole picture.
    if where.region or not settings.output.paste_back or settings.on.style or settings.on.camera:
        return where
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.regions.joining import can_join
    from stylegan_latents.editing.regions.parts import stored_parts
    from stylegan_latents.editing.regions.regions import own_region

    def joins() -> bool:
        return can_join(opened.generator, stored_parts(opened.unstyled))

    scores = [str(one.provenance.get("score", "")) if isinstance(one, Direction) else "" for one in changes]
    wanted = [name for name, _ in settings.change.values_wanted]
    own = own_region([*scores, *wanted], lambda side: opened.picture(size=side), joins)
    if own is None:
        return where
    region, blend = own
    print(f"Changing only the {region}, so that hair and clothes stay; --region all changes the whole picture.")
    return replace(where, region=[region], blend=BlendName(blend))


def _only_look(settings: "EditSettings") -> str:
    """What an edit is called that is a style or a view and nothing else."""
    return "style" if settings.on.style else "view"


def _files(settings: EditSettings, stem: str) -> "tuple[Path, Path | None, bool]":
    """The picture's file, the sheet's if one is wanted, and whether the picture exists already."""
    output = settings.output
    default = f"{stem}{'.pasted' if output.paste_back else ''}.png"
    file = placed(output.out, default)
    # The default name holds the whole edit, so that at most the sheet is missing.
    is_there = (output.sheet or settings.every) and not output.overwrite and file.name == default and file.is_file()
    if not is_there:
        file = picture_target(output.out, default, output.overwrite)
    return file, sheet_target(file, output.overwrite) if output.sheet else None, is_there


def _sheet(opened: "OpenRecord", before: "Image", after: "Image", title: str, named: "Path | None") -> "Image":
    """The photo, if it is found, the inversion and the edit side by side."""
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet

    titles, pictures = ["inversion", title], [before, after]
    try:
        pictures.insert(0, opened.crop(opened.photo(named)))
        titles.insert(0, "photo")
    except InputError as error:
        if named is not None:
            raise
        print(printable(f"The sheet is without the photo: {error}"))
    return contact_sheet([pictures], titles)


def _scorer(
    change: ChangeOptions, guided: "Sequence[Direction | PublishedDirection]", flow: "AttributeFlow | None"
) -> "Scorer | None":
    """What measures targets and attributes, if needed; InputError if it does not measure what targets change."""
    if not guided and not change.needs_scorer(flow):
        return None
    from stylegan_latents.editing.evaluation.inputs import open_scorer
    from stylegan_latents.editing.strengths.guided import check_target
    from stylegan_latents.generator.cli.progress import show_work

    # A flow names the scorer that it was trained with, unless another one is given.
    own = flow.scorer if flow is not None and change.scorer == "faces" else ""
    with show_work() as begin:
        scorer = open_scorer(own or change.scorer, (), begin, trusted=change.trust_scorer)
    for direction, (_, wanted) in zip(guided, change.targets, strict=True):
        check_target(direction, wanted, scorer)
    return scorer


def _with_strengths(changes: "Sequence[_Change]", strengths: "Sequence[float]") -> "list[tuple[_Change, float]]":
    """Each direction or mapper with its strength; the default ones, where none were given, are printed."""
    if strengths:
        return pair(changes, strengths)
    pairs = [(one, default_strength(one)) for one in changes]
    for one, amount in pairs:
        print(printable(f"{one.name} by {amount:+g}, as there is no --strength"))
    return pairs


def _check_film_options(settings: EditSettings) -> None:
    """Raise InputError for options that are for photos alone."""
    change, sheet = settings.change, settings.output.sheet
    region = [one for one in settings.where.region if one != EVERYWHERE]
    for name, value in (
        ("--target", change.target), ("--keep-identity", change.keep_identity),
        ("--region", region), ("--sheet", sheet), ("--person", change.person), ("--flow", change.flow),
    ):  # fmt: skip
        if value:
            raise InputError(f"{name} is for photos, and this record is a film's; leave it out.")
