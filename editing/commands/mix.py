"""The command ``edit mix``: styles of some pictures given to another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import (
    BlendName,
    Out,
    Overwrite,
    RecordsModelOptions,
    RegionOptions,
    Truncation,
)
from stylegan_latents.editing.commands.parts import THRESHOLD, check_threshold, share_parts, threshold_name
from stylegan_latents.editing.records.outputs import file_name, free, picture_target
from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.editing.mixing.mixing import Donor
    from stylegan_latents.editing.records.codes import Code, CodeSource
    from stylegan_latents.generator.generator import Generator

mix_app = new_app()


@dataclass(frozen=True)
class MixOutput:
    """Where a mix goes."""

    panel: ClassVar[str] = "Output"
    out: Out = None
    record: Annotated[
        bool, typer.Option("--record", help="Write a record beside the picture, which `edit` goes on from.")
    ] = False
    overwrite: Overwrite = False


@dataclass(frozen=True)
class MixSettings:
    """What ``edit mix`` takes.

    Raises:
        InputError: options contradict one another, or nothing is given.
    """

    panel: ClassVar[str] = "Mix"
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Who receives, then who gives: records, inverted photos, seeds such as seed:5.", metavar="A B..."
        ),
    ]
    layers: Annotated[
        list[str],
        typer.Option(
            help="What each giver gives: coarse, middle, fine, rows as 0-3,7; middle for a --region.",
            metavar="LAYERS",
        ),
    ] = field(default_factory=list)
    strength: Annotated[
        list[float],
        typer.Option(
            "--strength", "-s", help="From 0, nothing, to 1, all of it; one for each giver; 1 by default."
        ),
    ] = field(default_factory=list)
    part: Annotated[
        list[str],
        typer.Option(
            help="Give a part by its style channels, in the receiver's pose: eyes, nose, mouth, hair, skin, body, "
            "background; `edit parts` shows them. Repeatable: all of one giver, or one of each.",
            metavar="NAME",
        ),
    ] = field(default_factory=list)
    threshold: Annotated[
        float | None,
        typer.Option(
            help="How much of a style channel's change has to lie in the --part; "
            f"{THRESHOLD:g} by default, less gives more."
        ),
    ] = None
    matrix: Annotated[bool, typer.Option("--matrix", help="A figure of each with the styles of each.")] = False
    column: Annotated[list[str], typer.Option(help="Who gives in a --matrix; all by default.", metavar="B")] = (
        field(default_factory=list)
    )
    truncation: Truncation = 0.7
    where: RegionOptions = field(default_factory=RegionOptions)
    output: MixOutput = field(default_factory=MixOutput)
    on: RecordsModelOptions = field(default_factory=RecordsModelOptions)

    def __post_init__(self) -> None:
        if self.column and not self.matrix:
            raise InputError("--column belongs to --matrix; add that, or name the giver after the receiver.")
        if self.matrix and (self.where.region or self.part):
            raise InputError("A --matrix shows whole pictures; leave out --region and --part.")
        if self.output.record and (self.matrix or self.where.region or self.part):
            raise InputError("A --record is of one whole picture; leave out --matrix, --region and --part.")
        if self.threshold is not None and not self.part:
            raise InputError("--threshold says which style channels give a --part; name one, such as --part hair.")
        check_threshold(self.least)
        if self.part and self.where.blend is BlendName.features:
            raise InputError("A --part is drawn whole, not blended in the features; leave out --blend features.")
        self.where.check()
        if len(self.sources) < 2 and not self.column:
            raise InputError("A mix needs two pictures at least: who receives, and who gives.")
        if not self.layers and not self.where.region and not self.part:
            raise InputError(
                "Say which styles are given, such as --layers coarse, or where, such as --region eyes."
            )

    @property
    def least(self) -> float:
        """The threshold in use."""
        return THRESHOLD if self.threshold is None else self.threshold


@mix_app.command(
    epilog="Examples:\n\nedit mix me.jpg you.jpg --layers coarse\n\n"
    "edit mix me.jpg you.jpg seed:5 --layers coarse --layers fine\n\nedit mix me.jpg you.jpg --region eyes\n\n"
    "edit mix me.jpg you.jpg --part eyes\n\nedit mix A B C --matrix --layers coarse"
)
@takes(MixSettings)
def mix(settings: MixSettings) -> None:
    """Give a picture the coarse, middle or fine styles of others."""
    from stylegan_latents.editing.mixing.mixing import check_apart, mixed_record, share_out
    from stylegan_latents.editing.records.codes import check_not_a_source, open_sources, read_sources
    from stylegan_latents.editing.regions.regions import check_regions
    from stylegan_latents.invert.photos.files import save_picture
    from stylegan_latents.invert.record.files import RECORD_SUFFIX

    output = settings.output
    check_regions(settings.where.region)
    givers = [] if settings.matrix else settings.sources[1:]
    usual = "all" if settings.part else "middle"
    shared = share_out(
        ["all"] if settings.matrix else givers, settings.layers or [usual], settings.strength or [1.0]
    )
    parts = share_parts(givers, settings.part) if settings.part else []
    sources = read_sources([*settings.sources, *settings.column])
    target = picture_target(output.out, _name(sources, shared, parts, settings), output.overwrite)
    new_record = (
        free(target.with_name(f"{target.stem}{RECORD_SUFFIX}"), output.overwrite) if output.record else None
    )
    files = [target] if new_record is None else [target, new_record]
    for path in files:
        check_not_a_source(path, sources)
    G, codes = open_sources(
        sources, model=settings.on.model, device=settings.on.device, truncation=settings.truncation
    )
    rows = [G.rows(text) for text, _ in shared]
    if not settings.matrix and not parts:
        check_apart(givers, rows)
    if settings.matrix:
        picture = _matrix(G, codes, len(settings.sources), rows[0], shared[0][1])
    else:
        given = list(zip(codes[1:], rows, (amount for _, amount in shared), strict=True))
        picture = _mixed(G, codes[0], given, parts, settings)
        if new_record is not None:
            names = [code.name for code in codes[1:]]
            mixed_record(G, codes[0], _donors(given), names).save(new_record, overwrite=output.overwrite)
    save_picture(picture, target, overwrite=output.overwrite)
    for path in files:
        print(printable(f"Wrote {path}"))


def _matrix(
    G: "Generator", codes: "Sequence[Code]", receivers: int, rows: Sequence[int], strength: float
) -> "Image.Image":
    """The figure of the first codes with the styles of the others, or of each with those of each."""
    from stylegan_latents.editing.mixing.pictures import check_cells, matrix_figure
    from stylegan_latents.generator.cli.progress import show_count

    below, along_the_top = codes[:receivers], codes[receivers:] or codes[:receivers]
    with show_count("matrix", check_cells(len(below), len(along_the_top)), "picture") as count:
        return matrix_figure(G, below, along_the_top, rows, strength, on_picture=count)


def _mixed(
    G: "Generator",
    receiver: "Code",
    given: "Sequence[tuple[Code, Sequence[int], float]]",
    parts: Sequence[Sequence[str]],
    settings: MixSettings,
) -> "Image.Image":
    """The receiver with what each gives: whole rows, or the style channels of its parts."""
    from stylegan_latents.editing.commands.parts import channel_weights
    from stylegan_latents.editing.mixing.by_part import PartDonor
    from stylegan_latents.editing.mixing.pictures import mixed_picture

    weights = channel_weights(G, parts, settings.least) if parts else []
    by_part = [
        PartDonor(code.ws, channels, amount, one)
        for channels, (code, one, amount) in zip(weights, given, strict=bool(parts))
    ]
    return mixed_picture(
        G,
        receiver,
        [] if parts else _donors(given),
        parts=by_part,
        regions=settings.where.region,
        blend=settings.where.blend.value,
    )


def _donors(given: "Sequence[tuple[Code, Sequence[int], float]]") -> "list[Donor]":
    from stylegan_latents.editing.mixing.mixing import Donor

    return [Donor(code.ws, rows, amount) for code, rows, amount in given]


def _name(
    sources: "Sequence[CodeSource]",
    shared: Sequence[tuple[str, float]],
    parts: Sequence[Sequence[str]],
    settings: MixSettings,
) -> str:
    """What the picture is called: ``me.mix.you-coarse.png``, ``me.mix.you-eyes.threshold0.1.mouth.png``."""
    first = sources[0].name
    if settings.matrix:
        return file_name([first, "matrix", shared[0][0]])
    given = []
    for index, (source, (layers, amount)) in enumerate(zip(sources[1:], shared, strict=True)):
        what = [part.strip().lower() for part in parts[index]] if parts else [layers]
        if parts and layers != "all":
            what.append(layers)
        given.append("-".join([source.name, *what]) + ("" if amount == 1 else f"x{amount:g}"))
    threshold = threshold_name(settings.least) if parts else []
    return file_name([first, "mix", *given, *threshold, *settings.where.names])
