"""The command ``edit text``: an inverted photo changed towards a text."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.commands.options import (
    Device,
    MovedLayers,
    Overwrite,
    RecordArgument,
    RecordModel,
    RecordOut,
    Sheet,
)
from stylegan_latents.editing.records.outputs import EditedFiles, file_name, picture_target
from stylegan_latents.generator.cli.command import DONE, STOPPED, choose_device, new_app
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.invert.commands.locks import Claims

if TYPE_CHECKING:
    from stylegan_latents.editing.discovery.finders.text import TextOptimized, TextOptimizer
    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.invert.record.inversion import Inversion

text_app = new_app()


@text_app.command(
    epilog="Examples: edit text 'a smiling face' me.jpg   edit text 'a face with a beard' --layers middle,fine "
    "--weights open_clip_model.safetensors   A direction from a text, for many photos: edit discover --method text"
)
def text(
    wanted: Annotated[str, typer.Argument(help="What the picture is to show: 'a smiling face'.", metavar="TEXT")],
    record: RecordArgument = None,
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 300,
    learning_rate: Annotated[float, typer.Option(help="How far each step goes.")] = 0.1,
    distance_weight: Annotated[
        float, typer.Option(help="How much the code is held near the first: more keeps the person.")
    ] = 0.008,
    layers: MovedLayers = "all",
    weights: Annotated[
        str | None,
        typer.Option(help="CLIP's weights, ViT-B-32: a file, or open_clip's name.", metavar="FILE|NAME"),
    ] = None,
    out: RecordOut = None,
    sheet: Sheet = False,
    overwrite: Overwrite = False,
    model: RecordModel = None,
    device: Device = None,
) -> int:
    """Search for the code near an inverted photo's whose picture fits a text; Ctrl-C keeps what is there."""
    from stylegan_latents.editing.discovery.finders.text import TextOptimizer, check_search
    from stylegan_latents.editing.discovery.scorers.image_text import WEIGHTS, OpenCLIP
    from stylegan_latents.editing.records.choose import announced_record
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import save_picture

    if not wanted.strip():
        raise InputError("Give a text, such as 'a smiling face'.")
    check_search(steps, learning_rate, distance_weight)
    _check_weights(weights)
    opened = OpenRecord(announced_record(record), model=model, device=device)
    opened.check_edit([], layers)
    picture = picture_target(out, file_name([opened.stem, "text", wanted.strip()]), overwrite)
    files = EditedFiles.beside(picture, sheet=sheet, overwrite=overwrite)
    for target in files:
        opened.check_output(target)
    # Before the generator: CLIP's weights are what is missing most often.
    judge = OpenCLIP(weights or WEIGHTS, device=choose_device(device))
    G = opened.generator
    search = TextOptimizer(
        G,
        judge,
        steps=steps,
        learning_rate=learning_rate,
        distance_weight=distance_weight,
        rows=G.rows(layers),
    )
    with contextlib.closing(Claims()) as claims:
        for target in files:
            claims.take(target)
        with show_count(opened.stem, steps, "step") as count, keep_freed_memory():
            ended = search.optimize(
                opened.ws, wanted, noise=opened.noise, progress=lambda *_: count(), keep_partial=True
            )
        # The record first: the picture can be made from it again.
        text_record(opened.inversion, search, wanted, ended).save(files.record, overwrite=overwrite)
        after = opened.picture(ended.ws)
        save_picture(after, files.picture, overwrite=overwrite)
        if files.sheet is not None:
            figure = contact_sheet([[opened.picture(), after]], ["before", wanted.strip()])
            save_picture(figure, files.sheet, overwrite=overwrite)
    print(f"The fit to the text went from {ended.before:.3f} to {ended.after:.3f} in {ended.steps} steps.")
    for file in files:
        print(printable(f"Wrote {file}"))
    return STOPPED if ended.stopped else DONE


def _check_weights(weights: str | None) -> None:
    """Refuse a file of weights that is not there, before open_clip is loaded to look for weights of that name."""
    if weights is None or Path(weights).expanduser().is_file():
        return
    if Path(weights).suffix or len(Path(weights).parts) > 1:
        raise InputError(f"There is no file {weights}; give CLIP's weights, or leave --weights out to fetch them.")


def text_record(record: "Inversion", search: "TextOptimizer", wanted: str, ended: "TextOptimized") -> "Inversion":
    """The record of a picture that a text changed: edits, and pasting back into the photo, go on from it."""
    from stylegan_latents.editing.records.new_record import changed_record

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
