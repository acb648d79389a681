"""Clicking on eyes and mouth, where no face was found in a photo: the panel, and what its controls do."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.page import selected_place
from stylegan_latents.demo.page.running import status_html
from stylegan_latents.demo.session import photos
from stylegan_latents.demo.session.visit import Visit


@dataclass(frozen=True)
class Panel:
    """The controls, which are hidden until there is something to mark."""

    whole: gr.Column
    picture: gr.Image
    undo: gr.Button
    clear: gr.Button


def build() -> Panel:
    """Put the panel where it is called."""
    with gr.Column(visible=False, elem_id="edit-marking") as whole:
        picture = gr.Image(
            label="Click on the left eye, the right eye, and both corners of the mouth",
            alt_text="The photo, with the places that were clicked on",
            type="filepath",
            interactive=False,
            buttons=[],
            elem_id="edit-mark",
        )
        with gr.Row():
            undo = gr.Button("↶ Undo click", size="sm", min_width=80, elem_id="edit-mark-undo")
            clear = gr.Button("Clear", size="sm", min_width=80, elem_id="edit-mark-clear")
    return Panel(whole, picture, undo, clear)


def click(visit: Visit, event: gr.SelectData) -> tuple[Any, ...]:
    """A place of the photo was clicked on."""
    photos.add_mark(visit, *selected_place(event))
    return shown(visit)


def undo(visit: Visit) -> tuple[Any, ...]:
    """The last click was wrong."""
    photos.drop_marks(visit, 1)
    return shown(visit)


def clear(visit: Visit) -> tuple[Any, ...]:
    """All clicks were wrong."""
    photos.drop_marks(visit, len(photos.MARKS))
    return shown(visit)


def shown(visit: Visit) -> tuple[Any, ...]:
    """Gallery of faces, the chosen face, the search's button, the status and the panel, for the clicks so far."""
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
    """The panel and its picture, where there is nothing to mark."""
    return gr.Column(visible=False), None
