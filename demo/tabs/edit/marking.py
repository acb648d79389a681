"""Marking eyes and mouth by hand if no face was detected: the panel and its handlers."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.page import selected_place
from stylegan_latents.demo.page.results import picture_box
from stylegan_latents.demo.page.running import status_html
from stylegan_latents.demo.session import photos
from stylegan_latents.demo.session.visit import Visit


@dataclass(frozen=True)
class Panel:
    """The controls, hidden until there is something to mark."""

    whole: gr.Column
    picture: gr.Image
    undo: gr.Button
    clear: gr.Button


def build() -> Panel:
    """Add the panel to the current Gradio context."""
    with gr.Column(visible=False, elem_id="edit-marking") as whole:
        picture = picture_box(
            "Click on the left eye, the right eye, and both corners of the mouth",
            "edit-mark",
            alt="The photo, with the points that were clicked on",
            buttons=[],
        )
        with gr.Row():
            undo = gr.Button("↶ Undo click", size="sm", min_width=80, elem_id="edit-mark-undo")
            clear = gr.Button("Clear", size="sm", min_width=80, elem_id="edit-mark-clear")
    return Panel(whole, picture, undo, clear)


def click(visit: Visit, event: gr.SelectData) -> tuple[Any, ...]:
    """The photo was clicked on."""
    photos.add_mark(visit, *selected_place(event))
    return shown(visit)


def undo(visit: Visit) -> tuple[Any, ...]:
    """Undo the last click."""
    photos.drop_marks(visit, 1)
    return shown(visit)


def clear(visit: Visit) -> tuple[Any, ...]:
    """Undo all clicks."""
    photos.drop_marks(visit, len(photos.MARKS))
    return shown(visit)


def shown(visit: Visit) -> tuple[Any, ...]:
    """Gallery, face number, search button, status and panel after the clicks so far."""
    marks = [] if visit.marking is None else visit.marking.marks
    photo = visit.photo
    if photo is None:
        words = "" if marks or visit.marking is None else photos.reduction(visit.marking)
        words += f"Click on {photos.MARKS[len(marks)]} ({len(marks) + 1} of {len(photos.MARKS)})."
        found = gr.Gallery(value=None, visible=False)
    else:
        words = "The face is marked. “Find this face” searches its code."
        found = gr.Gallery(value=[(photo.thumbnails[0], "marked")], visible=True, selected_index=0)
    panel = gr.Column(visible=True), photos.marked_picture(visit)
    return found, 0, gr.Button(interactive=photo is not None), status_html(words), *panel


def hidden() -> tuple[Any, ...]:
    """The panel and its picture if there is nothing to mark."""
    return gr.Column(visible=False), None
