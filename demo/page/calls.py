"""Calls of the page's events: those that the page cannot have made are refused, and nobody fills the queue."""

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

_MOST_OF_A_SESSION = 16
_FULL = "Too many requests wait just now; please try again in a moment."
_OUT_OF_BOUNDS = re.compile(r"Value -?[\d.e+-]+ is (less|greater) than (minimum|maximum) value -?[\d.e+-]+\.?")
_HERE = Path(__file__).parents[1]

_log = logging.getLogger("demo")


class Waiting(Protocol):
    """What Gradio's queue holds: one call."""

    session_hash: str
    request: Any


class FairList(list[Any]):
    """Calls that wait, in which addresses and their sessions take turns; Gradio takes the first."""

    def append(self, call: Any) -> None:
        """Put a call where its turn is."""
        super().append(call)
        self[:] = in_turns(self, client_of)


class _Lists(dict[str, Any]):
    """Gradio's queues by their ids; each gets a fair list."""

    def __setitem__(self, name: str, queue: Any) -> None:
        queue.queue = FairList()
        super().__setitem__(name, queue)


def client_of(call: Waiting) -> Client:
    """Whose call it is."""
    client = getattr(call.request, "client", None)
    return Client(getattr(client, "host", None) or "", call.session_hash)


class CheckedBlocks(gr.Blocks):
    """Blocks that answer a call which the page cannot have made with one sentence, and log no payload."""

    def queue(self, *args: Any, max_size: int | None = None, **named: Any) -> "CheckedBlocks":
        """As ``gr.Blocks.queue``; ``max_size`` is shared by the addresses that wait."""
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
        """As ``gr.Blocks.preprocess_data``, but that what it refuses is one sentence."""
        try:
            return await super().preprocess_data(*args, **named)
        except gr.Error as error:
            text = str(error.message)
            raise wrong_call(text if _OUT_OF_BOUNDS.fullmatch(text) else WRONG_CALL) from None
        except Exception:
            raise wrong_call() from None

    async def process_api(self, *args: Any, **named: Any) -> Any:
        """As ``gr.Blocks.process_api``; every error is a ``gr.Error`` that Gradio logs nothing of."""
        try:
            return await super().process_api(*args, **named)
        except gr.Error:
            raise
        except Exception as error:
            if not _is_ours(error):  # Gradio could not even make the handler's arguments of it
                _log.warning("a call was refused: %s", type(error).__name__)
                raise wrong_call() from None
            raise page_error(error, None) from None


def has_room(waiting: list[Client], client: Client, most: int) -> bool:
    """Whether one more call may wait.

    Args:
        waiting: whose calls wait.
        client: whose call comes.
        most: calls that wait, shared equally by their addresses; one of whom nothing waits is let in.
    """
    if waiting.count(client) >= _MOST_OF_A_SESSION:
        return False
    counts = Counter(one.address for one in waiting)
    own = counts[client.address]
    return len(waiting) < most or own == 0 or own < most // len(counts)


def wrong_call(sentence: str = WRONG_CALL) -> gr.Error:
    """What the page says of a call that it did not make."""
    return gr.Error(sentence, title="That did not work", duration=None, print_exception=False)


def _is_ours(error: Exception) -> bool:
    """Whether it was raised in a handler, or in what a handler called."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename).is_relative_to(_HERE) and frame.filename != __file__ for frame in frames)
