"""What the controls of the tab Edit do: each function answers one event."""

import asyncio
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.page.page import selected_index
from stylegan_latents.demo.page.running import duration, status_html, wait_in_queue
from stylegan_latents.demo.session import photos
from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.visit import MOST_DIRECTIONS, Visit
from stylegan_latents.demo.tabs.edit import drawing, marking, searching
from stylegan_latents.demo.tabs.edit.sliders import help_of
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.detector import NoFaceError

if TYPE_CHECKING:
    from gradio.data_classes import ImageData

    from stylegan_latents.invert.inverters.options import Quality

VIEWS: list[drawing.View] = ["Face", "Photo", "Whole photo"]
FACE, PHOTO, WHOLE = VIEWS
_REST_SECONDS = 0.35


WELCOME = status_html("Drop a photo, take an example, or explore faces that nobody has.")


def uploaded_path(payload: "ImageData | None") -> str | None:
    """What a photo's handler is given: the upload's path, unread."""
    return None if payload is None else payload.path


def receive(visit: Visit, upload: str | None, align: bool) -> tuple[Any, ...]:
    """A photo came: find its faces and offer them; where there is none, ``after_failure`` asks where one is."""
    if upload is None:
        return forget(visit)
    try:
        photo = photos.receive(visit, upload, align=align)
    except NoFaceError:
        photos.begin_marking(visit, upload)
        raise
    several = len(photo.faces) > 1
    titles = [f"{i}" for i in range(len(photo.thumbnails))]
    found = gr.Gallery(
        value=list(zip(photo.thumbnails, titles, strict=True)),
        visible=several,
        selected_index=photo.largest if several else None,
    )
    words = f"{len(photo.faces)} faces found; choose one." if several else "Ready."
    status = status_html(f"{photos.reduction(photo)}{words} “Find this face” searches its code.")
    return found, photo.largest, gr.Button(interactive=True), status, *marking.hidden()


def look_for_faces() -> tuple[Any, ...]:
    """A photo came, and is about to be read."""
    return gr.Button(interactive=False), status_html("Looking for faces …")


def after_failure(visit: Visit) -> tuple[Any, ...]:
    """A photo cannot be taken, and a message says why: eyes and mouth can be marked where it shows no face."""
    return forget(visit) if visit.marking is None else marking.shown(visit)


def forget(visit: Visit) -> tuple[Any, ...]:
    """The photo was removed from its place."""
    visit.photo = visit.marking = None
    return gr.Gallery(value=None, visible=False), 0, gr.Button(interactive=False), WELCOME, *marking.hidden()


def choose_found(visit: Visit, event: gr.SelectData) -> tuple[int, str]:
    """Another face of the photo was chosen."""
    number = selected_index(event, 0 if visit.photo is None else len(visit.photo.thumbnails))
    return number, status_html(f"Face {number} is chosen.")


def take_example(visit: Visit, event: gr.SelectData) -> tuple[Any, ...]:
    """An example was clicked: a photo goes the way of an upload, a seed's face is there at once."""
    example = visit.studio.examples[selected_index(event, len(visit.studio.examples))]
    if example.photo is not None:
        path = visit.files.new_path(example.photo.stem, example.photo.suffix)
        path.write_bytes(example.photo.read_bytes())
        return str(path), *receive(visit, str(path), True), visit.version
    face = seed_face(visit, example.seed or 0)
    visit.send(face, "edit")
    return *[gr.skip()] * 4, about(face), gr.skip(), gr.skip(), visit.version


def open_record(visit: Visit, upload: str | None) -> tuple[int, str]:
    """A record came."""
    if upload is None:
        raise InputError("No file arrived; choose the record again.")
    path = visit.take(upload)
    try:
        face = visit.open(path)
    finally:
        path.unlink(missing_ok=True)
    visit.send(face, "edit")
    return visit.version, about(face)


def get_ready(visit: Visit) -> tuple[Any, ...]:
    """A search was asked for: it can be stopped from now on, also while it waits."""
    if visit.photo is None:
        raise InputError("Upload a photo first.")
    visit.get_ready()
    return gr.Button(interactive=False), gr.Row(visible=True), status_html("Waiting for a turn.", part=0)


def search(visit: Visit, number: int, quality: "Quality") -> Iterator[tuple[Any, ...]]:
    """Search the code of the chosen face, with a picture of each stage."""
    if visit.photo is None:
        raise InputError("Upload a photo first.")
    skip = gr.skip()
    with visit.at_work(), visit.studio.searches.enter(visit.client) as ticket:
        for words in wait_in_queue(visit, ticket):
            yield status_html(words, part=0), skip, skip
        for stage in searching.search(visit, visit.photo, number, quality=quality):
            if isinstance(stage, Face):
                visit.send(stage, "edit")
                yield about(stage), skip, visit.version
                return
            ticket.expect(stage.seconds_left)
            yield status_html(words_of(stage), part=stage.step / stage.steps), (stage.before, stage.now), skip


def come_to_rest() -> tuple[Any, ...]:
    """There is no search any more, however it ended."""
    return gr.Button(interactive=True), gr.Row(visible=False)


def give_up(name: str | None) -> tuple[Any, ...]:
    """A search ended without a face, and a message says why; a face that was chosen before is drawn again."""
    return status_html("The search ended; nothing was kept."), gr.skip() if name else None


def words_of(stage: searching.Stage) -> str:
    """Where a search is, in words."""
    if not stage.step:
        return "Beginning …"
    text = f"Step {stage.step} of {stage.steps}"
    if stage.seconds_left is None:
        return text
    return f"{text}, {duration(stage.seconds_left)} left"


def about(face: Face) -> str:
    """What there is to say of a face that was chosen: how near its search came to the photo."""
    metrics = face.record.inversion.metrics
    if "lpips_alex" not in metrics:
        return status_html(f"{face.name}: move a slider.")
    text = f"Found {face.name}: LPIPS {metrics['lpips_alex'][0]:.3f}"
    identity = metrics.get("identity", [math.nan])[0]
    known = "" if math.isnan(identity) else f", identity distance {identity:.2f} (below 0.6 is one person)"
    for step in face.record.inversion.diverged.values():
        return status_html(f"{text}{known}. The search diverged at step {step}; this is its best code before.")
    return status_html(text + known, kind="good")


def stop_and_keep(visit: Visit) -> str:
    """End the search and keep the best code so far."""
    visit.keep = True
    visit.stop.set()
    return status_html("Stopping; what was found so far is kept.")


def cancel(visit: Visit) -> str:
    """End the search and keep nothing."""
    visit.keep = False
    visit.stop.set()
    return status_html("Stopping …")


def strengths_of(visit: Visit, values: tuple[float, ...]) -> dict[str, float]:
    """The sliders' strengths by direction, in the order of ``Visit.all_directions``."""
    return {name: float(value or 0) for name, value in zip(visit.all_directions, values, strict=False)}


def move(visit: Visit, name: str | None, view: "drawing.View", value: float | None, *, number: int) -> Any:
    """The slider of this number moves: half the resolution, at once.

    It is the only slider that is sent; twenty took the page and the server longer to pass on than the picture can
    wait.
    """
    visit.moves += 1
    directions = list(visit.all_directions)
    if not name or number >= len(directions):
        return gr.skip()
    visit.face(name).history.move(directions[number], float(value or 0))
    return preview(visit, name, view)


def preview(visit: Visit, name: str | None, view: "drawing.View") -> Any:
    """The edits as they are, at half the resolution. A whole photo waits until the sliders rest."""
    if view == WHOLE or not name:
        return gr.skip()
    face = visit.face(name)
    return drawing.preview(visit, face, face.history.moving, photo=view == PHOTO)


async def rested(visit: Visit | None) -> Any:
    """Some time after a move: its number, which has the whole resolution drawn, if it was the last one."""
    if visit is None:
        return gr.skip()
    moves = visit.moves
    await asyncio.sleep(_REST_SECONDS)
    # Let go of, a slider has it drawn at once.
    return gr.skip() if visit.moves != moves or visit.drawn == moves else moves


def draw_at_rest(visit: Visit, name: str | None, view: "drawing.View", at: int, *values: float) -> Any:
    """What ``rested`` gave leads to: ``draw``, unless something moved or was undone on the way."""
    return draw(visit, name, view, *values) if visit.moves == at else gr.skip()


def draw(visit: Visit, name: str | None, view: "drawing.View", *values: float) -> Any:
    """The whole resolution, the downloads, and the history's buttons."""
    if not name:
        return gr.skip()
    face, strengths = visit.face(name), strengths_of(visit, values)
    history = face.history
    moving = history.moving
    history.push(strengths)
    if history.current == moving:  # else a slider has moved since these were sent, and rests later
        visit.drawn = visit.moves
    result = drawing.finished(visit, face, history.current, view=view)
    return (
        result.pair,
        gr.DownloadButton(value=result.picture, interactive=True),
        gr.DownloadButton(value=str(face.path), interactive=True),
        result.command,
        gr.Button(interactive=history.can_undo),
        gr.Button(interactive=history.can_redo),
        gr.Button(interactive=bool(history.current)),
    )


def show_face(visit: Visit, name: str | None) -> Any:
    """Another face was chosen: its edits, and what there is to say of it."""
    if not name:
        return gr.skip()
    face = visit.face(name)
    # A search says how far it is.
    status = gr.skip() if visit.busy else about(face)
    return status, *_with_strengths(visit, face, gr.Radio(interactive=face.photo is not None, value=FACE))


def undo(visit: Visit, name: str | None) -> Any:
    """One edit back."""
    face = visit.face(name)
    face.history.undo()
    return _with_strengths(visit, face, gr.skip())


def redo(visit: Visit, name: str | None) -> Any:
    """One edit forward again."""
    face = visit.face(name)
    face.history.redo()
    return _with_strengths(visit, face, gr.skip())


def reset(visit: Visit, name: str | None) -> Any:
    """All sliders to 0; undo brings the edits back."""
    face = visit.face(name)
    face.history.push({})
    return _with_strengths(visit, face, gr.skip())


def _with_strengths(visit: Visit, face: Face, view: Any) -> tuple[Any, ...]:
    visit.moves += 1
    current = face.history.current
    values = [current.get(name, 0) for name in visit.all_directions]
    unused = len(visit.studio.directions) + MOST_DIRECTIONS - len(values)
    return view, *values, *[0] * unused


def show_kept(visit: Visit) -> list[Any]:
    """The sliders of kept directions; the others of their kind stay hidden."""
    kept = [
        gr.Slider(label=f"{direction.name} (kept)", info=help_of(direction), visible=True)
        for direction in visit.directions.values()
    ]
    hidden = [gr.Slider(visible=False) for _ in range(MOST_DIRECTIONS - len(kept))]
    return kept + hidden
