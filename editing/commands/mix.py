"""The command ``edit mix``: style mixing, and parts of one picture in another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from stylegan_latents.editing.commands.options import (
    BlendName,
    DrawingOptions,
    PictureOutput,
    RegionOptions,
    Truncation,
)
from stylegan_latents.editing.commands.parts import THRESHOLD, check_threshold, share_parts, threshold_name
from stylegan_latents.editing.records.outputs import file_name, free, picture_target
from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.editing.mixing.mixing import Donor
    from stylegan_latents.editing.records.codes import Code, CodeSource
    from stylegan_latents.editing.regions.parts import Parts
    from stylegan_latents.generator.generator import Generator

mix_app = new_app()


@dataclass(frozen=True)
class MixOutput(PictureOutput):
    """Output options of ``edit mix``."""

    panel: ClassVar[str] = "Output"
    record: Annotated[bool, typer.Option("--record", help="Also write a record, for further edits.")] = False


@dataclass(frozen=True)
class MixSettings:
    """Arguments and options of ``edit mix``; InputError if they contradict or require one another."""

    panel: ClassVar[str] = "Mix"
    sources: Annotated[
        list[str],
        typer.Argument(help="The receiver, then donors: records, inverted photos, or seed:5.", metavar="A B..."),
    ]
    layers: Annotated[
        list[str],
        typer.Option(
            help="Layers of each donor: coarse, middle, fine, or rows such as 0-3,7; middle for a --region.",
            metavar="LAYERS",
        ),
    ] = field(default_factory=list)
    strength: Annotated[
        list[float], typer.Option("--strength", "-s", help="Share of each donor, from 0 to 1; 1 by default.")
    ] = field(default_factory=list)
    part: Annotated[
        list[str],
        typer.Option(
            help="Transfer a part in the receiver's pose: eyes, nose, mouth, hair, skin, body, background; see "
            "`edit parts`. Repeatable: all of one donor, or one of each.",
            metavar="NAME",
        ),
    ] = field(default_factory=list)
    by: Annotated[
        Literal["search", "channels"] | None,
        typer.Option(
            help="How a --part is transferred: search gives its outline and colour, in half a minute, the default "
            "for eyes, nose, mouth and hair of people; channels its style, at once."
        ),
    ] = None
    threshold: Annotated[
        float | None,
        typer.Option(
            help=f"For --by channels: smallest share of a style channel's effect in the --part; {THRESHOLD:g} by "
            "default."
        ),
    ] = None
    only: Annotated[
        Literal["x", "text", "geometry", "appearance"] | None,
        typer.Option(
            help="Take a part of the donors' codes: of a StyleGAN-T with texts, x (their look) or text; "
            "of a StyleNeRF, geometry or appearance."
        ),
    ] = None
    matrix: Annotated[bool, typer.Option("--matrix", help="A figure of every mix of two.")] = False
    column: Annotated[list[str], typer.Option(help="A donor in a --matrix; all by default.", metavar="B")] = field(
        default_factory=list
    )
    truncation: Truncation = 0.7
    where: RegionOptions = field(default_factory=RegionOptions)
    output: MixOutput = field(default_factory=MixOutput)
    on: DrawingOptions = field(default_factory=DrawingOptions)

    def __post_init__(self) -> None:
        if self.column and not self.matrix:
            raise InputError("--column belongs to --matrix; add that, or name the donor after the receiver.")
        if self.matrix and (self.where.region or self.part):
            raise InputError("A --matrix shows whole pictures; leave out --region and --part.")
        if self.only and (self.matrix or self.part):
            raise InputError("--only splits the codes of whole layers; leave out --matrix and --part.")
        if self.output.record and (self.matrix or self.where.region or self.part):
            raise InputError("A --record is of one whole picture; leave out --matrix, --region and --part.")
        if self.threshold is not None and not self.part:
            raise InputError("--threshold needs a --part, such as --part hair.")
        if self.by is not None and not self.part:
            raise InputError("--by is for a --part; name one, such as --part hair.")
        if self.by == "search" and (self.threshold is not None or self.layers):
            raise InputError("--threshold and --layers choose style channels; take --by channels with them.")
        check_threshold(self.least)
        if self.part and self.where.blend is BlendName.features:
            raise InputError("A --part cannot be blended in the features; leave out --blend features.")
        self.where.check()
        if len(self.sources) < 2 and not self.column:
            raise InputError("A mix needs at least two pictures, a receiver and a donor.")
        if not self.layers and not self.only and not self.where.region and not self.part:
            raise InputError("Say what to mix, such as --part hair, --region eyes or --layers coarse.")

    @property
    def least(self) -> float:
        """The threshold in use."""
        return THRESHOLD if self.threshold is None else self.threshold

    def by_search(self, G: "Generator", found: "Parts", names: Sequence[str]) -> bool:
        """Whether parts are transferred by a search; InputError if that is asked for and cannot be done."""
        from stylegan_latents.editing.mixing.transplant import TRANSPLANTED, can_transplant

        if self.by == "search" and not can_transplant(G, found, names):
            raise InputError(
                f"A search transfers {', '.join(TRANSPLANTED)} in flat pictures of people; take --by channels."
            )
        # Styles change the pictures that an encoder has to recognise.
        chosen = self.by is None and self.threshold is None and not self.layers and self.on.find_style() is None
        return self.by == "search" or (chosen and can_transplant(G, found, names))


@mix_app.command(
    epilog=examples(
        "edit mix me.jpg you.jpg --layers coarse",
        "edit mix me.jpg you.jpg seed:5 --layers coarse --layers fine",
        "edit mix me.jpg you.jpg --region eyes",
        "edit mix me.jpg you.jpg --part hair",
        "edit mix A B C --matrix --layers coarse",
        "edit mix seed:1@0 seed:2@1 --model two-texts.safetensors --only text",
    )
)
@takes(MixSettings)
def mix(settings: MixSettings) -> None:
    """Replace the coarse, middle or fine styles of a picture, or a part of it, by those of others."""
    from stylegan_latents.editing.mixing.mixing import check_apart, mixed_record, share_out
    from stylegan_latents.editing.records.codes import check_not_a_source, read_sources
    from stylegan_latents.editing.regions.regions import check_regions
    from stylegan_latents.invert.photos.files import save_picture
    from stylegan_latents.invert.record.files import record_name

    output = settings.output
    check_regions(settings.where.region)
    donors = [] if settings.matrix else settings.sources[1:]
    # Geometry lies outside of the middle layers, which are the default of a region.
    whole = settings.part or (settings.only and (not settings.where.region or settings.only == "geometry"))
    layers = settings.layers or ["all" if whole else "middle"]
    shared = share_out(["all"] if settings.matrix else donors, layers, settings.strength or [1.0])
    parts = share_parts(donors, settings.part) if settings.part else []
    sources = read_sources([*settings.sources, *settings.column])
    target = picture_target(output.out, _name(sources, shared, parts, settings), output.overwrite)
    files = [target]
    if output.record:
        files.append(free(target.with_name(record_name(target.stem)), output.overwrite))
    for path in files:
        check_not_a_source(path, sources)
    G, codes = settings.on.open_sources(sources, settings.truncation)
    rows = [G.rows(text) for text, _ in shared]
    if not settings.matrix and not parts:
        check_apart(donors, rows)
    if settings.matrix:
        picture = _matrix(G, codes, len(settings.sources), rows[0], shared[0][1])
    else:
        given = list(zip(codes[1:], rows, (amount for _, amount in shared), strict=True))
        picture = _mixed(G, codes[0], given, parts, settings)
        if output.record:
            names = [code.name for code in codes[1:]]
            mixed_record(G, codes[0], _donors(G, given, settings.only), names).save(
                files[1], overwrite=output.overwrite
            )
    save_picture(picture, target, overwrite=output.overwrite)
    for path in files:
        print(printable(f"Wrote {path}"))


def _matrix(
    G: "Generator", codes: "Sequence[Code]", receivers: int, rows: Sequence[int], strength: float
) -> "Image.Image":
    """The matrix of the first codes with the styles of the others, or of each with those of each."""
    from stylegan_latents.editing.mixing.pictures import check_cells, matrix_figure
    from stylegan_latents.generator.cli.progress import show_count

    left, top = codes[:receivers], codes[receivers:] or codes[:receivers]
    with show_count("matrix", check_cells(len(left), len(top)), "picture") as count:
        return matrix_figure(G, left, top, rows, strength, on_picture=count)


def _mixed(
    G: "Generator",
    receiver: "Code",
    given: "Sequence[tuple[Code, Sequence[int], float]]",
    parts: Sequence[Sequence[str]],
    settings: MixSettings,
) -> "Image.Image":
    """The receiver with whole rows, or parts, of the donors."""
    from stylegan_latents.editing.commands.parts import catalogue
    from stylegan_latents.editing.mixing.by_part import PartDonor
    from stylegan_latents.editing.mixing.pictures import mixed_picture

    weights = []
    if parts:
        found = catalogue(G)
        names = [found.names[found.index(one)] for several in parts for one in several]
        if settings.by_search(G, found, names):
            return _transplanted(G, receiver, given, parts, found, settings.where.region)
        weights = [found.weights(several, settings.least) for several in parts]
    by_part = [
        PartDonor(code.ws, channels, amount, one)
        for channels, (code, one, amount) in zip(weights, given, strict=bool(parts))
    ]
    donors = [] if parts else _donors(G, given, settings.only)
    where = settings.where
    return mixed_picture(G, receiver, donors, parts=by_part, regions=where.region, blend=where.blend.value)


def _transplanted(
    G: "Generator",
    receiver: "Code",
    given: "Sequence[tuple[Code, Sequence[int], float]]",
    parts: Sequence[Sequence[str]],
    found: "Parts",
    regions: Sequence[str],
) -> "Image.Image":
    """The receiver with parts of the donors, by a search."""
    from stylegan_latents.editing.mixing.transplant import Transplant, transplanted
    from stylegan_latents.generator.cli.progress import show_work

    donors = [
        Transplant(code, [one.strip().lower() for one in several], amount)
        for (code, _, amount), several in zip(given, parts, strict=True)
    ]
    with show_work() as begin:
        return transplanted(G, receiver, donors, found, regions=regions, on_step=begin("searching"))


def _donors(
    G: "Generator", given: "Sequence[tuple[Code, Sequence[int], float]]", only: str | None
) -> "list[Donor]":
    from stylegan_latents.editing.mixing.mixing import donor_of

    return [donor_of(G, code.ws, rows, amount, only) for code, rows, amount in given]


def _name(
    sources: "Sequence[CodeSource]",
    shared: Sequence[tuple[str, float]],
    parts: Sequence[Sequence[str]],
    settings: MixSettings,
) -> str:
    """The picture's default name: ``me.mix.you-coarse.png``, ``me.mix.you-eyes.threshold0.1.mouth.png``."""
    first = sources[0].name
    if settings.matrix:
        return file_name([first, "matrix", shared[0][0], *settings.on.look_label()])
    given = []
    for index, (source, (layers, amount)) in enumerate(zip(sources[1:], shared, strict=True)):
        what = [part.strip().lower() for part in parts[index]] if parts else [layers]
        what += [settings.by] if settings.by else []
        if parts and layers != "all":
            what.append(layers)
        what += [settings.only] if settings.only else []
        given.append("-".join([source.name, *what]) + ("" if amount == 1 else f"x{amount:g}"))
    threshold = threshold_name(settings.least) if parts else []
    return file_name([first, "mix", *given, *threshold, *settings.where.names, *settings.on.look_label()])
