"""A button that begins long work, and one that stops it, from the moment that the first is pressed."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from stylegan_latents.demo.page.page import Page, answering
from stylegan_latents.demo.page.running import StoppedError, status_html, wait_in_queue
from stylegan_latents.demo.session.visit import Visit

STOPPED, WAITING, ENDED = (
    status_html("Stopped."),
    status_html("Waiting for a turn."),
    status_html("That came to no end; a message says why."),
)


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
        buttons: of ``begin_and_stop``.
        handler: a generator of the outputs, over ``run_reporting``; its first argument is the
            visit.
        inputs: of the handler, without the visit.
        outputs: of the handler; the last one is text that says how far it is, or where in the queue.
        api_name: of the endpoint.
        keep: whether what was found until the visitor stops it is wanted.
        rest: gives the outputs but the last as they are to be when there is no more work, also after an error.
        further: other events that begin the work, such as ``button.click``.
    """
    begin, stop = buttons
    *results, status = outputs

    def get_ready(visit: Visit) -> Any:
        visit.get_ready()
        return *_working(), WAITING

    def run(visit: Visit, *values: Any) -> Iterator[Any]:
        unchanged = [gr.skip() for _ in results]
        try:
            with visit.at_work(), visit.studio.works.enter(visit.client) as ticket:
                for words in wait_in_queue(visit, ticket):
                    yield *unchanged, status_html(words)
                yield from handler(visit, *values)
        except StoppedError:
            yield *unchanged, STOPPED

    def come_to_rest() -> Any:
        return *([gr.skip() for _ in results] if rest is None else rest()), *_idle()

    def ask_to_stop(visit: Visit) -> None:
        visit.keep = keep
        visit.stop.set()

    quick: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    for number, trigger in enumerate((begin.click, *further)):
        visible: Any = {"api_name": api_name} if number == 0 else {"api_visibility": "private"}
        ran = trigger(answering(get_ready), page.visit, [begin, stop, status], **quick).success(
            answering(run),
            [page.visit, *inputs],
            [*results, status],
            show_progress="hidden",
            concurrency_limit=None,  # the studio's queue says whose turn it is
            **visible,
        )
        ran.failure(lambda: ENDED, None, status, **quick)
        for ended in (ran.then, ran.failure):  # after an error, Gradio calls only the second
            ended(come_to_rest, None, [*results, begin, stop], **quick)
    stop.click(answering(ask_to_stop), page.visit, None, **quick)


def _working() -> tuple[gr.Button, gr.Button]:
    return gr.Button(interactive=False), gr.Button(interactive=True)


def _idle() -> tuple[gr.Button, gr.Button]:
    return gr.Button(interactive=True), gr.Button(interactive=False)
