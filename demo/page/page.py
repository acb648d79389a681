"""What every tab is given, and what tabs have in common."""

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
    "--no-align": "turn \u201cLook for faces\u201d off",
    "give a mask's file instead, such as --region mask.png, white where to change": "take another choice instead",
}
"""What the page calls an option that a message of the library names."""

_log = logging.getLogger("demo")
_FAULT = "Something went wrong that was not your fault; the program's own log says what. Please try again."
WRONG_CALL = "The page cannot have sent this; reload it and try again."
_LONGEST_TEXT = 500
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

    Works for functions and for generators. What is wrong with the visitor's input is an ``InputError``; values that
    do not fit the handler's annotations cannot come from the page and are refused; anything else is logged and told
    as a fault of the program.
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
    """Which one of so many was selected.

    Raises:
        InputError: none of them.
    """
    index = event.index
    if not isinstance(index, int) or not 0 <= index < among:
        raise InputError(WRONG_CALL)
    return index


def selected_place(event: gr.SelectData) -> tuple[float, float]:
    """Where a picture was clicked on, in its pixels.

    Raises:
        InputError: that is no place.
    """
    index = event.index
    if not isinstance(index, list | tuple) or len(index) != 2 or not all(_fits(value, float) for value in index):
        raise InputError(WRONG_CALL)
    return float(index[0]), float(index[1])


def _argument_check(handler: Callable[..., Any]) -> Callable[..., None]:
    """Checks a handler's arguments against its annotations, as far as they are of JSON's types."""
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
    """Whether a value that may come from JSON fits an annotation; one that JSON knows nothing of fits any."""
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


def _checked(value: Any, hint: Any) -> Any:
    if not _fits(value, hint):
        raise InputError(WRONG_CALL)
    return value


def _touch(visit: Visit | None) -> None:
    if visit is None:
        raise InputError(ENDED)
    visit.touch()


def page_error(error: Exception, visit: Visit | None) -> gr.Error:
    """What the page says of an error: one sentence, as plain text, without the server's folders.

    Args:
        error: where it is a fault of the program, it is logged.
        visit: whose folder is left out.
    """
    if isinstance(error, gr.Error):
        return error
    if isinstance(error, StoppedError):
        # The visitor asked for it, and the status says it; no alarm.
        return gr.Error("Stopped; nothing was changed.", title="Stopped", visible=False, print_exception=False)
    if isinstance(error, InputError):
        text = " ".join(str(error).split())
        if visit is not None:
            for folder in (visit.files.folder, visit.studio.uploads):
                text = _without_folder(text, str(folder))
        for option, control in _CONTROLS.items():
            text = text.replace(option, control)
        return gr.Error(plain_text(text), title="That did not work", duration=None, print_exception=False)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return gr.Error(_NO_MEMORY, title="Too large", duration=None, print_exception=False)
    _log.error("a fault while answering", exc_info=error)
    return gr.Error(_FAULT, title="A fault of this program", duration=None, print_exception=False)


def plain_text(text: str) -> str:
    """Text from files and visitors, for where Gradio takes HTML: shown as it is, whatever stands in it."""
    text = printable(text)
    text = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
    return html.escape(text, quote=False)


def markdown_text(text: str) -> str:
    """As ``plain_text``, for where Gradio takes Markdown: a control's info."""
    return re.sub(r"([\\`*_\[\]!#])", r"\\\1", plain_text(text))


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
    # Which faces there are the visit knows, and the handlers ask it; here only the value's type is checked.
    kind = list[str] | None if several else str | None
    setattr(chooser, "preprocess", lambda value: _checked(value, kind))  # noqa: B010

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
