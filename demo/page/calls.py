"""Validation of API calls, and a fair queue that no single client can fill."""

import logging
import re
import sys
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import gradio as gr

from stylegan_latents.demo.page.page import WRONG_CALL, page_error
from stylegan_latents.demo.session.queue import Client, in_turns

_MOST_PER_SESSION = 16
_FULL = "Too many requests are waiting; please try again in a moment."
_OUT_OF_BOUNDS = re.compile(r"Value -?[\d.e+-]+ is (less|greater) than (minimum|maximum) value -?[\d.e+-]+\.?")
_HERE = Path(__file__).parents[1]

_log = logging.getLogger("demo")


class Waiting(Protocol):
    """A queued call of Gradio."""

    session_hash: str
    request: Any


class FairList(list[Any]):
    """Waiting calls in round-robin order of addresses and their sessions; Gradio takes the first."""

    def append(self, call: Any) -> None:
        """Insert a call at its turn."""
        super().append(call)
        self[:] = in_turns(self, client_of)


class _Lists(dict[str, Any]):
    """Gradio's queues by id; each gets a fair list."""

    def __setitem__(self, name: str, queue: Any) -> None:
        queue.queue = FairList()
        super().__setitem__(name, queue)


def client_of(call: Waiting) -> Client:
    """The client that made a call."""
    client = getattr(call.request, "client", None)
    return Client(getattr(client, "host", None) or "", call.session_hash)


class CheckedBlocks(gr.Blocks):
    """Blocks that refuse malformed calls in one sentence and log no payload."""

    def queue(self, *args: Any, max_size: int | None = None, **named: Any) -> "CheckedBlocks":
        """As ``gr.Blocks.queue``, with ``max_size`` shared among the waiting addresses."""
        super().queue(*args, max_size=None, **named)
        queue = self._queue
        queue.event_queue_per_concurrency_id = _Lists()
        push: Callable[..., Awaitable[Any]] = queue.push

        async def push_if_room(body: Any, request: Any, username: Any) -> Any:
            waiting = [
                client_of(call) for one in queue.event_queue_per_concurrency_id.values() for call in one.queue
            ]
            address = getattr(request.client, "host", None) or ""
            if not has_room(waiting, Client(address, str(body.session_hash)), max_size or sys.maxsize):
                return False, _FULL, "queue_full"
            return await push(body=body, request=request, username=username)

        queue.push = push_if_room  # type: ignore[method-assign]
        return self

    async def preprocess_data(self, *args: Any, **named: Any) -> Any:
        """As ``gr.Blocks.preprocess_data``, with one plain sentence for every error."""
        try:
            return await super().preprocess_data(*args, **named)
        except gr.Error as error:
            text = str(error.message)
            raise wrong_call(text if _OUT_OF_BOUNDS.fullmatch(text) else WRONG_CALL) from None
        except Exception:
            raise wrong_call() from None

    async def process_api(self, *args: Any, **named: Any) -> Any:
        """As ``gr.Blocks.process_api``; every error becomes a ``gr.Error`` that Gradio does not log."""
        try:
            return await super().process_api(*args, **named)
        except gr.Error:
            raise
        except Exception as error:
            if not _is_ours(error):  # Gradio could not make the handler's arguments
                _log.warning("a call was refused: %s", type(error).__name__)
                raise wrong_call() from None
            raise page_error(error, None) from None


def has_room(waiting: list[Client], client: Client, most: int) -> bool:
    """Whether one more call may wait.

    Args:
        waiting: the client of each waiting call.
        client: of the new call.
        most: waiting calls, shared equally among addresses; an address with none waiting is always admitted.
    """
    if waiting.count(client) >= _MOST_PER_SESSION:
        return False
    counts = Counter(one.address for one in waiting)
    own = counts[client.address]
    return len(waiting) < most or own == 0 or own < most // len(counts)


def wrong_call(sentence: str = WRONG_CALL) -> gr.Error:
    """The error for a malformed call."""
    return gr.Error(sentence, title="That did not work", duration=None, print_exception=False)


def _is_ours(error: Exception) -> bool:
    """Whether the error was raised in or below a handler."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename).is_relative_to(_HERE) and frame.filename != __file__ for frame in frames)
