"""What a tab gives away: files to download, and the command line that makes the same."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.invert.record.files import RECORD_SUFFIX

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Results:
    """The controls under a result.

    Attributes:
        picture: downloads the picture, or the film.
        record: downloads what ``edit`` goes on from; None where there is none.
        command: shows a command line.
    """

    picture: gr.DownloadButton
    record: gr.DownloadButton | None
    command: gr.Code


def results_row(tab: str, *, picture: str = "⤓ Picture", record: str | None = None) -> Results:
    """Make the controls; the buttons are of no use until there is a result.

    Args:
        tab: begins the elements' ids.
        picture, record: words on the buttons; no record's button when None.
    """
    with gr.Row(elem_classes="downloads"):
        first = _download(picture, f"{tab}-picture")
        second = None if record is None else _download(record, f"{tab}-record")
    return Results(first, second, command_box(tab))


def _download(words: str, name: str) -> gr.DownloadButton:
    return gr.DownloadButton(words, size="sm", min_width=90, interactive=False, elem_id=name)


def command_box(tab: str) -> gr.Code:
    """Where a command line is shown, to be copied."""
    with gr.Accordion("The same on the command line", open=False):
        return gr.Code(
            "", language="shell", label="Commands, beside the records' files", lines=2, interactive=False,
            elem_id=f"{tab}-command",
        )  # fmt: skip


def ready(path: str) -> gr.DownloadButton:
    """A button that downloads this file."""
    return gr.DownloadButton(value=path, interactive=True)


def not_ready() -> gr.DownloadButton:
    """A button whose file is out of date."""
    return gr.DownloadButton(value=None, interactive=False)


def command_line(words: Sequence[str]) -> str:
    """Words as a shell takes them."""
    return shlex.join(words)


def record_name(face: Face) -> str:
    """What the file of a face is called when it is downloaded."""
    return f"{face.name}{RECORD_SUFFIX}"


def download_picture(visit: Visit, picture: "Image", tab: str, stem: str) -> gr.DownloadButton:
    """A button that downloads a picture as PNG."""
    return ready(visit.files.store(picture, f"{tab}-download", suffix=".png", stem=stem))
