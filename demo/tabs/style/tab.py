"""The tab Style: a face in the style of a picture, as a picture and as a film; a new style from a picture."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.page.page import AT_ONCE, QUIET, Page, Tab, answering, face_chooser
from stylegan_latents.demo.page.results import not_ready, picture_box, ready, results_row
from stylegan_latents.demo.page.running import Done, status_html
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.photos import shown
from stylegan_latents.demo.session.styles import (
    draw_in_style,
    find_style,
    known_styles,
    open_style,
    style_commands,
)
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.interpolate.film import LONGEST_SECONDS, FilmRequest, draw_film
from stylegan_latents.demo.tabs.style.making import Quality, StyleRequest, make_style

if TYPE_CHECKING:
    from gradio.data_classes import ImageData

_STRONGEST = 2.0
_FILM_SIDE, _RATE = 512, 24
_HELLO = status_html("Choose a face and a style, or make a style from a picture.")


def build(page: Page) -> None:
    """See ``Tab.build``."""
    offered = list(page.studio.styles)
    gr.Markdown("A face in the style of a drawing or a painting. One picture is enough for a style of your own.")
    with gr.Row(elem_classes="studio"):
        with gr.Column(scale=5, min_width=320):
            face = face_chooser(page, "style", info="Every face of this visit, with its edits.")
            style = gr.Radio(
                offered, value=offered[0] if offered else None, label="Style", elem_id="style-name",
                info="Your own styles are listed here, too.", visible=bool(offered),
            )  # fmt: skip
            strength = gr.Slider(
                0.0, _STRONGEST, 1.0, step=0.05, label="Strength", info="0 is no style, 1 the full style.",
                elem_id="style-strength",
            )  # fmt: skip
            with gr.Accordion("A style of your own", open=not offered, elem_id="style-own"):
                picture, options, make = _making()
                upload = gr.UploadButton(
                    "Open a style", file_types=[".safetensors"], type="filepath", size="sm",
                    elem_id="style-upload",
                )  # fmt: skip
            with gr.Accordion("A film in which the style grows", open=False):
                with gr.Row():
                    seconds = gr.Slider(
                        1, LONGEST_SECONDS, 4, step=0.5, label="Length in seconds", info="Of the whole film.",
                        elem_id="style-seconds",
                    )  # fmt: skip
                    back = gr.Checkbox(True, label="There and back", info="It repeats without a jump.")
                shoot = begin_and_stop("style-film", "Make the film")
        with gr.Column(scale=6, min_width=320, elem_classes="result"):
            result = picture_box("The face in this style", "style-shown")
            film = gr.Video(
                label="The film", interactive=False, autoplay=True, loop=True, buttons=[], visible=False,
                elem_id="style-video",
            )  # fmt: skip
            status = gr.HTML(_HELLO, elem_id="style-status")
            results = results_row("style")
            with gr.Row(elem_classes="downloads"):
                download_film, download_style = (
                    gr.DownloadButton(
                        label, size="sm", min_width=90, interactive=False, elem_id=f"style-get-{name}"
                    )
                    for label, name in (("⤓ Film (MP4)", "film"), ("⤓ Style", "file"))
                )
    outputs = [result, film, results.picture, results.command, download_style, status]
    inputs = [page.visit, face, style, strength]
    _wire_drawing(page, inputs, [face, style, strength, upload], outputs)

    def made(visit: Visit, upload: str | None, *values: Any) -> Iterator[Any]:
        for now in make_style(visit, upload, _request(*values)):
            if isinstance(now, Done):
                kept = now.result
                names = list(known_styles(visit))
                words = status_html(f"Made the style “{kept.name}”.", kind="good")
                yield (
                    gr.Radio(names, value=kept.name, visible=True),
                    ready(str(kept.path)),
                    gr.skip(),
                    visit.version,
                    words,
                )
            else:
                crop = gr.skip() if now.picture is None else gr.Image(now.picture, visible=True)
                yield gr.skip(), not_ready(), crop, gr.skip(), now.status

    work_on_click(
        page, make, made, [picture, *options], [style, download_style, result, page.version, status],
        api_name="make_style", keep=True, search=True,
    )  # fmt: skip

    def filmed(visit: Visit, name: str | None, style: str | None, strength: float, long: float, back: bool) -> Any:
        kept = find_style(visit, style)
        size = min(_FILM_SIDE, visit.studio.G.resolution)
        request = FilmRequest(
            (visit.face(name).name,), float(long), _RATE, size, easing="smooth", end="back" if back else "stop",
            style=kept.name, style_strength=strength,
        )  # fmt: skip
        for now in draw_film(visit, request):
            if isinstance(now, Done):
                path, command = now.result
                yield gr.Video(path, visible=True), gr.Image(visible=False), command, ready(path), ""
            else:
                frame = gr.skip() if now.picture is None else gr.Image(now.picture, visible=True)
                yield gr.Video(visible=False), frame, gr.skip(), not_ready(), now.status

    work_on_click(
        page, shoot, filmed, [face, style, strength, seconds, back],
        [film, result, results.command, download_film, status], api_name="style_film",
    )  # fmt: skip


def _making() -> tuple[gr.Image, list[Any], tuple[gr.Button, gr.Button]]:
    """The controls of a new style: the picture, the options of ``StyleRequest``, and the two buttons."""
    picture = gr.Image(
        label="Style picture", alt_text="The style picture that was uploaded", sources=["upload", "clipboard"],
        type="filepath", image_mode=None, height=200, buttons=[], elem_id="style-example",
        placeholder="# Drop a drawing or a painting of a face\nor click to choose",
    )  # fmt: skip

    # The library's own reader checks the file and explains what is wrong.
    def path(payload: "ImageData | None") -> str | None:
        return None if payload is None else payload.path

    setattr(picture, "preprocess", path)  # noqa: B010
    with gr.Row():
        name = gr.Textbox(
            label="Name", info="The picture's by default.", max_length=40, min_width=140, elem_id="style-new-name"
        )
        quality = gr.Radio(
            [("Draft", "draft"), ("Good", "good")], value="good", label="Quality", min_width=160,
            info="Good takes some minutes, draft a third of it.",
        )  # fmt: skip
    with gr.Row():
        align = gr.Checkbox(True, label="Look for a face", info="Off: take the central square.", min_width=200)
        colour = gr.Checkbox(False, label="Keep colours", info="Those of the photo.", min_width=200)
        shape = gr.Checkbox(False, label="Keep shapes", info="Those of the face.", min_width=200)
    return picture, [name, quality, align, colour, shape], begin_and_stop(
        "style-make", "Make the style", "Stop, keep what is made"
    )  # fmt: skip


def _wire_drawing(page: Page, inputs: list[Any], controls: list[Any], outputs: list[Any]) -> None:
    """Draw when a control changes: small while the slider moves, in full at rest."""
    face, style, strength, upload = controls
    result, film, picture, command, file, status = outputs

    def preview(visit: Visit, name: str | None, style: str | None, strength: float) -> Any:
        if not name or not style:
            return gr.skip(), gr.skip()
        chosen, kept = visit.face(name), find_style(visit, style)
        with visit.computing():
            drawn = draw_in_style(visit, chosen, kept, strength, preview=True)
        return gr.Image(visit.files.store(drawn, "style-preview"), visible=True), gr.Video(visible=False)

    def draw(visit: Visit, name: str | None, style: str | None, strength: float) -> Any:
        if not name or not style:
            return [gr.skip()] * 4
        chosen, kept = visit.face(name), find_style(visit, style)
        with visit.computing():
            drawn = draw_in_style(visit, chosen, kept, strength, preview=False)
        stem = f"{chosen.name}.{kept.name}{'' if strength == 1 else f'{strength:g}'}"
        return (
            gr.Image(visit.files.store(shown(drawn), "style"), visible=True),
            ready(visit.files.store(drawn, "style-result", suffix=".png", stem=stem)),
            style_commands(visit, chosen, kept, strength),
            ready(str(kept.path)),
        )

    def list_styles(visit: Visit | None, chosen: str | None) -> Any:
        if visit is None:
            return gr.skip()
        names = list(known_styles(visit))
        first = names[0] if names else None
        return gr.Radio(names, value=chosen if chosen in names else first, visible=bool(names))

    def on_opening(
        visit: Visit, name: str | None, style: str | None, strength: float, event: gr.SelectData
    ) -> Iterator[Any]:
        skip = gr.skip()
        if event.value != TAB.title:
            yield [skip] * 5
            return
        yield *preview(visit, name, style, strength), skip, skip, skip
        shown, *rest = draw(visit, name, style, strength)
        yield shown, skip, *rest

    live: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last", "concurrency_id": "style"}
    small: Any = {"api_visibility": "private", "concurrency_limit": 4, **live}
    drawn = [result, picture, command, file]
    strength.input(answering(preview), inputs, [result, film], **small)
    page.tabs.select(answering(on_opening), inputs, [result, film, picture, command, file], **small)
    for number, event in enumerate((strength.release, style.change, face.input)):
        api: Any = {"api_visibility": "private"} if number else {"api_name": "draw_style"}
        event(answering(preview), inputs, [result, film], **small).success(
            answering(draw), inputs, drawn, **live, **api
        )
    page.version.change(list_styles, [page.visit, style], style, **QUIET)

    def opened(visit: Visit, path: str | None) -> Any:
        kept = open_style(visit, path or "")
        words = status_html(f"Opened the style “{kept.name}”.", kind="good")
        return gr.Radio(list(known_styles(visit)), value=kept.name, visible=True), words

    upload.upload(answering(opened), [page.visit, upload], [style, status], api_name="open_style", **AT_ONCE)


def _request(name: str, quality: Quality, align: bool, keep_colour: bool, keep_shape: bool) -> StyleRequest:
    return StyleRequest(name, quality, bool(align), bool(keep_colour), bool(keep_shape))


TAB = Tab("Style", "style", build)
