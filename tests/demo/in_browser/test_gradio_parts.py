"""The parts of Gradio that the demo uses and Gradio does not promise; each with what to do when it has changed."""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio.queueing import Queue

_FRONTEND = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
_CALLS, _PAGE = "demo/page/calls.py: ", "demo/page/page.py: "
_PARTS: tuple[tuple[Any, str, str], ...] = (
    (gr.Blocks, "preprocess_data", _CALLS + "find where a call's values are checked, and refuse them there"),
    (gr.Blocks, "process_api", _CALLS + "find where a call is answered, and turn errors into gr.Error there"),
    (Queue, "push", _CALLS + "find where a call joins the queue, and refuse it there when the queue is full"),
    (gr.Image, "preprocess", "demo/tabs/edit/tab.py: keep Gradio from opening an upload in another way"),
    (gr.Dropdown, "preprocess", _PAGE + "keep Gradio from comparing a name with the choices in another way"),
    (
        import_module("gradio.component_meta"),
        "create_or_modify_pyi",
        "demo/server/gradio_import.py: if no stubs are written at the import any more, delete the hook",
    ),
    (
        import_module("gradio.http_server").Server,
        "run_in_thread",
        "demo/server/gradio_import.py: wait for longer than five seconds where a server is waited for",
    ),
)
_NAMES = {
    "reset-button": "demo/names.js and page.js: the button of a slider that sets it back",
    "imageslider-image": "demo/compare.js: the pictures of the comparison",
    "label-wrap": "demo/names.js: the button that opens an accordion",
    "thumbnail-item": "demo/page.css: the pictures of a gallery",
    "toast-title": "demo/page.js: the title of a message",
}


@pytest.mark.parametrize(("owner", "name", "remedy"), _PARTS, ids=[name for _, name, _ in _PARTS])
def test_the_functions_that_are_replaced_are_there(owner: Any, name: str, remedy: str) -> None:
    assert callable(getattr(owner, name, None)), remedy


def test_the_queue_keeps_its_waiting_calls_where_they_are_put_in_turns() -> None:
    remedy = "demo/page/calls.py: find the lists of waiting calls, and replace them by FairList"
    source = inspect.getsource(Queue)
    assert "event_queue_per_concurrency_id" in source, remedy
    assert ".queue" in source, remedy


@pytest.mark.parametrize("name", _NAMES)
def test_the_names_in_the_page_that_styles_and_scripts_go_by_are_there(name: str) -> None:
    assert any(name in path.read_text(encoding="utf-8") for path in _FRONTEND.glob("*.js")), _NAMES[name]
