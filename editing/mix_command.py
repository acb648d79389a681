"""The command ``edit mix``: styles of some pictures given to another."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from editing.parts_command import THRESHOLD
from generator.command import new_app
from generator.errors import InputError

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from editing.sources import Code
    from generator.generator import Generator

mix_app = new_app()

MOST_CELLS = 400
_CELL = 256


class BlendName(StrEnum):
    """Where a region is joined."""

    image = "image"
    features = "features"


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
        typer.Option(help="What each giver gives: coarse, middle, fine, rows as 0-3,7; middle for a --region."),
    ] = None,
    strength: Annotated[
        list[float] | None,
        typer.Option("--strength", "-s", help="From 0, nothing, to 1, all of it; one for each giver."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="Only here: eyes, nose, mouth, hair, face, background, or a mask's file.", metavar="NAME|FILE"
        ),
    ] = None,
    blend: Annotated[
        BlendName, typer.Option(help="Join a region in the image, or in the network's features.")
    ] = BlendName.image,
    part: Annotated[
        list[str] | None,
        typer.Option(
            help="Give a part by its style channels, in the receiver's pose: eyes, nose, mouth, hair, skin, body, "
            "background; `edit parts` shows them. Repeatable: all of one giver, or one of each.",
            metavar="NAME",
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="How much of a style channel's change has to lie in the --part.")
    ] = THRESHOLD,
    matrix: Annotated[bool, typer.Option("--matrix", help="A figure of each with the styles of each.")] = False,
    columns: Annotated[
        list[str] | None, typer.Option("--column", help="Who gives in a --matrix; all by default.", metavar="B")
    ] = None,
    truncation: Annotated[float, typer.Option(help="Of seeds: 1 as drawn, 0 the mean face.")] = 0.7,
    out: Annotated[
        Path | None, typer.Option(help="The picture's name, or a folder for it.", metavar="FILE|DIR")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a picture that exists.")] = False,
    model: Annotated[
        str | None, typer.Option(help="The generator; the records' by default.", metavar="NAME|PATH")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...", metavar="DEVICE")] = None,
) -> None:
    """Give a picture the coarse, middle or fine styles of others."""
    from editing.mixing import check_apart, share_out
    from editing.outputs import picture_target
    from editing.parts_command import channel_weights, check_threshold, share_parts
    from editing.regions import check_regions
    from editing.sources import check_not_a_source, open_codes
    from invert.photo import save_picture

    if columns and not matrix:
        raise InputError("--column belongs to --matrix; add that, or name the giver after the receiver.")
    if matrix and (region or part):
        raise InputError("A --matrix shows whole pictures; leave out --region and --part.")
    if part:
        check_threshold(threshold)
        if blend is BlendName.features:
            raise InputError("A --part is drawn whole, not blended in the features; leave out --blend features.")
    if len(sources) < 2 and not columns:
        raise InputError("A mix needs two pictures at least: who receives, and who gives.")
    if not layers and not region and not part:
        raise InputError("Say which styles are given, such as --layers coarse, or where, such as --region eyes.")
    check_regions(region or [])
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
    check_not_a_source(target, codes)
    if matrix:
        receivers = codes[: len(sources)]
        picture = _matrix(G, receivers, codes[len(sources) :] or receivers, rows[0], shared[0][1])
    else:
        amounts = [amount for _, amount in shared]
        weights = channel_weights(G, parts, threshold) if parts else []
        picture = _mixed(G, codes, rows, amounts, region or [], blend, weights)
    save_picture(picture, target, overwrite=overwrite)
    print(f"Wrote {target}")


def _mixed(
    G: "Generator",
    codes: "list[Code]",
    rows: list[list[int]],
    strengths: list[float],
    region: list[str],
    blend: BlendName,
    weights: "list[Tensor]",
) -> "Image.Image":
    """The picture; ``weights`` are the style channels of each giver's parts, none for whole rows."""
    import torch

    from editing.mixing import Donor, mix
    from editing.part_mixing import PartDonor, mix_parts
    from invert.photo import to_picture

    first = codes[0]
    givers = list(zip(codes[1:], rows, strengths, strict=True))
    # What was tuned to the receiver's photo is the receiver's, as the rest of the picture is.
    G = first.drawn_by(G)
    whole = [] if weights else [Donor(code.ws, given, amount) for code, given, amount in givers]
    mixed = mix(first.ws, whole)
    with torch.inference_mode():
        donors = [
            PartDonor(code.ws, channels, amount, given)
            for channels, (code, given, amount) in zip(weights, givers, strict=bool(weights))
        ]
        styles = mix_parts(G, mixed, donors)
        after = to_picture(G.synthesize_styles(styles, first.noise_or_const))[0]
        if not region:
            return after
        before = to_picture(G.synthesize(first.ws, first.noise_or_const))[0]
    from editing.blending import blend_pictures, synthesize_blended
    from editing.regions import WITHIN_SKIN, region_masks, to_mask_tensor

    mask = region_masks(region, [before, after], name=first.name)
    if blend == BlendName.image:
        skin = all(one.strip().lower() in WITHIN_SKIN for one in region)
        return blend_pictures(before, after, mask, match_colours=skin)
    blended = synthesize_blended(G, first.ws, mixed, to_mask_tensor(mask, mixed), first.noise_or_const)
    return to_picture(blended)[0]


def _matrix(
    G: "Generator", receivers: "list[Code]", givers: "list[Code]", rows: list[int], strength: float
) -> "Image.Image":
    """Receivers down the left side, givers along the top, each mix where they meet."""
    import torch
    from PIL import Image

    from editing.counting import show_count
    from editing.mixing import mix_matrix
    from invert.photo import to_picture
    from invert.sheet import contact_sheet

    cells = (len(receivers) + 1) * (len(givers) + 1) - 1
    if cells > MOST_CELLS:
        raise InputError(f"This matrix has {cells} pictures, more than {MOST_CELLS}; name fewer sources.")
    side = min(_CELL, G.resolution)

    with show_count("matrix", cells, "picture") as count, torch.inference_mode():

        def draw(ws: "Tensor", code: "Code") -> "Image.Image":
            count()
            return to_picture(code.drawn_by(G).synthesize(ws, code.noise_or_const, size=side))[0]

        mixed = mix_matrix(
            torch.cat([code.ws for code in receivers]), torch.cat([code.ws for code in givers]), rows, strength
        )
        figure = [[Image.new("RGB", (side, side), "white"), *(draw(code.ws, code) for code in givers)]]
        for code, line in zip(receivers, mixed, strict=True):
            figure.append(
                [draw(code.ws, code), *(draw(ws, code) for ws in (line[i : i + 1] for i in range(len(line))))]
            )
    titles = ["", *(code.name for code in givers)]
    return contact_sheet(figure, titles, ["", *(code.name for code in receivers)], cell=side)


def _name(codes: "list[Code]", shared: list[tuple[str, float]], region: list[str] | None, matrix: bool) -> str:
    """What the picture is called: ``me.mix.you-coarse.png``."""
    from editing.outputs import file_name

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
    from editing.outputs import file_name

    given = [
        "-".join([code.name, *(part.strip().lower() for part in one), *([] if text == "all" else [text])])
        + ("" if amount == 1 else f"x{amount:g}")
        for code, one, (text, amount) in zip(codes[1:], parts, shared, strict=True)
    ]
    return file_name([codes[0].name, "mix", *given, *(Path(one).stem for one in region)])
