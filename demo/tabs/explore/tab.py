"""The tab Explore: samples by seed and truncation, to send to any tab."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.page.page import Page, Tab, answering, selected_index
from stylegan_latents.demo.page.results import choice_gallery
from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.editing.samples.sampling import Sampling

_AT_ONCE, _IN_ONE_TURN = 12, 3
_KEPT = 96  # pictures, of 200 kB, which all visitors of the same seeds see
_TRUNCATION = 0.7
_LARGEST_SEED = 2**31
_SEND = "Send the chosen face"

Shown = tuple[int, float, int | None, int | None]


def build(page: Page) -> None:
    """See ``Tab.build``."""
    studio = page.studio
    gr.Markdown("Faces that the model makes up, one for each seed. Choose one, then send it to a tab.")
    with gr.Row():
        seed = gr.Number(
            0, label="First seed", info="A whole number; the same one gives the same face.", precision=0, minimum=0
        )
        truncation = gr.Slider(
            0.0,
            1.2,
            _TRUNCATION,
            step=0.05,
            label="Truncation",
            info="0 is the mean face, 1 the model's full variety.",
        )
        classes = [
            gr.Number(
                0, label="Class", info=f"From 0 to {count - 1}: what the faces are of.", precision=0, minimum=0,
                maximum=count - 1, elem_id="explore-class",
            )
            for count in [studio.G.label_dim]
            if count
        ]  # fmt: skip
        with gr.Column(scale=1, min_width=160):
            show = gr.Button("Show faces", variant="primary", elem_id="explore-show")
            more = gr.Button("Next ones", elem_id="explore-next")
    faces = choice_gallery("explore-faces", label="Faces", columns=6)
    # The first seed, truncation and class of the faces shown, and the seed chosen of them, if any.
    chosen = gr.State(None)
    with gr.Row():
        target = gr.Dropdown(
            [(tab.title, tab.name) for tab in page.receivers],
            value="edit",
            label="Send to",
            info="The tab that the chosen face goes to.",
        )
        send = gr.Button(_SEND, interactive=False, elem_id="explore-send")

    drawn: dict[tuple[int, float, int | None], Image] = {}

    def pictures_of(visit: Visit, sampling: "Sampling", seeds: range) -> "list[Image]":
        keys = [(seed, sampling.truncation, sampling.label) for seed in seeds]
        found = {key: picture for key in keys if (picture := drawn.get(key)) is not None}
        missing = [key[0] for key in keys if key not in found]
        if missing:
            with visit.computing():
                for seed, _, picture in sampling.pictures(studio.preview_G, missing):
                    key = (seed, sampling.truncation, sampling.label)
                    drawn[key] = found[key] = picture
                while len(drawn) > _KEPT:
                    del drawn[next(iter(drawn))]
        return [found[key] for key in keys]

    def draw(visit: Visit, first: float | None, cut: float, kind: float | None = None) -> Iterator[tuple[Any, ...]]:
        from stylegan_latents.editing.samples.sampling import Sampling

        start = whole_seed(first)
        label = None if not classes else -1 if kind is None else int(kind)
        sampling = Sampling(truncation=cut, size=min(256, studio.G.resolution), label=label)
        sampling.check(studio.G)
        pictures: list[tuple[str, str]] = []
        # The first faces come soon, and others are served in between.
        for first_of in range(start, start + _AT_ONCE, _IN_ONE_TURN):
            seeds = range(first_of, first_of + _IN_ONE_TURN)
            for number, picture in zip(seeds, pictures_of(visit, sampling, seeds), strict=True):
                pictures.append((visit.files.store(picture, "explore", most=2 * _AT_ONCE), f"seed {number}"))
            if first_of == start:
                # The choice among earlier faces ends; one among these stays while more come.
                gallery = gr.Gallery(list(pictures), selected_index=None)
                yield gallery, (start, cut, label, None), gr.Button(_SEND, interactive=False)
            else:
                yield list(pictures), gr.skip(), gr.skip()

    def fill(visit: Visit, shown: Shown | None, event: gr.SelectData) -> Iterator[tuple[Any, ...]]:
        # The tab is opened for the first time.
        if event.value == TAB.title and shown is None:
            yield from draw(visit, 0, _TRUNCATION, 0)
        else:
            yield gr.skip(), gr.skip(), gr.skip()

    def next_seed(_visit: Visit, first: float | None) -> int:
        return whole_seed(first) + _AT_ONCE

    def choose(_visit: Visit, shown: Shown, event: gr.SelectData) -> Any:
        start, cut, label, _ = shown
        picked = start + selected_index(event, _AT_ONCE)
        return (start, cut, label, picked), gr.Button(f"Send seed {picked}", interactive=True)

    def deliver(visit: Visit, shown: Shown | None, tab: str) -> tuple[int, gr.Tabs]:
        _, cut, label, picked = shown or (0, _TRUNCATION, None, None)
        if picked is None:
            raise InputError("Choose a face first.")
        visit.send(seed_face(visit, picked, cut, label), tab)
        return visit.version, gr.Tabs(selected=tab)

    inputs, outputs = [page.visit, seed, truncation, *classes], [faces, chosen, send]
    show.click(answering(draw), inputs, outputs, api_name="explore")
    page.tabs.select(
        answering(fill), [page.visit, chosen], outputs, show_progress="hidden", api_visibility="private"
    )
    more.click(answering(next_seed), [page.visit, seed], seed, api_visibility="private").success(
        answering(draw), inputs, outputs, api_visibility="private"
    )
    faces.select(answering(choose), [page.visit, chosen], [chosen, send], api_visibility="private")
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
