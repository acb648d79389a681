"""The tab Interpolate: a film from face to face."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.page.page import QUIET, Page, Tab
from stylegan_latents.demo.page.results import not_ready, picture_box, ready, results_row, whole_edit_note
from stylegan_latents.demo.page.running import Done, StoppedError
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.interpolate.film import (
    LARGEST_GIF,
    LONGEST_SECONDS,
    MOST_KEYS,
    RATES,
    End,
    FilmRequest,
    Kind,
    draw_film,
)
from stylegan_latents.demo.tabs.interpolate.key_frames import key_frames
from stylegan_latents.generator.errors import InputError
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
    gr.Markdown("A film from face to face, or of one face along a direction. Add faces, then make the film.")
    with gr.Row(elem_classes="studio"):
        with gr.Column(scale=5, min_width=320):
            keys = key_frames(page, "interpolate", most=MOST_KEYS)
            whole_edit_note(page, "interpolate")
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
            with gr.Row():
                direction = gr.Dropdown(
                    _directions(page.studio.directions), value="", label="Along a direction",
                    info="From the negative strength to the positive one.", elem_id="interpolate-direction",
                )  # fmt: skip
                reach = gr.Slider(
                    0.5, 4, 2, step=0.1, label="Strength at the end", info="Of the direction.",
                    elem_id="interpolate-reach",
                )  # fmt: skip
            orbit = gr.Checkbox(
                False, label="Swing the camera", info="Once to both sides; one face is enough.",
                visible=G.camera is not None, elem_id="interpolate-orbit",
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
                kind = gr.Radio(
                    [("MP4", "mp4"), ("GIF", "gif")], value="mp4", label="File", elem_id="interpolate-kind",
                    info=f"A GIF plays everywhere; it has up to {LARGEST_GIF} pixels.",
                )  # fmt: skip
            buttons = begin_and_stop("interpolate", "Make the film")
        with gr.Column(scale=5, min_width=320, elem_classes="result"):
            film = gr.Video(
                label="The film", interactive=False, autoplay=True, loop=True, buttons=[],
                elem_id="interpolate-film",
            )  # fmt: skip
            drawing = picture_box("The newest frame", "interpolate-frame", visible=False, buttons=[])
            status = gr.HTML("", elem_id="interpolate-status")
            results = results_row("interpolate", picture="⤓ Film")

    last = gr.State("")

    def shown(path: str) -> tuple[Any, Any]:
        if path.endswith(".gif"):  # a picture, for a browser
            return gr.Video(visible=False), gr.Image(path, visible=True)
        return gr.Video(path or None, visible=True), gr.Image(visible=False)

    def make(visit: Visit, before: str, *values: Any) -> Iterator[Any]:
        try:
            for now in draw_film(visit, _request(*values)):
                if isinstance(now, Done):
                    path, command = now.result
                    yield *shown(path), command, ready(path), path, ""
                else:
                    frame = gr.skip() if now.picture is None else gr.Image(now.picture, visible=True)
                    yield gr.Video(visible=False), frame, gr.skip(), not_ready(), gr.skip(), now.status
        except (InputError, StoppedError):
            yield *shown(before), gr.skip(), ready(before) if before else not_ready(), gr.skip(), ""
            raise

    def offer(visit: Visit | None) -> Any:
        return gr.skip() if visit is None else gr.Dropdown(_directions(visit.all_directions))

    page.version.change(offer, page.visit, direction, **QUIET)
    work_on_click(
        page, buttons, make,
        [last, keys, seconds, rate, size, curve, easing, even, end, groups, direction, reach, kind, orbit],
        [film, drawing, results.command, results.picture, last, status], api_name="film",
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
    direction: str,
    reach: float,
    kind: Kind,
    orbit: bool,
) -> FilmRequest:
    return FilmRequest(
        tuple(keys or ()), float(seconds), int(rate), int(size), curve, easing, bool(even), end, tuple(groups),
        direction, float(reach), kind=kind, orbit=bool(orbit),
    )  # fmt: skip


def _directions(names: Iterable[str]) -> list[tuple[str, str]]:
    return [("no direction", ""), *((name, name) for name in names)]


TAB = Tab("Interpolate", "interpolate", build)
