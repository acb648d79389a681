"""The command ``edit mix``: styles of some pictures given to another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.commands.options import (
    Blend,
    BlendName,
    Device,
    Overwrite,
    PictureOut,
    RecordsModel,
    Regions,
    Truncation,
    check_blend,
)
from stylegan_latents.editing.commands.parts import THRESHOLD
from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from stylegan_latents.editing.records.codes import Code

mix_app = new_app()


@mix_app.command(
    epilog="Examples: edit mix me.jpg you.jpg --layers coarse   edit mix me.jpg you.jpg seed:5 --layers coarse "
    "--layers fine   edit mix me.jpg you.jpg --region eyes   edit mix me.jpg you.jpg --part eyes   "
    "edit mix A B C --matrix --layers coarse"
)
def mix(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Who receives, then who gives: records, inverted photos, seeds such as seed:5.", metavar="A B..."
        ),
    ],
    layers: Annotated[
        list[str] | None,
        typer.Option(
            help="What each giver gives: coarse, middle, fine, rows as 0-3,7; middle for a --region.",
            metavar="LAYERS",
        ),
    ] = None,
    strength: Annotated[
        list[float] | None,
        typer.Option("--strength", "-s", help="From 0, nothing, to 1, all of it; one for each giver."),
    ] = None,
    region: Regions = None,
    blend: Blend = BlendName.image,
    part: Annotated[
        list[str] | None,
        typer.Option(
            help="Give a part by its style channels, in the receiver's pose: eyes, nose, mouth, hair, skin, body, "
            "background; `edit parts` shows them. Repeatable: all of one giver, or one of each.",
            metavar="NAME",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="How much of a style channel's change has to lie in the --part; "
            f"{THRESHOLD:g} by default, less gives more."
        ),
    ] = None,
    matrix: Annotated[bool, typer.Option("--matrix", help="A figure of each with the styles of each.")] = False,
    columns: Annotated[
        list[str] | None, typer.Option("--column", help="Who gives in a --matrix; all by default.", metavar="B")
    ] = None,
    truncation: Truncation = 0.7,
    out: PictureOut = None,
    record: Annotated[
        bool, typer.Option("--record", help="Write a record beside the picture, which `edit` goes on from.")
    ] = False,
    overwrite: Overwrite = False,
    model: RecordsModel = None,
    device: Device = None,
) -> None:
    """Give a picture the coarse, middle or fine styles of others."""
    from stylegan_latents.editing.commands.parts import channel_weights, check_threshold, share_parts
    from stylegan_latents.editing.mixing.by_part import PartDonor
    from stylegan_latents.editing.mixing.mixing import Donor, check_apart, mixed_record, share_out
    from stylegan_latents.editing.mixing.pictures import check_cells, matrix_figure, mixed_picture
    from stylegan_latents.editing.records.codes import check_not_a_source, open_codes
    from stylegan_latents.editing.records.outputs import free, picture_target
    from stylegan_latents.editing.regions.regions import check_regions
    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.invert.photos.files import save_picture
    from stylegan_latents.invert.record.files import RECORD_SUFFIX

    if columns and not matrix:
        raise InputError("--column belongs to --matrix; add that, or name the giver after the receiver.")
    if matrix and (region or part):
        raise InputError("A --matrix shows whole pictures; leave out --region and --part.")
    if record and (matrix or region or part):
        raise InputError("A --record is of one whole picture; leave out --matrix, --region and --part.")
    if threshold is not None and not part:
        raise InputError("--threshold says which style channels give a --part; name one, such as --part hair.")
    least = THRESHOLD if threshold is None else threshold
    if part:
        check_threshold(least)
        if blend is BlendName.features:
            raise InputError("A --part is drawn whole, not blended in the features; leave out --blend features.")
    if len(sources) < 2 and not columns:
        raise InputError("A mix needs two pictures at least: who receives, and who gives.")
    if not layers and not region and not part:
        raise InputError("Say which styles are given, such as --layers coarse, or where, such as --region eyes.")
    check_regions(region or [])
    check_blend(blend, region)
    givers = [] if matrix else sources[1:]
    usual = "all" if part else "middle"
    shared = share_out(["all"] if matrix else givers, layers or [usual], strength or [1.0])
    parts = share_parts(givers, part) if part else []
    G, codes = open_codes([*sources, *(columns or [])], model=model, device=device, truncation=truncation)
    rows = [G.rows(text) for text, _ in shared]
    if not matrix and not parts:
        check_apart(givers, rows)
    name = _name(codes, shared, region, matrix) if not parts else _part_name(codes, shared, parts, region or [])
    target = picture_target(out, name, overwrite)
    new_record = free(target.with_name(f"{target.stem}{RECORD_SUFFIX}"), overwrite) if record else None
    for path in (target, new_record):
        if path is not None:
            check_not_a_source(path, codes)
    if matrix:
        receivers = codes[: len(sources)]
        along_the_top = codes[len(sources) :] or receivers
        cells = check_cells(len(receivers), len(along_the_top))
        with show_count("matrix", cells, "picture") as count:
            picture = matrix_figure(G, receivers, along_the_top, rows[0], shared[0][1], on_picture=count)
    else:
        givers_of = list(zip(codes[1:], rows, (amount for _, amount in shared), strict=True))
        given = [] if parts else [Donor(code.ws, one, amount) for code, one, amount in givers_of]
        weights = channel_weights(G, parts, least) if parts else []
        by_part = [
            PartDonor(code.ws, channels, amount, one)
            for channels, (code, one, amount) in zip(weights, givers_of, strict=bool(parts))
        ]
        picture = mixed_picture(G, codes[0], given, parts=by_part, regions=region or [], blend=blend.value)
        if new_record is not None:
            made = mixed_record(G, codes[0], given, [code.name for code in codes[1:]])
            made.save(new_record, overwrite=overwrite)
    save_picture(picture, target, overwrite=overwrite)
    for path in (target, new_record):
        if path is not None:
            print(printable(f"Wrote {path}"))


def _name(codes: "list[Code]", shared: list[tuple[str, float]], region: list[str] | None, matrix: bool) -> str:
    """What the picture is called: ``me.mix.you-coarse.png``."""
    from stylegan_latents.editing.records.outputs import file_name

    if matrix:
        return file_name([codes[0].name, "matrix", shared[0][0]])
    parts = [
        f"{code.name}-{text}{'' if amount == 1 else f'x{amount:g}'}"
        for code, (text, amount) in zip(codes[1:], shared, strict=True)
    ]
    return file_name([codes[0].name, "mix", *parts, *(Path(one).stem for one in region or [])])


def _part_name(
    codes: "list[Code]", shared: list[tuple[str, float]], parts: list[list[str]], region: list[str]
) -> str:
    """The same for parts: ``me.mix.you-eyes.png``."""
    from stylegan_latents.editing.records.outputs import file_name

    given = [
        "-".join([code.name, *(part.strip().lower() for part in one), *([] if text == "all" else [text])])
        + ("" if amount == 1 else f"x{amount:g}")
        for code, one, (text, amount) in zip(codes[1:], parts, shared, strict=True)
    ]
    return file_name([codes[0].name, "mix", *given, *(Path(one).stem for one in region)])
