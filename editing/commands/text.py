"""The command ``edit text``: changes an inverted photo to fit a text."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import DrawingOptions, RecordArgument, RecordOutput
from stylegan_latents.editing.records.outputs import EditedFiles, file_name
from stylegan_latents.generator.cli.command import DONE, STOPPED, choose_device, new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.invert.commands.locks import OutputLocks

text_app = new_app()


@dataclass(frozen=True)
class TextSettings:
    """What ``edit text`` takes."""

    panel: ClassVar[str] = "Search"
    wanted: Annotated[str, typer.Argument(help="What the picture is to show: 'a smiling face'.", metavar="TEXT")]
    record: RecordArgument = None
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="How many steps of the search.")] = 300
    learning_rate: Annotated[float, typer.Option(help="Size of each step.")] = 0.1
    distance_weight: Annotated[
        float, typer.Option(help="Weight of the distance from the record's code; more keeps the identity.")
    ] = 0.008
    layers: Annotated[
        str,
        typer.Option(help="Layers to change: coarse, middle, fine, all, or rows such as 0-3,7.", metavar="LAYERS"),
    ] = "all"
    weights: Annotated[
        str | None, typer.Option(help="CLIP's weights, ViT-B-32: a file, or open_clip's name.", metavar="FILE|NAME")
    ] = None
    output: RecordOutput = field(default_factory=RecordOutput)
    on: DrawingOptions = field(default_factory=DrawingOptions)


@text_app.command(
    epilog=examples(
        "edit text 'a smiling face' me.jpg",
        "edit text 'a face with a beard' --layers middle,fine --weights open_clip_model.safetensors",
        "edit discover --method text --text 'a smiling face' --neutral 'a face' --name smile  # for many photos",
    )
)
@takes(TextSettings)
def text(settings: TextSettings) -> int:
    """Optimize the code of an inverted photo so that its picture fits a text (CLIP).

    Ctrl-C ends the search and keeps its result so far.
    """
    from stylegan_latents.editing.text.image_text import WEIGHTS, OpenCLIP
    from stylegan_latents.editing.text.optimizer import TextOptimizer, check_search, text_record
    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet

    wanted, output = settings.wanted.strip(), settings.output
    if not wanted:
        raise InputError("Give a text, such as 'a smiling face'.")
    if settings.record is not None and Path(wanted).is_file():
        raise InputError(f"The text comes first: edit text '{settings.record}' {wanted}.")
    check_search(settings.steps, settings.learning_rate, settings.distance_weight)
    _check_weights(settings.weights)
    opened = settings.on.open(settings.record)
    opened.check_layers(settings.layers)
    name = file_name([opened.stem, "text", wanted])
    files = EditedFiles.of(opened, output.out, name, sheet=output.sheet, overwrite=output.overwrite)
    # Before the generator: CLIP's weights are what is missing most often.
    clip = OpenCLIP(settings.weights or WEIGHTS, device=choose_device(settings.on.device))
    G = opened.generator
    search = TextOptimizer(
        G, clip, steps=settings.steps, learning_rate=settings.learning_rate,
        distance_weight=settings.distance_weight, rows=G.rows(settings.layers),
    )  # fmt: skip
    with contextlib.closing(OutputLocks()) as locks:
        for target in files:
            locks.take(target)
        with show_count(opened.stem, settings.steps, "step") as count, keep_freed_memory():
            ended = search.optimize(
                opened.ws, settings.wanted, noise=opened.noise, progress=lambda *_: count(), keep_partial=True
            )
        after = opened.picture(ended.ws)
        files.write(
            text_record(opened.inversion, search, settings.wanted, ended),
            after,
            lambda: contact_sheet([[opened.picture(), after]], ["before", wanted]),
        )
    print(f"The fit to the text went from {ended.before:.3f} to {ended.after:.3f} in {ended.steps} steps.")
    for file in files:
        print(printable(f"Wrote {file}"))
    return STOPPED if ended.stopped else DONE


def _check_weights(weights: str | None) -> None:
    """Raise InputError for a missing file of weights, before open_clip is loaded to search for weights by name."""
    if weights is None or Path(weights).expanduser().is_file():
        return
    if Path(weights).suffix or len(Path(weights).parts) > 1:
        raise InputError(f"There is no file {weights}; give CLIP's weights, or leave --weights out to fetch them.")
