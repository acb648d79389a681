"""The tab Interpolate: a film from face to face."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.page.page import Page, Tab
from stylegan_latents.demo.page.results import not_ready, picture_box, ready, results_row
from stylegan_latents.demo.page.running import Done, status_html
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.interpolate.film import (
    LONGEST_SECONDS,
    MOST_KEYS,
    RATES,
    End,
    FilmRequest,
    draw_film,
)
from stylegan_latents.demo.tabs.interpolate.key_frames import key_frames
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from stylegan_latents.editing.films.trajectories import Curve, Easing

_SMALLEST_SIDE = 256


def build(page: Page) -> None:
    """See ``Tab.build``."""
    G = page.studio.G
    sides = [G.resolution >> shift for shift in range(3) if G.resolution >> shift >= _SMALLEST_SIDE]
    sides = sides or [G.resolution]
    known = [group for group in GROUPS if group in G.ws_groups]
    gr.Markdown("A film that goes from face to face. Add faces to the row, then make the film.")
    with gr.Row(elem_classes="studio"):
        with gr.Column(scale=5, min_width=320):
            keys = key_frames(page, "interpolate", most=MOST_KEYS)
            with gr.Row():
                seconds = gr.Slider(
                    1, LONGEST_SECONDS, 3, step=0.5, label="Length in seconds", info="Of the whole film.",
                    elem_id="interpolate-seconds",
                )  # fmt: skip
                end = gr.Radio(
                    [("stop there", "stop"), ("loop to the first", "loop"), ("there and back", "back")],
                    value="stop", label="At the last face", info="A loop repeats without a jump.",
                    elem_id="interpolate-end",
                )  # fmt: skip
            with gr.Row():
                curve = gr.Radio(
                    [("straight", "linear"), ("spline", "spline"), ("through Z", "slerp")],
                    value="linear", label="Curve",
                    info="A spline has no corners at the faces; a curve through Z needs samples of Explore.",
                    elem_id="interpolate-curve",
                )  # fmt: skip
                easing = gr.Radio(
                    [("even", "linear"), ("slow at each face", "smooth")],
                    value="smooth", label="Easing", info="How the speed changes.", elem_id="interpolate-easing",
                )  # fmt: skip
            with gr.Accordion("More", open=False), gr.Row():
                even = gr.Checkbox(
                    False, label="Even visible speed", info="The same visible change from frame to frame."
                )
                groups = gr.CheckboxGroup(
                    known, value=known, label="Layers that change", info="Coarse alone turns the first face's head."
                )
                size = gr.Dropdown(
                    [(f"{side} pixels", side) for side in sides],
                    value=min(sides, key=lambda side: abs(side - 512)),
                    label="Size", info="Larger takes longer.", elem_id="interpolate-size",
                )  # fmt: skip
                rate = gr.Dropdown(list(RATES), value=24, label="Frames per second", info="24 as in the cinema.")
            buttons = begin_and_stop("interpolate", "Make the film")
        with gr.Column(scale=5, min_width=320, elem_classes="result"):
            film = gr.Video(
                label="The film", interactive=False, autoplay=True, loop=True, buttons=[],
                elem_id="interpolate-film",
            )  # fmt: skip
            drawing = picture_box("The newest frame", "interpolate-frame", visible=False, buttons=[])
            status = gr.HTML("", elem_id="interpolate-status")
            results = results_row("interpolate", picture="⤓ Film (MP4)")

    def make(visit: Visit, *values: Any) -> Iterator[Any]:
        for now in draw_film(visit, _request(*values)):
            if isinstance(now, Done):
                path, command = now.result
                yield gr.Video(path, visible=True), gr.Image(visible=False), command, ready(path), ""
            else:
                shown = gr.skip() if now.frame is None else gr.Image(now.frame, visible=True)
                words = status_html(now.words, part=now.part)
                yield gr.Video(visible=False), shown, gr.skip(), not_ready(), words

    def rest() -> tuple[Any, ...]:
        return gr.Video(visible=True), gr.Image(visible=False), gr.skip(), gr.skip()

    work_on_click(
        page, buttons, make, [keys, seconds, rate, size, curve, easing, even, end, groups],
        [film, drawing, results.command, results.picture, status], api_name="film", rest=rest,
    )  # fmt: skip


def _request(
    keys: list[str] | None,
    seconds: float,
    rate: int,
    size: int,
    curve: "Curve",
    easing: "Easing",
    even: bool,
    end: End,
    groups: list[str],
) -> FilmRequest:
    return FilmRequest(
        tuple(keys or ()), float(seconds), int(rate), int(size), curve, easing, bool(even), end, tuple(groups)
    )


TAB = Tab("Interpolate", "interpolate", build)
