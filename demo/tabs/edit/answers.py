"""Handlers of the tab Edit: each function answers one event."""

import asyncio
import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.page.page import selected_index, sentence
from stylegan_latents.demo.page.running import status_html, wait_in_queue
from stylegan_latents.demo.session import photos
from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.edited import keep_edit as keep_edited
from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.uploads import Photo
from stylegan_latents.demo.session.visit import MOST_DIRECTIONS, Visit
from stylegan_latents.demo.tabs.edit import drawing, looks, marking, searching
from stylegan_latents.demo.tabs.edit.sliders import direction_help
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.messages import closeness
from stylegan_latents.invert.faces.detector import NoFaceError
from stylegan_latents.invert.faces.identity import SAME_PERSON
from stylegan_latents.invert.search.time_left import duration

if TYPE_CHECKING:
    from gradio.data_classes import ImageData

    from stylegan_latents.invert.inverters.options import Quality

VIEWS: list[drawing.View] = ["Face", "Photo", "Whole photo"]
FACE, PHOTO, WHOLE = VIEWS
VIEW_HELP = "Compare with the unedited face or the photo, or paste back into the whole photo."
_NO_PHOTO = "Photo and Whole photo are for faces that were found in a photo; this one was not."
_REST_SECONDS = 0.35
_UNSHOWN = {".heic", ".heif", ".tif", ".tiff", ".jp2", ".ppm", ".pgm"}

WELCOME = status_html("Drop a photo, click an example, or explore samples.")


def uploaded_path(payload: "ImageData | None") -> str | None:
    """The path of an upload, which Gradio does not open."""
    return None if payload is None else payload.path


def receive(visit: Visit, upload: str | None, align: bool) -> tuple[Any, ...]:
    """A photo was uploaded: detect its faces; if there is none, ``after_failure`` lets the visitor mark one."""
    if upload is None:
        return forget(visit)
    visit.refusal = ""
    try:
        photo = photos.receive(visit, upload, align=align)
    except NoFaceError:
        photos.begin_marking(visit, upload)
        raise
    except InputError as error:
        visit.refusal = sentence(error, visit)
        raise
    return _received(photo)


def _received(photo: Photo) -> tuple[Any, ...]:
    several = len(photo.faces) > 1
    titles = [f"Face {i}" for i in range(len(photo.thumbnails))]
    found = gr.Gallery(
        value=list(zip(photo.thumbnails, titles, strict=True)),
        visible=several,
        selected_index=photo.largest if several else None,
    )
    words = f"{len(photo.faces)} faces found; choose one." if several else "Ready."
    status = status_html(f"{photos.reduction(photo)}{words} “Find this face” searches its code.")
    return found, photo.largest, gr.Button(interactive=True), status, *marking.hidden()


def show_readable(visit: Visit) -> Any:
    """Replace a photo of a kind that browsers do not show, such as HEIC."""
    photo = visit.photo
    if photo is None or photo.path.suffix.lower() not in _UNSHOWN:
        return gr.skip()
    return visit.files.store(photos.shown(photo.read()), "photo", stem=Path(photo.name).stem)


def show_again(visit: Visit) -> tuple[Any, ...]:
    """An earlier visit was found again: show its last photo."""
    if visit.marking is not None:
        return str(visit.marking.path), *marking.shown(visit)
    return (None, *forget(visit)) if visit.photo is None else (str(visit.photo.path), *_received(visit.photo))


def look_for_faces() -> tuple[Any, ...]:
    """A photo was uploaded and is about to be read."""
    return gr.Button(interactive=False), status_html("Looking for faces …")


def after_failure(visit: Visit) -> tuple[Any, ...]:
    """A photo was refused; the reason stays in sight. If no face was detected, let the visitor mark one."""
    if visit.marking is not None:
        return marking.shown(visit)
    found, number, start, status, *panel = forget(visit)
    return found, number, start, status_html(visit.refusal, kind="bad") if visit.refusal else status, *panel


def forget(visit: Visit) -> tuple[Any, ...]:
    """The photo was removed."""
    visit.photo = visit.marking = None
    return gr.Gallery(value=None, visible=False), 0, gr.Button(interactive=False), WELCOME, *marking.hidden()


def choose_found(visit: Visit, event: gr.SelectData) -> tuple[int, str]:
    """Another face of the photo was chosen."""
    number = selected_index(event, 0 if visit.photo is None else len(visit.photo.thumbnails))
    return number, status_html(f"Face {number} is chosen.")


def take_example(visit: Visit, event: gr.SelectData) -> tuple[Any, ...]:
    """An example was clicked: take it as an upload or add the sample's face."""
    example = visit.studio.examples[selected_index(event, len(visit.studio.examples))]
    if example.photo is not None:
        path = visit.files.new_path(example.photo.stem, example.photo.suffix)
        path.write_bytes(example.photo.read_bytes())
        return str(path), *receive(visit, str(path), True), visit.version
    face = seed_face(visit, example.seed or 0)
    visit.send(face, "edit")
    return *[gr.skip()] * 4, about(face), gr.skip(), gr.skip(), visit.version


def open_record(visit: Visit, upload: str | None) -> tuple[int, str]:
    """A record was uploaded."""
    if upload is None:
        raise InputError("No file arrived; choose the record again.")
    path = visit.take(upload)
    try:
        face = visit.open(path)
    finally:
        path.unlink(missing_ok=True)
    visit.send(face, "edit")
    return visit.version, about(face)


def prepare(visit: Visit) -> tuple[Any, ...]:
    """Prepare a search, which can be stopped from now on, even while it waits."""
    if visit.photo is None:
        raise InputError("Upload a photo first.")
    visit.prepare()
    return gr.Button(interactive=False), gr.Row(visible=True), status_html("Waiting for a turn.", part=0)


def search(visit: Visit, number: int, quality: "Quality") -> Iterator[tuple[Any, ...]]:
    """Search the code of the chosen face, and show each stage."""
    if visit.photo is None:
        raise InputError("Upload a photo first.")
    skip, moves = gr.skip(), visit.moves
    with visit.at_work(), visit.studio.searches.enter(visit.client) as ticket:
        for words in wait_in_queue(visit, ticket):
            yield status_html(words, part=0), skip, skip
        for stage in searching.search(visit, visit.photo, number, quality=quality):
            if isinstance(stage, Face):
                visit.send(stage, "edit")
                yield about(stage), skip, visit.version
                return
            ticket.expect(stage.seconds_left)
            # A slider moved meanwhile shows the edited face, which stays.
            pair = (stage.before, stage.now) if visit.moves == moves else skip
            yield status_html(progress_words(stage), part=stage.step / stage.steps), pair, skip


def work_ended(visit: Visit) -> tuple[Any, ...]:
    """The search has ended in any way; its photo may have been removed meanwhile."""
    return gr.Button(interactive=visit.photo is not None), gr.Row(visible=False)


def search_failed(name: str | None) -> tuple[Any, ...]:
    """The search ended without a face; the face chosen before is drawn again."""
    return status_html("The search ended; nothing was kept."), gr.skip() if name else None


def progress_words(stage: searching.Stage) -> str:
    """The progress of a search in words."""
    if not stage.step:
        return "Starting …"
    text = f"Step {stage.step} of {stage.steps}"
    if stage.seconds_left is None:
        return text
    return f"{text}, {duration(stage.seconds_left)} left"


def about(face: Face) -> str:
    """The status of a chosen face: how close its search came to the photo."""
    metrics = face.record.inversion.metrics
    if "lpips_alex" not in metrics:
        return status_html(f"{face.name}: move a slider.")
    lpips, identity = metrics["lpips_alex"][0], metrics.get("identity", [math.nan])[0]
    figures = f"LPIPS {lpips:.3f} (0 is identical)"
    text = f"Found {face.name}: {closeness(lpips)} the photo"
    if not math.isnan(identity):
        text += f", recognised as {'the same' if identity < SAME_PERSON else 'another'} person"
        figures += f", identity distance {identity:.2f} (0 is identical, from {SAME_PERSON:g} on another person)"
    text += "."
    for step in face.record.inversion.diverged.values():
        text += " The search did not end well; this is its best result."
        return status_html(text, details=f"{figures}. The search diverged at step {step}.")
    return status_html(text, kind="good", details=f"{figures}.")


def stop_and_keep(visit: Visit) -> str:
    """Stop the search and keep the best code so far."""
    visit.keep = True
    visit.stop.set()
    return status_html("Stopping; what was found so far is kept.")


def cancel(visit: Visit) -> str:
    """Stop the search and keep nothing."""
    visit.keep = False
    visit.stop.set()
    return status_html("Stopping …")


def strengths_of(visit: Visit, values: tuple[float, ...]) -> dict[str, float]:
    """The sliders' strengths by direction, in the order of ``Visit.all_directions``."""
    return {name: float(value or 0) for name, value in zip(visit.all_directions, values, strict=False)}


def move(visit: Visit, name: str | None, view: "drawing.View", value: float | None, *, number: int) -> Any:
    """The slider of this number moves: draw a preview. Only its value is sent, as sending all delays previews."""
    visit.moves += 1
    directions = list(visit.all_directions)
    if not name or number >= len(directions):
        return gr.skip()
    visit.face(name).history.move(directions[number], float(value or 0))
    return preview(visit, name, view)


def preview(visit: Visit, name: str | None, view: "drawing.View") -> Any:
    """Draw the edits in preview size; a whole photo is drawn only at rest."""
    if view == WHOLE or not name:
        return gr.skip()
    face = visit.face(name)
    return drawing.preview(visit, face, face.history.moving, photo=view == PHOTO)


async def wait_for_rest(visit: Visit | None) -> Any:
    """Wait, and return the number of the last move if none came since: it triggers ``draw_at_rest``."""
    if visit is None:
        return gr.skip()
    moves = visit.moves
    await asyncio.sleep(_REST_SECONDS)
    # The release of a slider may have drawn it already.
    return gr.skip() if visit.moves != moves or visit.drawn == moves else moves


def draw_at_rest(visit: Visit, name: str | None, view: "drawing.View", at: int, *values: float) -> Any:
    """``draw``, unless something changed since ``wait_for_rest``."""
    return draw(visit, name, view, *values) if visit.moves == at else gr.skip()


def draw(visit: Visit, name: str | None, view: "drawing.View", *values: float) -> Any:
    """Draw in full resolution, and update downloads and buttons."""
    if not name:
        return gr.skip()
    face, strengths = visit.face(name), strengths_of(visit, values)
    history = face.history
    moving = history.moving
    history.push(strengths)
    if history.current == moving:  # else a slider has moved since, and is drawn later
        visit.drawn = visit.moves
    result = drawing.finished(visit, face, history.current, view=view)
    return (
        result.pair,
        gr.DownloadButton(value=result.picture, interactive=True),
        gr.DownloadButton(value=str(_record_path(visit, face)), interactive=True),
        result.command,
        gr.Button(interactive=history.can_undo),
        gr.Button(interactive=history.can_redo),
        gr.Button(interactive=bool(history.current)),
    )


def _record_path(visit: Visit, face: Face) -> Path:
    """The record with the edits in its code; without them if they are not all edits of codes."""
    with contextlib.suppress(InputError):
        return edited_face(visit, face.name, drawn=False).path
    return face.path


def keep_edit(visit: Visit, name: str | None) -> tuple[str, int]:
    """The edit becomes a face of its own."""
    kept = keep_edited(visit, name)
    visit.send(kept, "edit")
    return status_html(f"Kept as the face “{kept.name}”, which every tab can use now.", kind="good"), visit.version


def make_current(visit: Visit, name: str | None) -> int:
    """A face was chosen by hand: it becomes the first of the strip."""
    visit.choose(visit.face(name), ())
    return visit.version


def show_face(visit: Visit, name: str | None) -> Any:
    """Another face was chosen: show its edits and status."""
    if not name:
        return gr.skip()
    face = visit.face(name)
    visit.current = face.name
    # A search shows its progress there.
    status = gr.skip() if visit.busy else about(face)
    has_photo = face.photo is not None
    view = gr.Radio(
        interactive=has_photo, value=PHOTO if has_photo else FACE, info=VIEW_HELP if has_photo else _NO_PHOTO
    )
    return status, *_with_strengths(visit, face, view)


def undo(visit: Visit, name: str | None) -> Any:
    """Undo one edit."""
    face = visit.face(name)
    face.history.undo()
    return _with_strengths(visit, face, gr.skip())


def redo(visit: Visit, name: str | None) -> Any:
    """Redo one edit."""
    face = visit.face(name)
    face.history.redo()
    return _with_strengths(visit, face, gr.skip())


def reset(visit: Visit, name: str | None) -> Any:
    """Set all sliders to 0, as an edit that can be undone."""
    face = visit.face(name)
    face.history.reset()
    return _with_strengths(visit, face, gr.skip())


def wear(visit: Visit, name: str | None, known: list[looks.Look], event: gr.SelectData) -> Any:
    """A look was clicked: set the sliders to it, as an edit that can be undone."""
    face = visit.face(name)
    looks.wear(visit, name, looks.chosen_look(known, event))
    return _with_strengths(visit, face, gr.skip())


def _with_strengths(visit: Visit, face: Face, view: Any) -> tuple[Any, ...]:
    visit.moves += 1
    current = face.history.current
    values = [current.get(name, 0) for name in visit.all_directions]
    unused = len(visit.studio.directions) + MOST_DIRECTIONS - len(values)
    return view, *values, *[0] * unused


def show_kept(visit: Visit) -> list[Any]:
    """Show a slider for each kept direction, and hide the unused ones."""
    kept = [
        gr.Slider(label=f"{direction.name} (kept)", info=direction_help(direction), visible=True)
        for direction in visit.directions.values()
    ]
    hidden = [gr.Slider(visible=False) for _ in range(MOST_DIRECTIONS - len(kept))]
    return kept + hidden
