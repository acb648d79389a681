"""The parts of Gradio that it does not document and that the demo relies on.

When a test here fails after an update of Gradio: pin the last version that passed in pyproject.toml first. Then
look in Gradio's ``queueing.py`` and ``blocks.py`` for what took the part's place, and change the module named here.
"""

import inspect

import gradio as gr
import pytest
from gradio import component_meta, queueing, routes

from stylegan_latents.demo.page.calls import CheckedBlocks, FairList, has_room
from stylegan_latents.demo.session.queue import Client


@pytest.mark.parametrize(
    ("owner", "name", "module"),
    [
        (component_meta, "create_or_modify_pyi", "demo/server/gradio_import.py"),
        (gr.Blocks, "preprocess_data", "demo/page/calls.py"),
        (gr.Blocks, "process_api", "demo/page/calls.py"),
        (queueing.Queue, "push", "demo/page/calls.py"),
    ],
)
def test_gradio_has_it_still(owner: object, name: str, module: str) -> None:
    assert hasattr(owner, name), f"Gradio has no {name} any more; see this file's docstring, and change {module}"


def test_gradios_queue_takes_calls_in_our_order() -> None:
    source = inspect.getsource(queueing.Queue)
    assert "event_queue.queue.append(" in source or ".queue.append(" in source
    assert list(inspect.signature(queueing.Queue.push).parameters) == ["self", "body", "request", "username"]
    with CheckedBlocks() as blocks:
        button = gr.Button()
        button.click(lambda: None)
    blocks.queue(max_size=4)
    queue = blocks._queue
    queue.create_event_queue_for_fn(next(iter(blocks.fns.values())))
    assert [type(one.queue) for one in queue.event_queue_per_concurrency_id.values()] == [FairList]
    assert "middleware" not in inspect.signature(routes.App.create_app).parameters  # or it can be given directly


class _Call:
    def __init__(self, address: str, session: str) -> None:
        self.request = type("Request", (), {"client": type("Address", (), {"host": address})})
        self.session_hash = session


def test_calls_wait_in_turns_of_addresses_and_sessions() -> None:
    calls = FairList()
    for address, session in (("a", "1"), ("a", "1"), ("a", "2"), ("b", "1"), ("b", "1")):
        calls.append(_Call(address, session))
    order = [(call.request.client.host, call.session_hash) for call in calls]
    assert order == [("a", "1"), ("b", "1"), ("a", "2"), ("b", "1"), ("a", "1")]


def test_one_address_does_not_fill_the_queue_for_others() -> None:
    waiting = [Client("greedy", str(number)) for number in range(8)]
    assert not has_room(waiting, Client("greedy", "9"), 8)
    assert has_room(waiting, Client("other", "1"), 8)
    assert not has_room([Client("a", "1")] * 16, Client("a", "1"), 64)
