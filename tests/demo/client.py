"""A scripted visitor: speaks to the demo as its page does, over HTTP, without a browser."""

import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

_PREFIX = "/gradio_api"


class AnswerError(Exception):
    """What the page shows as an error."""


@dataclass
class Visitor:
    """One browser session.

    Attributes:
        address: of the demo.
        session: its name, as the page makes one.
        timeout: seconds to wait for any one answer.
        source: the address that it comes from; the system's choice by default.
    """

    address: str
    session: str = field(default_factory=lambda: secrets.token_hex(8))
    timeout: float = 60.0
    source: str | None = None

    def __post_init__(self) -> None:
        self.address = self.address.rstrip("/")
        transport = httpx.HTTPTransport(local_address=self.source)
        self._http = httpx.Client(timeout=self.timeout, trust_env=False, transport=transport)
        config = self._http.get(f"{self.address}/config").json()
        self._events = {event["api_name"]: event for event in config["dependencies"] if event.get("api_name")}
        self._kinds = {component["id"]: component["type"] for component in config["components"]}
        self._labels = {component["id"]: component["props"].get("label") for component in config["components"]}
        self._beat: threading.Thread | None = None
        self._gone = threading.Event()
        self.call("enter")

    def inputs(self, name: str) -> list[str | None]:
        """The labels of an event's inputs but for its states, in order."""
        inputs = self._events[name]["inputs"]
        return [self._labels[one] for one in inputs if self._kinds[one] != "state"]

    def call(self, name: str, *values: Any, event_data: Any = None) -> list[Any]:
        """Cause an event and wait for the last answer to it.

        Args:
            name: of the event.
            values: of its inputs in order, states left out.
            event_data: what a selection tells, such as ``{"index": 3}``.

        Raises:
            AnswerError: the page would show an error.
        """
        return list(self.answers(name, *values, event_data=event_data))[-1]

    def answers(self, name: str, *values: Any, event_data: Any = None) -> Iterator[list[Any]]:
        """As ``call``, with every answer as it comes."""
        event = self._events[name]
        waiting = list(values)
        data = [None if self._kinds[one] == "state" else waiting.pop(0) for one in event["inputs"]]
        assert not waiting, f"{name} takes fewer values"
        body = {"data": data, "fn_index": event["id"], "session_hash": self.session, "event_data": event_data}
        joined = self._http.post(f"{self.address}{_PREFIX}/queue/join", json=body)
        if joined.status_code != 200:
            raise AnswerError(joined.text)
        yield from self._listen(joined.json()["event_id"])

    def _listen(self, mine: str) -> Iterator[list[Any]]:
        url = f"{self.address}{_PREFIX}/queue/data"
        with self._http.stream("GET", url, params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message.get("event_id") not in (mine, None):
                    continue
                kind = message.get("msg")
                if kind in ("process_generating", "process_completed"):
                    output = message["output"]
                    if not message.get("success", True) or "error" in output:
                        raise AnswerError(str(output.get("error")))
                    if kind == "process_completed" or output.get("data"):
                        yield output.get("data") or []
                    if kind == "process_completed":
                        return
                if kind == "unexpected_error":
                    raise AnswerError(str(message.get("message")))
        raise AnswerError("the connection ended without an answer")

    def raw(self, name: str, values: list[Any], *, event_data: Any = None) -> tuple[str, int]:
        """Cause an event with any values, states left out; the error's message, and the status of joining."""
        event = self._events[name]
        waiting = list(values)
        states = [self._kinds[one] == "state" for one in event["inputs"]]
        data = [None if state else waiting.pop(0) for state in states if state or waiting]
        body = {"data": data, "fn_index": event["id"], "session_hash": self.session, "event_data": event_data}
        joined = self._http.post(f"{self.address}{_PREFIX}/queue/join", json=body)
        if joined.status_code != 200:
            return joined.text, joined.status_code
        try:
            for _ in self._listen(joined.json()["event_id"]):
                pass
        except AnswerError as error:
            return str(error), 200
        return "", 200

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request."""
        return self._http.request(method, f"{self.address}{path}", **options)

    def upload(self, name: str, content: bytes) -> httpx.Response:
        """Send a file as the page does; the answer holds its path."""
        return self._http.post(f"{self.address}{_PREFIX}/upload", files={"files": (name, content)})

    def uploaded(self, name: str, content: bytes) -> dict[str, Any]:
        """Send a file, as the value of a photo's or a file's control."""
        answer = self.upload(name, content)
        answer.raise_for_status()
        return file_value(answer.json()[0], name)

    def fetch(self, path: str) -> httpx.Response:
        """Ask for a file by its path on the server."""
        return self._http.get(f"{self.address}{_PREFIX}/file={path}")

    def stay(self) -> None:
        """Hold the connection by which the server knows that the page is open."""
        self._beat = threading.Thread(target=self._hold, daemon=True)
        self._beat.start()

    def _hold(self) -> None:
        with (
            httpx.Client(
                timeout=None, trust_env=False, transport=httpx.HTTPTransport(local_address=self.source)
            ) as http,
            http.stream("GET", f"{self.address}{_PREFIX}/heartbeat/{self.session}") as stream,
        ):
            for _ in stream.iter_bytes():
                if self._gone.is_set():
                    return

    def leave(self) -> None:
        """Close the page."""
        self._gone.set()
        self._http.close()


def file_value(path: str, name: str = "file") -> dict[str, Any]:
    """A file on the server as the value of a control."""
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
