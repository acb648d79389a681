"""The strip of the visit's faces, above all tabs: the current one first; chosen, renamed and deleted there."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.page import Page, answering, selected_index
from stylegan_latents.demo.page.results import choice_gallery, not_ready, ready
from stylegan_latents.demo.page.running import Done, run_reporting, status_html
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session import edited
from stylegan_latents.demo.session.pack import pack
from stylegan_latents.demo.session.visit import Visit


def face_strip() -> tuple[gr.Row, gr.Gallery, gr.Textbox, gr.Button, gr.Button]:
    """Make the controls, hidden until there is a face; ``wire_strip`` connects them."""
    with gr.Row(visible=False, elem_id="faces") as whole:
        faces = choice_gallery("faces-strip", label="Your faces", show_label=False, columns=12, container=False)
        with gr.Accordion("Rename, delete", open=False, elem_id="faces-change"):
            name = gr.Textbox(
                label="Name of the current face",
                info="It names the files, too.",
                max_length=40,
                elem_id="faces-name",
            )
            with gr.Row():
                rename = gr.Button("Rename", size="sm", min_width=80, elem_id="faces-rename")
                delete = gr.Button("Delete", size="sm", min_width=80, elem_id="faces-delete")
    return whole, faces, name, rename, delete


def build_pack(page: Page) -> None:
    """Add what packs everything of the visit into one file."""
    with gr.Accordion("Everything as one ZIP file", open=False, elem_id="pack-open"):
        buttons = begin_and_stop("pack", "Pack everything")
        status = gr.HTML("", elem_id="pack-status")
        with gr.Row(elem_classes="downloads"):
            file = gr.DownloadButton("⤓ ZIP", size="sm", interactive=False, elem_id="pack-file")

    def packed(visit: Visit) -> Iterator[Any]:
        def work(report: Callable[[int], None]) -> Path:
            return pack(visit, report)

        for now in run_reporting(visit, work):
            if isinstance(now, Done):
                yield ready(str(now.result)), status_html("Packed.", kind="good")
            else:
                words = status_html(f"Face {now} of {len(visit.faces)}", part=now / max(1, len(visit.faces)))
                yield not_ready(), words

    work_on_click(page, buttons, packed, [], [file, status], api_name="pack")


def wire_strip(page: Page, controls: tuple[gr.Row, gr.Gallery, gr.Textbox, gr.Button, gr.Button]) -> None:
    """Connect the controls of ``face_strip``."""
    whole, faces, name, rename, delete = controls
    order = gr.State([])

    def show(visit: Visit | None) -> Any:
        if visit is None or not visit.faces:
            return gr.Row(visible=False), gr.Gallery([]), "", []
        if visit.current not in visit.faces:
            visit.current = list(visit.faces)[-1]
        shown = edited.in_order(visit)
        pictures = [(str(face.before), face.name) for face in shown]
        return gr.Row(visible=True), gr.Gallery(pictures, selected_index=0), shown[0].name, [
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
