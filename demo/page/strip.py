"""The strip of the visit's faces, above all tabs: the current one first; chosen, renamed and deleted there."""

from typing import Any

import gradio as gr

from stylegan_latents.demo.page.page import Page, answering, selected_index
from stylegan_latents.demo.page.results import choice_gallery
from stylegan_latents.demo.session import edited
from stylegan_latents.demo.session.visit import Visit


def face_strip() -> tuple[gr.Column, gr.Gallery, gr.Textbox, gr.Button, gr.Button]:
    """Make the controls, hidden until there is a face; ``wire_strip`` connects them."""
    with gr.Column(visible=False, elem_id="faces") as whole, gr.Row(equal_height=True):
        faces = choice_gallery("faces-strip", label="Your faces", show_label=False, columns=12, container=False)
        with gr.Column(scale=0, min_width=220), gr.Row():
            name = gr.Textbox(
                label="Name of the current face",
                info="It names the files, too.",
                max_length=40,
                elem_id="faces-name",
            )
            rename = gr.Button("Rename", size="sm", min_width=80, elem_id="faces-rename")
            delete = gr.Button("Delete", size="sm", min_width=80, elem_id="faces-delete")
    return whole, faces, name, rename, delete


def wire_strip(page: Page, controls: tuple[gr.Column, gr.Gallery, gr.Textbox, gr.Button, gr.Button]) -> None:
    """Connect the controls of ``face_strip``."""
    whole, faces, name, rename, delete = controls
    order = gr.State([])

    def show(visit: Visit | None) -> Any:
        if visit is None or not visit.faces:
            return gr.Column(visible=False), gr.Gallery([]), "", []
        if visit.current not in visit.faces:
            visit.current = list(visit.faces)[-1]
        shown = edited.in_order(visit)
        pictures = [(str(face.before), face.name) for face in shown]
        return gr.Column(visible=True), gr.Gallery(pictures, selected_index=0), shown[0].name, [
            face.name for face in shown
        ]  # fmt: skip

    def choose(visit: Visit, names: list[str], event: gr.SelectData) -> int:
        visit.choose(visit.face(names[selected_index(event, len(names))]), [tab.name for tab in page.receivers])
        return visit.version

    def give_name(visit: Visit, names: list[str], new: str) -> int:
        renamed = edited.rename(visit, names[0] if names else None, new)
        visit.choose(renamed, [tab.name for tab in page.receivers])
        return visit.version

    def remove(visit: Visit, names: list[str]) -> int:
        edited.delete(visit, names[0] if names else None)
        return visit.version

    quiet: Any = {"show_progress": "hidden"}
    page.version.change(show, page.visit, [whole, faces, name, order], api_visibility="private", **quiet)
    faces.select(answering(choose), [page.visit, order], page.version, api_visibility="private", **quiet)
    rename.click(answering(give_name), [page.visit, order, name], page.version, api_name="rename_face", **quiet)
    delete.click(answering(remove), [page.visit, order], page.version, api_name="delete_face", **quiet)
