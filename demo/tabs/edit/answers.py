"""Handlers of sliders, views and history in the tab Edit: each function answers one event."""

import asyncio
import contextlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.running import status_html
from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.edited import keep_edit as keep_edited
from stylegan_latents.demo.session.faces import Face, Strengths
from stylegan_latents.demo.session.view import NUMBERS, slider_values, turned_by
from stylegan_latents.demo.session.visit import MOST_DIRECTIONS, Visit
from stylegan_latents.demo.tabs.edit import drawing, looks
from stylegan_latents.demo.tabs.edit.sliders import direction_help
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.messages import closeness
from stylegan_latents.invert.faces.identity import SAME_PERSON

VIEWS: list[drawing.View] = ["Face", "Photo", "Whole photo"]
FACE, PHOTO, WHOLE = VIEWS
VIEW_HELP = "Compare with the unedited face or the photo, or paste back into the whole photo."
_NO_PHOTO = "Photo and Whole photo are for faces that were found in a photo; this one was not."
_REST_SECONDS = 0.35
_FAR = 0.15  # in LPIPS, what ``closeness`` calls far


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
    if lpips > _FAR and face.record.inversion.weights is None:
        text += " “Best” or “Closer result” come closer."
    for step in face.record.inversion.diverged.values():
        text += " The search did not end well; this is its best result."
        return status_html(text, details=f"{figures}. The search diverged at step {step}.")
    return status_html(text, kind="good", details=f"{figures}.")


def strengths_of(visit: Visit, face: Face, values: tuple[float, ...]) -> Strengths:
    """The sliders' strengths by direction, in the order of ``Visit.all_directions``, and the camera's after all."""
    strengths = {name: float(value or 0) for name, value in zip(visit.all_directions, values, strict=False)}
    cameras = values[len(visit.studio.directions) + MOST_DIRECTIONS :]
    return strengths | turned_by(face, cameras) if cameras else strengths


def move(visit: Visit, name: str | None, view: "drawing.View", value: float | None, *, number: int) -> Any:
    """The slider of this number moves: draw a preview. Only its value is sent, as sending all delays previews."""
    visit.moves += 1
    directions = list(visit.all_directions)
    if not name or number >= len(directions):
        return gr.skip()
    visit.face(name).history.move(directions[number], float(value or 0))
    return preview(visit, name, view)


def turn(visit: Visit, name: str | None, view: "drawing.View", value: float | None, *, number: int) -> Any:
    """The slider of this number of the camera moves: draw a preview."""
    visit.moves += 1
    if not name:
        return gr.skip()
    face = visit.face(name)
    values: list[float | None] = list(slider_values(face))
    values[number] = value
    key = NUMBERS[number].key
    face.history.move(key, turned_by(face, values)[key])
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
    face = visit.face(name)
    strengths = strengths_of(visit, face, values)
    history = face.history
    moving = history.moving
    history.push(strengths)
    if history.current == moving:  # else a slider has moved since, and is drawn later
        visit.drawn = visit.moves
    result = drawing.finished(visit, face, history.current, view=view)
    if result.warning:
        gr.Info(result.warning, title="Look at the seam")
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


def keep_edit(visit: Visit, name: str | None, *, receivers: Sequence[str] = ("edit",)) -> tuple[str, int]:
    """The edit becomes a face of its own, which is selected in these tabs."""
    kept = keep_edited(visit, name)
    visit.choose(kept, receivers)
    words = f"Kept as the face “{kept.name}”, which every tab can use now."
    if visit.face(name).regions.chosen:
        words += " It has the whole edit, beyond the part that is chosen here."
    return status_html(words, kind="good"), visit.version


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
    """Set all sliders to where they began, as an edit that can be undone."""
    face = visit.face(name)
    face.history.reset()
    return _with_strengths(visit, face, gr.skip())


def take_strengths(visit: Visit, name: str | None, strengths: Strengths) -> int:
    """Edit a face by these strengths, as a step that can be undone; the number of this move, for ``show_edits``."""
    visit.face(name).history.push(strengths)
    visit.moves += 1
    return visit.moves


def show_edits(visit: Visit, name: str | None) -> Any:
    """Set the sliders to the edits of the face that is shown, which need not be the one that was edited."""
    return _with_strengths(visit, visit.face(name), gr.skip()) if name else gr.skip()


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
    cameras = [] if visit.studio.G.camera is None else slider_values(face)
    return view, *values, *[0] * unused, *cameras


def show_kept(visit: Visit) -> list[Any]:
    """Show a slider for each kept direction, and hide the unused ones."""
    kept = [
        gr.Slider(label=f"{direction.name} (kept)", info=direction_help(direction), visible=True)
        for direction in visit.directions.values()
    ]
    hidden = [gr.Slider(visible=False) for _ in range(MOST_DIRECTIONS - len(kept))]
    return kept + hidden
