"""What all tabs share: the page they are built with, error messages, and the choice of a face."""

import contextlib
import functools
import html
import inspect
import logging
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import gradio as gr

from stylegan_latents.demo.page.running import StoppedError
from stylegan_latents.demo.session.files import ENDED
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

_CONTROLS = {
    "run `pip install pillow-heif`, or export it": "export it",
    "; give the model it was made with": "; only a demo of that model opens it",
    "--landmarks to say where eyes and mouth are": "click on eyes and mouth below it",
    "paint black where the photo counts": "leave a part of the photo unpainted",
    "--even is": "\u201cEven visible speed\u201d is",
    "--no-align": "turn \u201cLook for faces\u201d off",
    "give a mask's file instead, such as --region mask.png, white where to change": "take another choice instead",
}
"""Options in the library's messages, and the page's words for them."""

_log = logging.getLogger("demo")
_FAULT = "Something went wrong in the program, and its log has the details. Please try again."
WRONG_CALL = "This request was not made by the page; reload it and try again."
_LONGEST_TEXT = 500
_NO_MEMORY = "There is not enough memory right now; use a smaller photo, or try again in a moment."
AT_ONCE: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
"""Options of an event that is answered at once. Errors of events outside Gradio's queue would not be shown."""
QUIET: dict[str, Any] = {**AT_ONCE, "api_visibility": "private"}


@dataclass(frozen=True)
class Tab:
    """A tab: ``TAB`` in a folder of ``demo/tabs``, listed in ``app.TABS``.

    Attributes:
        title: shown.
        name: its id.
        build: adds its controls to the current Gradio context.
        takes_faces: whether other tabs can send it a face; ``face_chooser`` receives it.
    """

    title: str
    name: str
    build: "Callable[[Page], None]"
    takes_faces: bool = True


@dataclass(frozen=True)
class Page:
    """The argument of ``Tab.build``.

    Attributes:
        studio: shared by all visitors.
        visit: holds the session's ``Visit``; the first input of every handler.
        version: holds ``Visit.version``. A handler that adds or sends a face or keeps a direction returns
            ``visit.version`` to it; controls that list faces or directions listen to its ``change``.
        returned: changes when an earlier visit was found again; what shows its photo listens to its ``change``.
        tabs: a handler returns ``gr.Tabs(selected=NAME)`` to it to switch tabs.
        receivers: the tabs that a face can be sent to.
    """

    studio: Studio
    visit: gr.State
    version: gr.State
    returned: gr.State
    tabs: gr.Tabs
    receivers: "Sequence[Tab]"


def answering(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a handler whose first argument is the visit, so that every error becomes a sentence in the page.

    Works for functions and generators. An ``InputError`` is shown; arguments that do not fit the handler's
    annotations are refused; anything else is logged and shown as a fault of the program.
    """
    check = _argument_check(handler)
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def generate(visit: Visit | None, *args: Any, **named: Any) -> Iterator[Any]:
            try:
                _touch(visit)
                check(visit, *args, **named)
                yield from handler(visit, *args, **named)
            except Exception as error:
                raise page_error(error, visit) from error

        return generate

    @functools.wraps(handler)
    def call(visit: Visit | None, *args: Any, **named: Any) -> Any:
        try:
            _touch(visit)
            check(visit, *args, **named)
            return handler(visit, *args, **named)
        except Exception as error:
            raise page_error(error, visit) from error

    return call


def selected_index(event: gr.SelectData, among: int) -> int:
    """The index of the selected item.

    Raises:
        InputError: it is not from 0 to ``among - 1``.
    """
    index = event.index
    if not isinstance(index, int) or not 0 <= index < among:
        raise InputError(WRONG_CALL)
    return index


def selected_place(event: gr.SelectData) -> tuple[float, float]:
    """The (x, y) of a click in pixels of the picture.

    Raises:
        InputError: the event holds no such pair.
    """
    index = event.index
    if not isinstance(index, list | tuple) or len(index) != 2 or not all(_fits(value, float) for value in index):
        raise InputError(WRONG_CALL)
    return float(index[0]), float(index[1])


def _argument_check(handler: Callable[..., Any]) -> Callable[..., None]:
    """A function that checks a handler's arguments against its annotations of JSON types."""
    function = getattr(handler, "func", handler)
    signature = inspect.signature(handler)
    hints: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        hint = parameter.annotation
        with contextlib.suppress(NameError, AttributeError):  # a type that only type checkers import
            hints[name] = eval(hint, function.__globals__) if isinstance(hint, str) else hint

    def check(*args: Any, **named: Any) -> None:
        try:
            bound = signature.bind(*args, **named)
        except TypeError:
            raise InputError(WRONG_CALL) from None
        for name, value in bound.arguments.items():
            several = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
            if not all(_fits(one, hints.get(name, Any)) for one in (value if several else [value])):
                raise InputError(WRONG_CALL)

    return check


def _fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value fits an annotation; annotations of other types fit everything."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in arguments)
    if origin is Literal:
        return isinstance(value, str | int) and value in arguments
    if origin in (list, Sequence):
        return isinstance(value, list | tuple) and all(_fits(one, arguments[0]) for one in value)
    if hint in (None, NoneType):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint) if hint in (str, bool) else True


def _touch(visit: Visit | None) -> None:
    if visit is None:
        raise InputError(ENDED)
    visit.touch()


def page_error(error: Exception, visit: Visit | None) -> gr.Error:
    """An error as one sentence of plain text, without the server's folders.

    Args:
        error: logged if it is a fault of the program.
        visit: whose folders are removed from paths.
    """
    if isinstance(error, gr.Error):
        return error
    if isinstance(error, StoppedError):
        # The status line says it; no pop-up is needed.
        return gr.Error("Stopped; nothing was changed.", title="Stopped", visible=False, print_exception=False)
    if isinstance(error, InputError):
        return gr.Error(
            plain_text(sentence(error, visit)), title="That did not work", duration=None, print_exception=False
        )
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return gr.Error(_NO_MEMORY, title="Too large", duration=None, print_exception=False)
    _log.error("a fault while answering", exc_info=error)
    return gr.Error(_FAULT, title="A fault of this program", duration=None, print_exception=False)


def sentence(error: InputError, visit: Visit | None) -> str:
    """An error's text in the page's words, without the server's folders."""
    text = " ".join(str(error).split())
    if visit is not None:
        for folder in (visit.files.folder, visit.studio.uploads):
            text = _without_folder(text, str(folder))
    for option, control in _CONTROLS.items():
        text = text.replace(option, control)
    return text


def plain_text(text: str) -> str:
    """Escape text of files and visitors for controls that take HTML."""
    text = printable(text)
    text = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
    return html.escape(text, quote=False)


def markdown_text(text: str) -> str:
    """As ``plain_text``, for controls that take Markdown, such as a control's info."""
    return re.sub(r"([\\`*_\[\]!#])", r"\\\1", plain_text(text))


def _without_folder(text: str, folder: str) -> str:
    """Replace paths in the folder by file names."""
    while folder in text:
        start = text.index(folder)
        path = text[start:].split(" ", 1)[0].rstrip(".,;:")
        text = text.replace(path, path.rsplit("/", 1)[-1].rsplit("\\", 1)[-1])
    return text


def face_chooser(
    page: Page, tab: str, *, label: str = "Face", info: str = "From this visit.", several: bool = False
) -> gr.Dropdown:
    """A dropdown of the visit's faces that updates itself and selects a face sent to the tab.

    Args:
        page, tab: the page and the tab's id.
        label, info: of the dropdown.
        several: whether several faces can be chosen; the value is then a list of names.
    """
    chooser = gr.Dropdown(
        label=label, info=info, choices=[], value=None, multiselect=several, elem_classes="face-chooser"
    )
    # Only the type is checked here, as handlers look the names up in the visit.
    kind = list[str] | None if several else str | None

    def checked(value: Any) -> Any:
        if not _fits(value, kind):
            raise InputError(WRONG_CALL)
        return value

    setattr(chooser, "preprocess", checked)  # noqa: B010

    def update(visit: Visit | None, chosen: str | list[str] | None) -> Any:
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

    page.version.change(update, [page.visit, chooser], chooser, **QUIET)
    return chooser
