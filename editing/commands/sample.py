"""The command ``edit sample``: pictures of random codes, as a grid or single files."""

import contextlib
import shlex
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from stylegan_latents.editing.commands.options import ModelOptions, Overwrite
from stylegan_latents.editing.records.camera import look_from
from stylegan_latents.generator.cli.command import choose_device, new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.cluster.connection import ClusterOptions, on_cluster
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.text_options import TextOptions
from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL
from stylegan_latents.invert.record.files import RECORD_SUFFIX

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.generator.generator import Generator

sample_app = new_app()
_MOST_IN_A_GRID = 4096


@dataclass(frozen=True)
class SampleOutput:
    """Output options of ``edit sample``."""

    panel: ClassVar[str] = "Output"
    out: Annotated[
        Path | None, typer.Option(help="The grid's file, or a folder for single pictures.", metavar="FILE|DIR")
    ] = None
    single: Annotated[bool, typer.Option("--single", help="Write single pictures at full size.")] = False
    cols: Annotated[int | None, typer.Option(min=1, max=1000, help="Columns of the grid.")] = None
    size: Annotated[int | None, typer.Option(min=1, help="Side of a picture: the model's, or that halved.")] = None
    records: Annotated[
        bool, typer.Option("--records", help=f"Also write each code as *{RECORD_SUFFIX}, to edit it.")
    ] = False
    overwrite: Overwrite = False


@dataclass(frozen=True)
class SampleSettings:
    """Options of ``edit sample``."""

    panel: ClassVar[str] = "Samples"
    seeds: Annotated[
        str, typer.Option(help="Whole numbers and ranges; each gives one picture.", metavar="0-15|3,7,9-12")
    ] = "0-15"
    truncation: Annotated[
        float, typer.Option("--truncation", "-t", help="0 is the mean picture, 1 the model's whole variety.")
    ] = 0.7
    classes: Annotated[
        str | None,
        typer.Option(
            "--class", help="The classes, if the model has any; each draws every seed.", metavar="3|0-3,7"
        ),
    ] = None
    random: Annotated[
        Literal["numpy", "torch"],
        typer.Option(help="Whose random numbers: NumPy's draw what NVIDIA's gen_images.py draws of a seed."),
    ] = "numpy"
    noise: Annotated[
        Literal["const", "random", "none"],
        typer.Option(help="The model's maps, random ones for each seed, or none."),
    ] = "const"
    texts: TextOptions = field(default_factory=TextOptions)
    output: SampleOutput = field(default_factory=SampleOutput)
    on: ModelOptions = field(default_factory=ModelOptions)
    cluster: ClusterOptions = field(default_factory=ClusterOptions)


@sample_app.command(
    epilog=examples(
        "edit sample --seeds 0-15 --truncation 0.7",
        "edit sample --seeds 0-3 --records --out samples/",
        "edit sample --model imagenet.pkl --class 207,281-285 --seeds 0-7",
        "edit sample --model stylegan-t.pkl --text 'a dog on a beach'",
    )
)
@takes(SampleSettings)
def sample(settings: SampleSettings) -> None:
    """Generate pictures of random codes: a grid, or a file for each seed."""
    from stylegan_latents.editing.samples.sampling import (
        SampleWriter,
        Sampling,
        default_columns,
        grid_cell,
        lay_out,
        parse_seeds,
    )

    output, model, style = settings.output, settings.on.model, settings.on.find_style()
    numbers = parse_seeds(settings.seeds)
    classes = [None] if settings.classes is None else parse_seeds(settings.classes, what="class")
    wanted = [(label, number) for label in classes for number in numbers]
    grid, files, records = _files(settings, wanted)

    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.generator.cluster.spread import spread, workers_see
    from stylegan_latents.generator.loading import load
    from stylegan_latents.invert.photos.files import save_picture

    G = load(model, texts=settings.texts.codes(model)).to(choose_device(settings.on.device))
    G = G if style is None else style[0].apply(G, style[1])
    G = look_from(G, settings.on.camera)
    size = output.size
    if size is None and grid is not None:
        size = grid_cell(G.resolution, len(wanted))
    samplings = [Sampling(settings.truncation, label, settings.noise, size, settings.random) for label in classes]
    for sampling in samplings:
        sampling.check(G)
    cells: list[Image.Image] = []
    with on_cluster(settings.cluster, G.device.type), contextlib.ExitStack() as stack:
        written = [*(files if grid is None else []), *records]
        needs = stack.enter_context(workers_see(written[0].parent)) if written else []
        count = stack.enter_context(show_count("samples", len(wanted), "picture"))
        for i, sampling in enumerate(samplings):
            own = slice(i * len(numbers), (i + 1) * len(numbers))
            singles = files[own] if grid is None else []
            write = partial(SampleWriter, G, sampling, numbers, singles, records[own], output.overwrite)
            for kept, done in spread(write, sampling.parts(G, len(numbers)), needs=needs):
                cells += kept
                for _ in range(done):
                    count()
    if grid is not None:
        row = len(numbers) if len(classes) > 1 else default_columns(len(cells))
        save_picture(lay_out(cells, output.cols or row), grid, overwrite=output.overwrite)
    _report(grid or files[0], len(wanted) if grid is None else 1, "picture")
    if records:
        _report(records[0], len(records), "record")
        print(printable(f"Next: {_next_command(G, settings, records[0])}"))


def _files(
    settings: SampleSettings, wanted: list[tuple[int | None, int]]
) -> tuple[Path | None, list[Path], list[Path]]:
    """For classes and seeds, the grid's file, or None and those of single pictures; and those of the records."""
    output, out = settings.output, settings.output.out
    folder = out if out is not None and (out.is_dir() or not out.suffix) else None
    if output.single and out is not None and folder is None and len(wanted) > 1:
        raise InputError(
            f"--single writes {len(wanted)} pictures, and {out} is one file; give a folder with --out."
        )
    single = output.single or folder is not None or len(wanted) == 1
    if not single and len(wanted) > _MOST_IN_A_GRID:
        raise InputError(f"A grid holds at most {_MOST_IN_A_GRID} pictures; write them one by one with --single.")
    if single and output.cols is not None:
        raise InputError("--cols is for a grid, not for single pictures; leave it out, or name the grid's file.")
    if output.records and settings.noise == "random":
        raise InputError("A record's picture has the model's own noise or none; leave --noise random out.")
    width, label = max(4, len(str(max(number for _, number in wanted)))), settings.on.look_label()
    names = [f"seed{number:0{width}d}{'' if one is None else f'@{one}'}" for one, number in wanted]
    stems = [".".join([name, *label]) for name in names]
    base = folder or (Path() if out is None else out.parent)
    prefix = "" if settings.on.model == DEFAULT_MODEL else f"{Path(settings.on.model).stem}."
    classes = "" if settings.classes is None else f"@{settings.classes[:60]}"
    named = f"samples.{prefix}seeds{settings.seeds[:60]}{classes}".replace(" ", "")
    grid = None if single else out or Path(".".join([named, *label, "png"]))
    pictures = [out] if single and out is not None and folder is None else [base / f"{stem}.png" for stem in stems]
    records = [base / f"{stem}{RECORD_SUFFIX}" for stem in stems] if output.records else []
    _check_targets([*(pictures if grid is None else [grid]), *records], output.overwrite)
    return grid, pictures, records


def _next_command(G: "Generator", settings: SampleSettings, record: Path) -> str:
    """A command for the user's next step: an edit, or the discovery of directions where there are none.

    Of a model that was given its texts, a file that has them.
    """
    model, texts = settings.on.model, settings.texts
    if texts.text or texts.text_codes:
        given = [word for text in texts.text for word in ("--text", text)] or [
            "--text-codes",
            str(texts.text_codes),
        ]
        return shlex.join(["stylegan-latents", "convert", model, f"{Path(model).stem}.safetensors", *given])
    from stylegan_latents.editing.directions.catalogue import known_directions

    named = [] if G.name == model else ["--model", model]
    directions = list(known_directions(G.latent_space))
    if directions:
        return shlex.join(["edit", str(record), *named, "--direction", directions[0], "--strength", "2"])
    return shlex.join(["edit", "discover", *named, "--method", "sefa", "--record", str(record)])


def _check_targets(targets: list[Path], overwrite: bool) -> None:
    """Raise InputError for files that could not be written after the work."""
    from stylegan_latents.invert.photos.files import check_picture_suffix

    for target in targets:
        if not target.name.endswith(RECORD_SUFFIX):
            check_picture_suffix(target)
        if target.exists() and not overwrite:
            raise InputError(f"{target} exists already; add --overwrite to replace it, or name another with --out.")


def _report(first: Path, count: int, what: str) -> None:
    several = f"Wrote {count} {what}s to {first.parent}, the first is {first.name}"
    print(printable(f"Wrote {first}" if count == 1 else several))
