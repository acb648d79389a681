"""What every tab is given, and what tabs have in common."""

import functools
import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.running import StoppedError
from stylegan_latents.demo.session.files import ENDED
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError

_CONTROLS = {
    "run `pip install pillow-heif`, or export it": "export it",
    "; give the model it was made with": "; only a demo of that model opens it",
    "--no-align": "turn \u201cLook for faces\u201d off",
    "give a mask's file instead, such as --region mask.png, white where to change": "take another choice instead",
}
"""What the page calls an option that a message of the library names."""

_log = logging.getLogger("demo")
_FAULT = "Something went wrong that was not your fault; the program's own log says what. Please try again."
_NO_MEMORY = "There is not enough memory for this just now; try a smaller photo, or again in a moment."


@dataclass(frozen=True)
class Tab:
    """A tab of the page: a folder in ``demo/tabs`` defines it as ``TAB``, and a line of ``app.TABS`` shows it.

    Attributes:
        title: what it is called.
        name: its id.
        build: puts its controls into the tab that is being made.
        takes_faces: whether other tabs can send it a face; ``face_chooser`` receives it.
    """

    title: str
    name: str
    build: "Callable[[Page], None]"
    takes_faces: bool = True


@dataclass(frozen=True)
class Page:
    """What a tab is built with, ``build(page: Page) -> None``, inside its own ``gr.Tab``.

    Attributes:
        studio: what all visitors share.
        visit: holds the ``Visit`` of the browser session; an input of every handler, the first.
        version: a ``gr.State`` that holds ``Visit.version``. A handler that adds a face, sends one to a tab or
            keeps a direction has it as an output and returns ``visit.version``; what shows faces or directions
            listens to its ``change``.
        tabs: the row of tabs; a handler goes to another one by returning ``gr.Tabs(selected=ID)`` to it. The ids
            are those of ``TABS``.
        takers: the tabs that a face can be sent to.
    """

    studio: Studio
    visit: gr.State
    version: gr.State
    tabs: gr.Tabs
    takers: "Sequence[Tab]"


def answering(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a handler, whose first argument is the visit, so that errors become a sentence in the page.

    Works for functions and for generators. What is wrong with the visitor's input is an
    ``InputError``; anything else is logged and told as a fault of ours.
    """
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def generate(visit: Visit | None, *args: Any, **named: Any) -> Iterator[Any]:
            try:
                _arrived(visit)
                yield from handler(visit, *args, **named)
            except Exception as error:
                raise _told(error, visit) from error

        return generate

    @functools.wraps(handler)
    def call(visit: Visit | None, *args: Any, **named: Any) -> Any:
        try:
            _arrived(visit)
            return handler(visit, *args, **named)
        except Exception as error:
            raise _told(error, visit) from error

    return call


def _arrived(visit: Visit | None) -> None:
    if visit is None:
        raise InputError(ENDED)
    visit.touch()


def _told(error: Exception, visit: Visit | None) -> gr.Error:
    """What the page says: one sentence, without the server's folders."""
    if isinstance(error, gr.Error):
        return error
    if isinstance(error, StoppedError):
        # That was wished for, and the line below the picture says it; no alarm.
        return gr.Error("Stopped; nothing was changed.", title="Stopped", visible=False, print_exception=False)
    if isinstance(error, InputError):
        text = " ".join(str(error).split())
        if visit is not None:
            for folder in (visit.files.folder, visit.studio.uploads):
                text = _without_folder(text, str(folder))
        for option, control in _CONTROLS.items():
            text = text.replace(option, control)
        return gr.Error(text, title="That did not work", duration=None, print_exception=False)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return gr.Error(_NO_MEMORY, title="Too large", duration=None, print_exception=False)
    _log.error("a fault while answering", exc_info=error)
    return gr.Error(_FAULT, title="A fault of this program", duration=None, print_exception=False)


def _without_folder(text: str, folder: str) -> str:
    """A message's paths as bare names."""
    while folder in text:
        start = text.index(folder)
        path = text[start:].split(" ", 1)[0].rstrip(".,;:")
        text = text.replace(path, path.rsplit("/", 1)[-1].rsplit("\\", 1)[-1])
    return text


def face_chooser(
    page: Page, tab: str, *, label: str = "Face", info: str = "From this visit.", several: bool = False
) -> gr.Dropdown:
    """A choice of the visit's faces that keeps itself up to date and takes the face that was sent to the tab.

    Args:
        page: of the tab.
        tab: the tab's id.
        label, info: as Gradio's components take them.
        several: whether more than one can be chosen; then the value is a list of names.
    """
    chooser = gr.Dropdown(
        label=label, info=info, choices=[], value=None, multiselect=several, elem_classes="face-chooser"
    )
    # Which faces there are the visit knows; the handlers ask it.
    setattr(chooser, "preprocess", lambda value: value)  # noqa: B010

    def renew(visit: Visit | None, chosen: str | list[str] | None) -> Any:
        if visit is None:
            return gr.skip()
        names = list(visit.faces)
        sent = visit.sent.pop(tab, None)
        if several:
            value: Any = [name for name in chosen or [] if name in names]
            value += [sent] if sent and sent not in value else []
        else:
            kept = chosen if chosen in names else None
            value = sent or kept or (names[-1] if names else None)
        return gr.Dropdown(choices=names, value=value)

    page.version.change(
        renew, [page.visit, chooser], chooser, show_progress="hidden", api_visibility="private", queue=False
    )
    return chooser
