"""The tab Explore: samples by seed and truncation, to send to any tab."""

from typing import Any

import gradio as gr

from stylegan_latents.demo.page.page import Page, Tab, answering, selected_index
from stylegan_latents.demo.page.results import choice_gallery
from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError

_AT_ONCE = 12
_LARGEST_SEED = 2**31
_SEND = "Send the chosen face"


def build(page: Page) -> None:
    """See ``Tab.build``."""
    studio = page.studio
    gr.Markdown("Faces that the model makes up, one for each seed. Choose one, then send it to a tab.")
    with gr.Row():
        seed = gr.Number(
            0, label="First seed", info="A whole number; the same one gives the same face.", precision=0, minimum=0
        )
        truncation = gr.Slider(
            0.0, 1.2, 0.7, step=0.05, label="Truncation", info="0 is the mean face, 1 the model's full variety."
        )
        with gr.Column(scale=1, min_width=160):
            show = gr.Button("Show faces", variant="primary", elem_id="explore-show")
            more = gr.Button("Next ones", elem_id="explore-next")
    faces = choice_gallery("explore-faces", label="Faces", columns=6)
    shown, chosen = gr.State([]), gr.State(None)
    with gr.Row():
        target = gr.Dropdown(
            [(tab.title, tab.name) for tab in page.receivers],
            value="edit",
            label="Send to",
            info="The tab that the chosen face goes to.",
        )
        send = gr.Button(_SEND, interactive=False, elem_id="explore-send")

    def draw(visit: Visit, first: float | None, cut: float) -> tuple[Any, ...]:
        from stylegan_latents.editing.samples.sampling import Sampling

        start = whole_seed(first)
        sampling = Sampling(truncation=cut, size=min(256, studio.G.resolution))
        with visit.computing():
            drawn = list(sampling.pictures(studio.preview_G, range(start, start + _AT_ONCE)))
        pictures = [
            (visit.files.store(picture, "explore", most=2 * _AT_ONCE), f"seed {number}")
            for number, _, picture in drawn
        ]
        unchosen = gr.Button(_SEND, interactive=False)
        return pictures, [(number, cut) for number, _, _ in drawn], None, unchosen

    def next_seed(_visit: Visit, first: float | None) -> int:
        return whole_seed(first) + _AT_ONCE

    def choose(_visit: Visit, drawn: list[tuple[int, float]], event: gr.SelectData) -> Any:
        picked = drawn[selected_index(event, len(drawn))]
        return picked, gr.Button(f"Send seed {picked[0]}", interactive=True)

    def deliver(visit: Visit, picked: tuple[int, float] | None, tab: str) -> tuple[int, gr.Tabs]:
        if picked is None:
            raise InputError("Choose a face first.")
        visit.send(seed_face(visit, *picked), tab)
        return visit.version, gr.Tabs(selected=tab)

    inputs, outputs = [page.visit, seed, truncation], [faces, shown, chosen, send]
    show.click(answering(draw), inputs, outputs, api_name="explore")
    more.click(answering(next_seed), [page.visit, seed], seed, api_visibility="private").success(
        answering(draw), inputs, outputs, api_visibility="private"
    )
    faces.select(answering(choose), [page.visit, shown], [chosen, send], api_visibility="private")
    send.click(
        answering(deliver), [page.visit, chosen, target], [page.version, page.tabs], api_visibility="private"
    )


def whole_seed(value: float | None) -> int:
    """A seed from a number box.

    Raises:
        InputError: it is empty or out of range.
    """
    if value is None or not 0 <= value < _LARGEST_SEED:
        raise InputError(f"A seed is a whole number from 0 to {_LARGEST_SEED - 1}.")
    return int(value)


TAB = Tab("Explore", "explore", build, takes_faces=False)
