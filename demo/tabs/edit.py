"""The tab Edit: a photo in, sliders, the edited photo out."""

from typing import Any

import gradio as gr

from demo.page import Page, answering, face_chooser
from demo.visit import Visit


def build(page: Page) -> None:
    """Put the tab's controls into the tab that is being made."""
    studio = page.studio
    with gr.Row():
        with gr.Column(scale=5):
            compare = gr.ImageSlider(label="Before and after", type="filepath", elem_id="edit-compare")
        with gr.Column(scale=4):
            chooser = face_chooser(page, "edit", info="Every face of this visit.")
            sliders = [
                gr.Slider(-4, 4, 0, step=0.1, label=name, info=direction.description)
                for name, direction in studio.directions.items()
            ]

    def draw(visit: Visit, name: str | None, *strengths: float) -> Any:
        face = visit.face(name)
        edits = list(zip(studio.directions.values(), strengths, strict=True))
        with studio.turns:
            before = face.preview.picture(size=studio.preview_size)
            after = face.preview.edited(edits, size=studio.preview_size)
        return visit.store(before, "before"), visit.store(after, "after")

    gr.on(
        [chooser.change, *(slider.input for slider in sliders)],
        answering(draw),
        [page.visit, chooser, *sliders],
        compare,
        show_progress="hidden",
        trigger_mode="always_last",
        api_name="preview",
    )
