"""The commands ``edit parts`` and ``edit retrieve``, and the ``--part`` of other commands.

``edit retrieve`` finds codes similar to one in a part (Chong et al., "Retrieve in Style", 2021).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import DrawingOptions, PictureOutput, Truncation
from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.records.codes import Code
    from stylegan_latents.editing.regions.parts import Parts
    from stylegan_latents.generator.generator import Generator

parts_app, retrieve_app = new_app(), new_app()
THRESHOLD = 0.3
"""Smallest share of a style channel's change that lies in a part for the channel to belong to it."""
_CELL, _DIMMED = 256, 0.2


@dataclass(frozen=True)
class PartsSettings:
    """Arguments and options of ``edit parts``."""

    sources: Annotated[
        list[str], typer.Argument(help="Records, inverted photos, seeds; six seeds by default.", metavar="A...")
    ] = field(default_factory=list)
    truncation: Truncation = 0.7
    output: PictureOutput = field(default_factory=PictureOutput)
    on: DrawingOptions = field(default_factory=DrawingOptions)


@parts_app.command(
    epilog=examples(
        "edit parts",
        "edit parts me.jpg seed:3",
        "edit parts --model cats.pkl --out cats.png",
        "edit mix me.jpg you.jpg --part eyes",
    )
)
@takes(PartsSettings)
def parts(settings: PartsSettings) -> None:
    """Show the parts of a model's pictures, for `edit mix --part`; found at the first call, then cached."""
    from stylegan_latents.editing.records.codes import check_not_a_source, read_sources
    from stylegan_latents.editing.records.outputs import picture_target
    from stylegan_latents.invert.photos.files import save_picture

    overwrite = settings.output.overwrite
    target = picture_target(settings.output.out, ".".join(["parts", *settings.on.look_label(), "png"]), overwrite)
    sources = read_sources(settings.sources or [f"seed:{seed}" for seed in range(6)])
    check_not_a_source(target, sources)
    G, codes = settings.on.open_sources(sources, settings.truncation)
    found = catalogue(G)
    save_picture(parts_figure(G, found, codes), target, overwrite=overwrite)
    for index, name in enumerate(found.names):
        print(f"{name}: {int((found.shares[index] >= THRESHOLD).sum())} style channels")
    print(printable(f"Wrote {target}"))


def parts_figure(G: "Generator", parts: "Parts", codes: "Sequence[Code]") -> "Image.Image":
    """The pictures of codes, and below a row for each part with the rest dimmed."""
    import numpy as np
    import torch
    from PIL import Image

    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import to_picture

    side = min(_CELL, G.resolution)
    pictures, masks = [], []
    with torch.inference_mode():
        for code in codes:
            own = code.own_generator(G)
            images = own.synthesize(code.ws, code.noise_or_const, size=side)
            pictures.append(to_picture(images)[0].convert("RGB"))
            masks.append(parts.masks(own, code.ws)[0].numpy())
    rows = [pictures]
    for index in range(len(parts.names)):
        row = []
        for picture, mask in zip(pictures, masks, strict=True):
            light = Image.fromarray((255 * mask[index]).astype(np.uint8)).resize(picture.size)
            dimmed = Image.blend(Image.new("RGB", picture.size, "white"), picture, _DIMMED)
            row.append(Image.composite(picture, dimmed, light))
        rows.append(row)
    return contact_sheet(rows, [code.name for code in codes], ["", *parts.names], cell=side)


def share_parts(donors: Sequence[str], parts: Sequence[str]) -> list[list[str]]:
    """The parts of each donor, all of a single one or one of each; InputError if the counts do not fit."""
    if len(donors) == 1:
        return [list(parts)]
    if len(parts) != len(donors):
        raise InputError(f"Give one --part for each of the {len(donors)} donors, not {len(parts)}.")
    if len({part.strip().lower() for part in parts}) != len(parts):
        raise InputError("Two donors cannot give the same part; give each its own --part.")
    return [[part] for part in parts]


def check_threshold(threshold: float) -> None:
    """Raise InputError for a threshold outside of 0 to 1."""
    if not 0 <= threshold < 1:
        raise InputError(f"--threshold takes a share from 0 up to 1, such as {THRESHOLD}, not {threshold:g}.")


def threshold_name(threshold: float) -> list[str]:
    """A threshold's part of a file name; nothing for the default."""
    return [] if threshold == THRESHOLD else [f"threshold{threshold:g}"]


def catalogue(G: "Generator") -> "Parts":
    """``parts_of`` with a progress bar."""
    from stylegan_latents.editing.mixing.find_parts import parts_of
    from stylegan_latents.generator.cli.progress import show_work

    with show_work() as begin:
        return parts_of(G, begin)


@dataclass(frozen=True)
class RetrieveSettings:
    """Arguments and options of ``edit retrieve``."""

    panel: ClassVar[str] = "Search"
    query: Annotated[
        str, typer.Argument(help="A record, an inverted photo, or a seed such as seed:5.", metavar="A")
    ]
    part: Annotated[
        list[str],
        typer.Option(
            help="Part to compare: eyes, nose, mouth, hair, skin, body, background; see `edit parts`. Repeatable.",
            metavar="NAME",
        ),
    ] = field(default_factory=list)
    among: Annotated[
        str, typer.Option(help="What to search: seeds, or a folder of records.", metavar="SEEDS|FOLDER")
    ] = "seed:0-199"
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=99, help="How many to show.")] = 6
    threshold: Annotated[float, typer.Option(help="Smallest share of a channel's effect in the --part.")] = (
        THRESHOLD
    )
    strength: Annotated[float, typer.Option("--strength", "-s", help="Strength of the mixes, 0 to 1.")] = 1.0
    truncation: Truncation = 0.7
    output: PictureOutput = field(default_factory=PictureOutput)
    on: DrawingOptions = field(default_factory=DrawingOptions)


@retrieve_app.command(
    epilog=examples(
        "edit retrieve me.jpg --part hair --among seed:0-199",
        "edit retrieve seed:5 --part eyes --part nose --among records/",
        "edit mix me.jpg seed:57 --part hair",
    )
)
@takes(RetrieveSettings)
def retrieve(settings: RetrieveSettings) -> None:
    """Show the codes most similar to a picture in a part, and the picture with that part of each."""
    from stylegan_latents.editing.mixing.mixing import check_crossfade
    from stylegan_latents.editing.records.codes import check_not_a_source, read_sources
    from stylegan_latents.editing.records.outputs import file_name, picture_target
    from stylegan_latents.invert.photos.files import save_picture

    if not settings.part:
        raise InputError("Say what to compare, such as --part hair; `edit parts` shows all parts.")
    check_threshold(settings.threshold)
    check_crossfade(settings.strength)
    sources = read_sources([settings.query, *candidates(settings.among)])
    words = "-".join(one.strip().lower() for one in settings.part)
    name = file_name(
        [sources[0].name, "nearest", words, *threshold_name(settings.threshold), *settings.on.look_label()]
    )
    target = picture_target(settings.output.out, name, settings.output.overwrite)
    check_not_a_source(target, sources)
    G, (first, *others) = settings.on.open_sources(sources, settings.truncation)
    weights = catalogue(G).weights(settings.part, settings.threshold)
    others = [code for code in others if code.name != first.name] or others  # not the query itself
    found = nearest(G, first, others, weights, settings.count)
    figure = retrieval_figure(G, first, found, weights, settings.strength)
    save_picture(figure, target, overwrite=settings.output.overwrite)
    for code, distance in found:
        print(printable(f"{code.name}: {distance:.2f}"))
    print(printable(f"Wrote {target}"))


def candidates(text: str) -> list[str]:
    """The seeds of ``seed:0-199`` or ``torch-seed:0-199``, or a folder's records; InputError for neither."""
    from stylegan_latents.editing.samples.sampling import parse_seeds
    from stylegan_latents.invert.record.files import RECORD_SUFFIX

    scheme, _, seeds = text.partition(":")
    if scheme in ("seed", "torch-seed"):
        return [f"{scheme}:{seed}" for seed in parse_seeds(seeds)]
    folder = Path(text).expanduser()
    found = sorted(folder.glob(f"*{RECORD_SUFFIX}")) if folder.is_dir() else []
    if not found:
        raise InputError(f"--among takes seeds such as seed:0-199, or a folder of records; {text} is neither.")
    return [str(path) for path in found]


def nearest(
    G: "Generator", query: "Code", others: "Sequence[Code]", weights: "Tensor", count: int
) -> "list[tuple[Code, float]]":
    """The codes nearest to the query in the weighted channels, the nearest first, with their distances."""
    import torch

    from stylegan_latents.editing.mixing.by_part import part_distances

    distances = part_distances(G, query.ws, torch.cat([code.ws for code in others]), weights)
    order = distances.argsort(stable=True)[:count].tolist()
    return [(others[index], float(distances[index])) for index in order]


def retrieval_figure(
    G: "Generator", query: "Code", found: "Sequence[tuple[Code, float]]", weights: "Tensor", strength: float
) -> "Image.Image":
    """The query and the codes found; below, the query with the part of each."""
    import torch

    from stylegan_latents.editing.mixing.by_part import PartDonor, mix_parts
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import to_picture

    side = min(_CELL, G.resolution)
    own = query.own_generator(G)

    def draw(code: "Code") -> "Image.Image":
        return to_picture(code.own_generator(G).synthesize(code.ws, code.noise_or_const, size=side))[0]

    with torch.inference_mode():
        top = [draw(query)]
        below = [top[0]]
        for code, _ in found:
            top.append(draw(code))
            styles = mix_parts(own, query.ws, [PartDonor(code.ws, weights, strength)])
            below.append(to_picture(own.synthesize_styles(styles, query.noise_or_const, size=side))[0])
    titles = [query.name, *(f"{code.name} {distance:.2f}" for code, distance in found)]
    return contact_sheet([top, below], titles, ["nearest", "mixed"], cell=side)
