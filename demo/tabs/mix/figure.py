"""The figure of the tab Mix: each face with the styles of each."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.page import Page, face_chooser
from stylegan_latents.demo.page.results import ready, results_row
from stylegan_latents.demo.page.running import Done, status_html
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.mix.by_layer import draw_figure
from stylegan_latents.generator.layers import Group


def build_figure(page: Page, groups: Sequence[Group]) -> None:
    """Put the figure's controls below the mix.

    Args:
        page: of the tab.
        groups: of layers that the model has.
    """
    with gr.Accordion("Each face with the styles of each", open=False, elem_id="mix-figure-open"):
        with gr.Row():
            faces = face_chooser(
                page, "mix-side", label="Down the side", info="Who receives; all faces when empty.", several=True
            )
            tops = face_chooser(
                page, "mix-top", label="Along the top", info="Who gives; the same when empty.", several=True
            )
            given = gr.CheckboxGroup(
                list(groups), value=list(groups[:1]), label="Styles given", info="By the faces along the top."
            )
            strength = gr.Slider(0, 1, 1, step=0.05, label="How much", info="0 nothing, 1 all of it.")
        buttons = begin_and_stop("mix-figure", "Draw the figure")
        figure = gr.Image(
            label="The figure",
            alt_text="Each face with the styles of each",
            type="filepath",
            interactive=False,
            buttons=["fullscreen"],
            elem_id="mix-figure",
        )
        status = gr.HTML("", elem_id="mix-figure-status")
        results = results_row("mix-figure", picture="⤓ Figure")

    def draw(
        visit: Visit, side: list[str] | None, top: list[str] | None, layers: list[str], amount: float
    ) -> Iterator[Any]:
        for now in draw_figure(visit, side or list(visit.faces), top or [], ",".join(layers), amount):
            if isinstance(now, Done):
                path, command = now.result
                yield path, command, ready(path), ""
            else:
                drawn, cells = now
                yield (
                    gr.skip(),
                    gr.skip(),
                    gr.skip(),
                    status_html(f"Picture {drawn} of {cells}", part=drawn / cells),
                )

    work_on_click(
        page, buttons, draw, [faces, tops, given, strength], [figure, results.command, results.picture, status],
        api_name="mix_figure",
    )  # fmt: skip
