"""The search for a face from the page: quality, a closer result, ignored parts; begun, stopped and shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import gradio as gr
from gradio.events import Dependency

from stylegan_latents.demo.page.page import AT_ONCE, QUIET, Page, answering
from stylegan_latents.demo.page.painting import mask_if_painted, paint_box, save_mask
from stylegan_latents.demo.page.running import status_html, wait_in_queue
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.photos import shown
from stylegan_latents.demo.session.uploads import Photo
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit import searching
from stylegan_latents.demo.tabs.edit.answers import about
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.inverters.options import Quality
from stylegan_latents.invert.search.time_left import duration

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITIES = [(quality.capitalize(), quality) for quality in get_args(Quality)]
_CANVAS = (640, 640)
_CLOSER = [("No", ""), ("Tune the model", "pivotal"), ("Also keep what it cannot draw", "layered")]
_NO_PHOTO = "Upload a photo first."


@dataclass(frozen=True)
class Panel:
    """The controls."""

    quality: gr.Radio
    start: gr.Button
    stopping: gr.Row
    keep: gr.Button
    cancel: gr.Button
    closer: gr.Radio
    more: gr.Accordion
    paint: gr.ImageEditor
    mask: gr.DownloadButton


def build(page: Page) -> Panel:
    """Add the panel to the current Gradio context."""
    closer_ways = _CLOSER if page.studio.G.camera is None else _CLOSER[:-1]
    with gr.Row(elem_classes="search"):
        quality = gr.Radio(
            _QUALITIES, value="good", label="Search", min_width=200, elem_id="edit-quality",
            info="Best takes twice as long as good, draft half; instant is a first look.",
        )  # fmt: skip
    start = gr.Button("Find this face", variant="primary", interactive=False, elem_id="edit-start")
    with gr.Row(visible=False) as stopping:
        keep = gr.Button("Stop, keep what is found", size="sm", min_width=120, elem_id="edit-keep")
        cancel = gr.Button("Cancel", size="sm", min_width=80, elem_id="edit-cancel")
    with gr.Accordion("Closer result, ignored parts", open=False, elem_id="edit-more-search") as more:
        closer = gr.Radio(
            closer_ways, value="", label="Closer result", elem_id="edit-closer",
            info="Takes longer. A hand or a hat can be kept as it is in the photo.",
        )  # fmt: skip
        gr.Markdown("Paint over what is to be ignored, such as a hand; the model fills it in.", elem_classes="hint")
        paint = paint_box("Paint what is ignored", "edit-mask", _CANVAS, show_label=False)
        mask = gr.DownloadButton("⤓ Mask", size="sm", visible=False, elem_id="edit-mask-file")
    return Panel(quality, start, stopping, keep, cancel, closer, more, paint, mask)


def wire(
    page: Page, panel: Panel, photo: gr.Image, number: gr.State, shown_on: tuple[gr.HTML, gr.ImageSlider]
) -> Dependency:
    """Connect the panel; returns the event of the search.

    Args:
        page, panel: the page and the panel.
        photo: the upload.
        number: of the chosen face.
        shown_on: the status line and the comparison.
    """
    p, (status, compare) = panel, shown_on
    quiet: Any = {"api_visibility": "undocumented", **AT_ONCE}
    painted_on = gr.State("")
    searched: Dependency = p.start.click(
        answering(prepare), page.visit, [p.start, p.stopping, status], **quiet
    ).success(
        answering(search),
        [page.visit, number, p.quality, p.closer, p.paint, painted_on],
        [status, compare, page.version, p.mask],
        show_progress="hidden",
        concurrency_limit=None,  # the studio's queue says whose turn it is
        api_name="invert",
    )
    for ended in (searched.then, searched.failure):  # after an error, Gradio calls only the second
        ended(answering(work_ended), page.visit, [p.start, p.stopping], **quiet)
    p.keep.click(answering(stop_and_keep), page.visit, status, **quiet)
    p.cancel.click(answering(cancel), page.visit, status, **quiet)
    p.more.expand(answering(show_photo), [page.visit, painted_on], [p.paint, painted_on], **QUIET)
    photo.change(
        lambda: (gr.Accordion(open=False), gr.DownloadButton(visible=False)), None, [p.more, p.mask], **QUIET
    )
    return searched


def show_photo(visit: Visit, painted_on: str) -> tuple[Any, str]:
    """Show the photo to paint on, unless it is there already."""
    photo = visit.photo
    if photo is None:
        return None, ""
    if painted_on == str(photo.path):
        return gr.skip(), painted_on
    with visit.computing():
        copy = visit.files.store(shown(photo.read()), "to-paint")
    return copy, str(photo.path)


def prepare(visit: Visit) -> tuple[Any, ...]:
    """Prepare a search, which can be stopped from now on, even while it waits."""
    if visit.photo is None:
        raise InputError(_NO_PHOTO)
    visit.prepare()
    return gr.Button(interactive=False), gr.Row(visible=True), status_html("Waiting for a turn.", part=0)


def search(
    visit: Visit,
    number: int,
    quality: "Quality",
    closer: searching.Closer = "",
    painted: Any = None,
    painted_on: str = "",
) -> Iterator[tuple[Any, ...]]:
    """Search the code of the chosen face, and show each stage; what was painted on another photo does not count."""
    photo = visit.photo
    if photo is None:
        raise InputError(_NO_PHOTO)
    skip, moves = gr.skip(), visit.moves
    drawn = mask_if_painted(painted) if painted_on == str(photo.path) else None
    mask = None if drawn is None else mask_of_photo(visit, photo, drawn)
    with visit.at_work(), visit.studio.searches.enter(visit.client) as ticket:
        for words in wait_in_queue(visit, ticket):
            yield status_html(words, part=0), skip, skip, skip
        for stage in searching.search(visit, photo, number, quality=quality, closer=closer, mask=mask):
            if isinstance(stage, Face):
                visit.send(stage, "edit")
                file = gr.DownloadButton(visible=mask is not None, value=None if mask is None else str(mask))
                yield about(stage), skip, visit.version, file
                return
            ticket.expect(stage.seconds_left)
            # A slider moved meanwhile shows the edited face, which stays.
            pair = (stage.before, stage.now) if visit.moves == moves else skip
            yield status_html(progress_words(stage), part=stage.step / stage.steps), pair, skip, skip


def mask_of_photo(visit: Visit, photo: Photo, painted: "Image") -> Path:
    """The file of what was painted on a small copy of the photo, in the photo's size: white where it is ignored."""
    with visit.computing():
        size = photo.read().size
        return save_mask(visit, painted.resize(size), f"{Path(photo.name).stem}.mask")


def work_ended(visit: Visit) -> tuple[Any, ...]:
    """The search has ended in any way; its photo may have been removed meanwhile."""
    return gr.Button(interactive=visit.photo is not None), gr.Row(visible=False)


def search_failed(name: str | None) -> tuple[Any, ...]:
    """The search ended without a face; the face chosen before is drawn again."""
    return status_html("The search ended; nothing was kept."), gr.skip() if name else None


def stop_and_keep(visit: Visit) -> str:
    """Stop the search and keep the best code so far."""
    visit.keep = True
    visit.stop.set()
    return status_html("Stopping; what was found so far is kept.")


def cancel(visit: Visit) -> str:
    """Stop the search and keep nothing."""
    visit.keep = False
    visit.stop.set()
    return status_html("Stopping …")


def progress_words(stage: searching.Stage) -> str:
    """The progress of a search in words."""
    if not stage.step:
        return "Starting …"
    text = f"Step {stage.step} of {stage.steps}"
    if stage.seconds_left is None:
        return text
    return f"{text}, {duration(stage.seconds_left)} left"
