"""What a tab gives away: files to download, and the command line that makes the same."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from demo.visit import Face, Visit
from invert.record_files import RECORD_SUFFIX

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
    command: gr.Textbox


def results_row(tab: str, *, picture: str = "Download the picture", record: str | None = None) -> Results:
    """Make the controls; the buttons are of no use until there is a result.

    Args:
        tab: begins the elements' ids.
        picture, record: words on the buttons; no record's button when None.
    """
    with gr.Row():
        first = gr.DownloadButton(picture, interactive=False, elem_id=f"{tab}-picture")
        second = None if record is None else gr.DownloadButton(record, interactive=False, elem_id=f"{tab}-record")
    return Results(first, second, command_box(tab))


def command_box(tab: str) -> gr.Textbox:
    """Where a command line is shown, to be copied."""
    return gr.Textbox(
        label="The same on the command line",
        info="With the records' files in the folder that it runs in.",
        interactive=False,
        lines=1,
        max_lines=6,
        buttons=["copy"],
        elem_id=f"{tab}-command",
        elem_classes="command",
    )


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


def download_record(visit: Visit, face: Face) -> gr.DownloadButton:
    """A button that downloads a face's record."""
    del visit  # a record lies in its visit's folder already
    return ready(str(face.record.path))


def download_picture(visit: Visit, picture: "Image", tab: str, stem: str) -> gr.DownloadButton:
    """A button that downloads a picture as PNG."""
    return ready(visit.store(picture, f"{tab}-download", suffix=".png", stem=stem))
