"""The command ``edit text``: an inverted photo changed towards a text."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import RecordArgument, RecordModelOptions, RecordOutput
from stylegan_latents.editing.records.outputs import EditedFiles, file_name, picture_target
from stylegan_latents.generator.cli.command import DONE, STOPPED, choose_device, new_app
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.invert.commands.locks import OutputLocks

if TYPE_CHECKING:
    from stylegan_latents.editing.discovery.finders.text import TextOptimized, TextOptimizer
    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.invert.record.inversion import Inversion

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
        float, typer.Option(help="Weight of the distance from the record's code: more keeps the person.")
    ] = 0.008
    layers: Annotated[
        str,
        typer.Option(
            help="Layers of the code that move: coarse, middle, fine, all, or rows such as 0-3,7.", metavar="LAYERS"
        ),
    ] = "all"
    weights: Annotated[
        str | None, typer.Option(help="CLIP's weights, ViT-B-32: a file, or open_clip's name.", metavar="FILE|NAME")
    ] = None
    output: RecordOutput = field(default_factory=RecordOutput)
    on: RecordModelOptions = field(default_factory=RecordModelOptions)


@text_app.command(
    epilog="Examples:\n\nedit text 'a smiling face' me.jpg\n\n"
    "edit text 'a face with a beard' --layers middle,fine --weights open_clip_model.safetensors\n\n"
    "A direction from a text, for many photos:\n\n"
    "edit discover --method text --text 'a smiling face' --neutral 'a face' --name smile"
)
@takes(TextSettings)
def text(settings: TextSettings) -> int:
    """Search for the code near an inverted photo's whose picture fits a text.

    Ctrl-C ends the search and keeps what is there.
    """
    from stylegan_latents.editing.discovery.finders.text import TextOptimizer, check_search
    from stylegan_latents.editing.discovery.scorers.image_text import WEIGHTS, OpenCLIP
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import save_picture

    wanted, output = settings.wanted.strip(), settings.output
    if not wanted:
        raise InputError("Give a text, such as 'a smiling face'.")
    check_search(settings.steps, settings.learning_rate, settings.distance_weight)
    _check_weights(settings.weights)
    opened = OpenRecord.of(settings.record, model=settings.on.model, device=settings.on.device)
    opened.check_layers(settings.layers)
    picture = picture_target(output.out, file_name([opened.stem, "text", wanted]), output.overwrite)
    files = EditedFiles.beside(picture, sheet=output.sheet, overwrite=output.overwrite)
    for target in files:
        opened.check_output(target)
    # Before the generator: CLIP's weights are what is missing most often.
    judge = OpenCLIP(settings.weights or WEIGHTS, device=choose_device(settings.on.device))
    G = opened.generator
    search = TextOptimizer(
        G,
        judge,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        distance_weight=settings.distance_weight,
        rows=G.rows(settings.layers),
    )
    with contextlib.closing(OutputLocks()) as locks:
        for target in files:
            locks.take(target)
        with show_count(opened.stem, settings.steps, "step") as count, keep_freed_memory():
            ended = search.optimize(
                opened.ws, settings.wanted, noise=opened.noise, progress=lambda *_: count(), keep_partial=True
            )
        # The record first: the picture can be made from it again.
        text_record(opened.inversion, search, settings.wanted, ended).save(files.record, overwrite=output.overwrite)
        after = opened.picture(ended.ws)
        save_picture(after, files.picture, overwrite=output.overwrite)
        if files.sheet is not None:
            figure = contact_sheet([[opened.picture(), after]], ["before", wanted])
            save_picture(figure, files.sheet, overwrite=output.overwrite)
    print(f"The fit to the text went from {ended.before:.3f} to {ended.after:.3f} in {ended.steps} steps.")
    for file in files:
        print(f"Wrote {file}")
    return STOPPED if ended.stopped else DONE


def _check_weights(weights: str | None) -> None:
    """Refuse a file of weights that is not there, before open_clip is loaded to look for weights of that name."""
    if weights is None or Path(weights).expanduser().is_file():
        return
    if Path(weights).suffix or len(Path(weights).parts) > 1:
        raise InputError(f"There is no file {weights}; give CLIP's weights, or leave --weights out to fetch them.")


def text_record(record: "Inversion", search: "TextOptimizer", wanted: str, ended: "TextOptimized") -> "Inversion":
    """The record of a picture that a text changed: edits, and pasting back into the photo, go on from it."""
    from stylegan_latents.editing.records.codes import changed_record

    settings: dict[str, JSON] = {
        "changed_from": record.method,
        "text": wanted,
        "image_text_model": search.model.version,
        "steps": ended.steps,
        "steps_wanted": search.steps,
        "learning_rate": search.learning_rate,
        "distance_weight": search.distance_weight,
        "rows": list(search.rows),
        "fit_before": ended.before,
        "fit": ended.after,
    }
    return changed_record(record, search.G, ended.ws, "text", settings)
