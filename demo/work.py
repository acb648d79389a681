"""A button that begins long work, and one that stops it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from demo.notes import note
from demo.page import Page, answering
from demo.running import StoppedError
from demo.visit import Visit

STOPPED, WAITING = note("Stopped."), note("Waiting for a free place.")
_AT_ONCE = 2


def begin_and_stop(tab: str, begin: str, stop: str = "Stop") -> tuple[gr.Button, gr.Button]:
    """The two buttons, side by side.

    Args:
        tab: begins the elements' ids.
        begin, stop: the words on them.
    """
    with gr.Row():
        first = gr.Button(begin, variant="primary", elem_id=f"{tab}-begin")
        second = gr.Button(stop, interactive=False, elem_id=f"{tab}-stop")
    return first, second


def work_on_click(
    page: Page,
    buttons: tuple[gr.Button, gr.Button],
    handler: Callable[..., Iterator[Any]],
    inputs: Sequence[Component],
    outputs: Sequence[Component],
    *,
    api_name: str,
    keep: bool = False,
    rest: Callable[[], Sequence[Any]] | None = None,
    further: Sequence[Callable[..., Dependency]] = (),
) -> None:
    """Begin on the first button, stop on the second; the second can be pressed only while there is work.

    Args:
        page: of the tab.
        buttons: of :func:`begin_and_stop`.
        handler: a generator of the outputs, over :func:`demo.running.run_reporting`; its first argument is the
            visit.
        inputs: of the handler, without the visit.
        outputs: of the handler; the last one is text that says how far it is.
        api_name: of the endpoint.
        keep: whether what was found until the visitor stops it is wanted.
        rest: gives the outputs but the last as they are to be when there is no more work, also after an error.
        further: other events that begin the work, such as ``button.click``.
    """
    begin, stop = buttons
    shown = list(outputs)
    unchanged = [gr.skip() for _ in shown[1:]]

    def run(visit: Visit, *values: Any) -> Iterator[Any]:
        try:
            yield from handler(visit, *values)
        except StoppedError:
            yield *unchanged, STOPPED
        except Exception:  # what is wrong is told elsewhere
            yield *unchanged, ""
            raise

    def ask_to_stop(visit: Visit) -> None:
        visit.keep = keep
        visit.stop.set()

    def busy() -> tuple[gr.Button, gr.Button, str]:
        return gr.Button(interactive=False), gr.Button(interactive=True), WAITING

    def idle() -> tuple[Any, ...]:
        return gr.Button(interactive=True), gr.Button(interactive=False), *(() if rest is None else rest())

    quick: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    afterwards = [begin, stop, *([] if rest is None else shown[:-1])]
    for trigger in (begin.click, *further):
        visible: Any = {"api_name": api_name} if trigger is begin.click else {"api_visibility": "private"}
        trigger(busy, None, [begin, stop, shown[-1]], **quick).then(
            answering(run),
            [page.visit, *inputs],
            shown,
            show_progress="hidden",
            concurrency_limit=_AT_ONCE,
            concurrency_id="work",
            **visible,
        ).then(idle, None, afterwards, **quick)
    stop.click(answering(ask_to_stop), page.visit, None, **quick)
