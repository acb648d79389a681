"""A button that starts long work, and one that stops it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from stylegan_latents.demo.page.page import QUIET, Page, answering
from stylegan_latents.demo.page.running import StoppedError, status_html, wait_in_queue
from stylegan_latents.demo.session.visit import Visit

STOPPED, WAITING = status_html("Stopped."), status_html("Waiting for a turn.")
FAILED = status_html("This did not finish; the message says why.", kind="bad")


def begin_and_stop(tab: str, begin: str, stop: str = "Stop") -> tuple[gr.Button, gr.Button]:
    """The two buttons, side by side, with these labels; ``tab`` is the prefix of their ids."""
    with gr.Row(elem_classes="begin"):
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
    search: bool = False,
    further: Sequence[Callable[..., Dependency]] = (),
) -> None:
    """Start the work on the first button and stop it on the second, which is enabled only during the work.

    Args:
        page: of the tab.
        buttons: of ``begin_and_stop``.
        handler: a generator of the outputs, over ``run_reporting``; its first argument is the visit.
        inputs: of the handler, without the visit.
        outputs: of the handler; the last one shows the status.
        api_name: of the endpoint.
        keep: whether the result so far is kept after a stop.
        search: whether it waits among searches, which take the most memory, instead of other work.
        further: other events that start the work, such as ``button.click``.
    """
    begin, stop = buttons
    *results, status = outputs

    def prepare(visit: Visit) -> Any:
        visit.prepare()
        return gr.Button(interactive=False), gr.Button(interactive=True), WAITING

    def run(visit: Visit, *values: Any) -> Iterator[Any]:
        unchanged = [gr.skip() for _ in results]
        try:
            studio = visit.studio
            queue = studio.searches if search else studio.works
            with visit.at_work(), queue.enter(visit.client) as ticket:
                for words in wait_in_queue(visit, ticket):
                    yield *unchanged, status_html(words)
                yield from handler(visit, *values)
        except StoppedError:
            yield *unchanged, STOPPED

    def work_ended() -> Any:
        return gr.Button(interactive=True), gr.Button(interactive=False)

    def ask_to_stop(visit: Visit) -> None:
        visit.keep = keep
        visit.stop.set()

    for number, trigger in enumerate((begin.click, *further)):
        visible: Any = {"api_name": api_name} if number == 0 else {"api_visibility": "private"}
        ran = trigger(answering(prepare), page.visit, [begin, stop, status], **QUIET).success(
            answering(run),
            [page.visit, *inputs],
            [*results, status],
            show_progress="hidden",
            concurrency_limit=None,  # the studio's queue says whose turn it is
            **visible,
        )
        ran.failure(lambda: FAILED, None, status, **QUIET)
        for ended in (ran.then, ran.failure):  # after an error, Gradio calls only the second
            ended(work_ended, None, [begin, stop], **QUIET)
    stop.click(answering(ask_to_stop), page.visit, None, **QUIET)
