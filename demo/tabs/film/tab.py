"""The tab Film: the face in a short film, inverted and edited in all frames."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, get_args

import gradio as gr

from stylegan_latents.demo.page.page import QUIET, Page, Tab
from stylegan_latents.demo.page.results import not_ready, ready, results_row
from stylegan_latents.demo.page.running import Done, status_html
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.film.inverting import LONGEST_SECONDS, edit_film, invert_film
from stylegan_latents.invert.inverters.options import Quality

if TYPE_CHECKING:
    from gradio.data_classes import FileData

_ORDER = ("First", "Second")
_NONE = ("no direction", "")


def build(page: Page) -> None:
    """See ``Tab.build``."""
    known = list(page.studio.directions)
    gr.Markdown(
        f"The face in a film, edited in every frame. The first {LONGEST_SECONDS:g} seconds are used. Searching and "
        "drawing every frame takes long."
    )
    with gr.Row(elem_classes="studio"):
        with gr.Column(scale=5, min_width=320):
            film = gr.Video(
                label="Your film", sources=["upload", "webcam"], include_audio=True, buttons=[],
                webcam_options=gr.WebcamOptions(mirror=False), elem_id="film-upload",
            )  # fmt: skip

            # The library's own reader checks the file and explains what is wrong.
            def path(payload: "FileData | None") -> str | None:
                return None if payload is None else payload.path

            setattr(film, "preprocess", path)  # noqa: B010
            with gr.Row():
                quality = gr.Radio(
                    [(one.capitalize(), one) for one in get_args(Quality)], value="good", label="Search",
                    info="Of the first frame; the others follow it.", min_width=200,
                )  # fmt: skip
                every = gr.Dropdown(
                    [("every frame", 1), ("every 2nd", 2), ("every 4th", 4)], value=2,
                    label="Frames", info="Codes in between are interpolated.", min_width=160, elem_id="film-every",
                )  # fmt: skip
            align = gr.Checkbox(True, label="Look for faces", info="Off: take the central square.")
            begin = begin_and_stop("film", "Find the face")
            rows = []
            for number in range(len(_ORDER)):
                with gr.Row():
                    first = known[:1] if number == 0 and "smile" not in known else ["smile"] if number == 0 else []
                    rows += [
                        gr.Dropdown(
                            [_NONE, *((name, name) for name in known)], value=first[0] if first else "",
                            label=f"{_ORDER[number]} direction", info="As in the tab Edit.", min_width=140,
                            elem_id=f"film-direction-{number}",
                        ),
                        gr.Slider(
                            -4, 4, 1.5, step=0.1, label=f"{_ORDER[number]} strength",
                            info="0 changes nothing.", min_width=140, elem_id=f"film-strength-{number}",
                        ),
                    ]  # fmt: skip
            paste = gr.Checkbox(True, label="Paste back into the film", info="Off: the film shows the face alone.")
            make = begin_and_stop("film-edit", "Make the edited film")
        with gr.Column(scale=5, min_width=320, elem_classes="result"):
            result = gr.Video(
                label="The film", interactive=False, autoplay=True, loop=True, buttons=[], elem_id="film-result"
            )
            status = gr.HTML(status_html("Drop a short film."), elem_id="film-status")
            results = results_row("film", picture="⤓ Film (MP4)", record="⤓ Record")
    assert results.record is not None

    def find(visit: Visit, upload: str | None, quality: Quality, every: int, align: bool) -> Iterator[Any]:
        for now in invert_film(visit, upload, quality=quality, every=int(every), align=bool(align)):
            if isinstance(now, Done):
                found = now.result
                found_words = "Found: this is how the model draws the face. Now choose a direction."
                words = status_html(" ".join([found_words, *found.notes]), kind="good")
                yield str(found.drawn), found.made_by, ready(str(found.drawn)), ready(str(found.record)), words
            else:
                yield gr.skip(), gr.skip(), not_ready(), not_ready(), now.status

    def change(visit: Visit, paste: bool, *values: Any) -> Iterator[Any]:
        strengths: dict[str, float] = {}
        for name, strength in zip(values[::2], values[1::2], strict=True):
            if name:
                strengths[name] = strengths.get(name, 0.0) + float(strength or 0)
        for now in edit_film(visit, strengths, paste_back=bool(paste)):
            if isinstance(now, Done):
                path, command = now.result
                notes = () if visit.film is None else visit.film.notes
                yield str(path), command, ready(str(path)), status_html(" ".join(notes)) if notes else ""
            else:
                yield gr.skip(), gr.skip(), gr.skip(), now.status

    def offer(visit: Visit | None) -> Any:
        if visit is None:
            return [gr.skip()] * len(_ORDER)
        return [gr.Dropdown([_NONE, *((name, name) for name in visit.all_directions)]) for _ in range(len(_ORDER))]

    page.version.change(offer, page.visit, rows[::2], **QUIET)
    work_on_click(
        page, begin, find, [film, quality, every, align],
        [result, results.command, results.picture, results.record, status], api_name="film_invert", search=True,
    )  # fmt: skip
    work_on_click(
        page, make, change, [paste, *rows], [result, results.command, results.picture, status],
        api_name="film_edit",
    )  # fmt: skip


TAB = Tab("Film", "film", build, takes_faces=False)
