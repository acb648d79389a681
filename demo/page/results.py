"""Controls of results: pictures, galleries, downloads, and the equivalent command line."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.page.page import QUIET, Page
from stylegan_latents.demo.page.running import status_html
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.invert.record.files import RECORD_SUFFIX

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Results:
    """The controls below a result: downloads of the picture or film and of the record, and the command line."""

    picture: gr.DownloadButton
    record: gr.DownloadButton | None
    command: gr.Code


def results_row(tab: str, *, picture: str = "⤓ Picture", record: str | None = None) -> Results:
    """Make the controls; the buttons are disabled until there is a result.

    Args:
        tab: prefix of the elements' ids.
        picture, record: labels of the buttons; no button for the record if None.
    """
    with gr.Row(elem_classes="downloads"):
        first, second = (
            gr.DownloadButton(label, size="sm", min_width=90, interactive=False, elem_id=f"{tab}-{name}")
            if label is not None
            else None
            for label, name in ((picture, "picture"), (record, "record"))
        )
    assert first is not None
    return Results(first, second, command_box(tab))


def picture_box(label: str, name: str, *, alt: str | None = None, **options: Any) -> gr.Image:
    """A picture that is only shown; ``name`` is the element's id, ``alt`` its alternative text."""
    options = {"buttons": ["fullscreen"], **options}
    return gr.Image(label=label, alt_text=alt or label, type="filepath", interactive=False, elem_id=name, **options)


def whole_edit_note(page: Page, tab: str) -> None:
    """Add a line that names the faces whose edits are limited to a part of the picture on the tab Edit alone."""
    note = gr.HTML("", visible=False, elem_id=f"{tab}-whole-edit")

    def tell(visit: Visit | None) -> Any:
        faces = [] if visit is None else visit.faces.values()
        names = ", ".join(face.name for face in faces if face.regions.chosen and face.history.current)
        words = f"The edit counts in the whole picture here, not only in the part chosen on the tab Edit: {names}."
        return gr.HTML(status_html(words) if names else "", visible=bool(names))

    gr.on([page.tabs.select, page.version.change], tell, page.visit, note, **QUIET)


def choice_gallery(name: str, *, height: int | str = "auto", **options: Any) -> gr.Gallery:
    """A gallery whose pictures are chosen by a click; ``name`` is the element's id."""
    return gr.Gallery(height=height, allow_preview=False, interactive=False, buttons=[], elem_id=name, **options)


def command_box(tab: str) -> gr.Code:
    """A box that shows a command line to copy."""
    with gr.Accordion("The same on the command line", open=False):
        return gr.Code(
            "", language="shell", label="Commands, beside the records' files", lines=2, interactive=False,
            elem_id=f"{tab}-command",
        )  # fmt: skip


def ready(path: str) -> gr.DownloadButton:
    """A button that downloads this file."""
    return gr.DownloadButton(value=path, interactive=True)


def not_ready() -> gr.DownloadButton:
    """A button without a file."""
    return gr.DownloadButton(value=None, interactive=False)


def record_name(face: Face) -> str:
    """The file name of a face's downloaded record."""
    return f"{face.name}{RECORD_SUFFIX}"


def download_picture(visit: Visit, picture: "Image", tab: str, stem: str) -> gr.DownloadButton:
    """A button that downloads a picture as PNG."""
    return ready(visit.files.store(picture, f"{tab}-download", suffix=".png", stem=stem))
