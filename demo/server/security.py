"""Checks of ``Host`` and ``Origin``, and the security headers of answers."""

import ipaddress
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("demo")

# Gradio uses inline scripts and styles, and evaluates the scripts of events.
PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'none'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
"""For uploaded and downloadable files, so that nothing in them runs when opened as a page."""

_FILES = "/gradio_api/file"
_HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_WRONG_HOST = "This is not an address of this demo; open the one that it printed, or add --allowed-host NAME."
_WRONG_ORIGIN = "Another site's page may not use this demo; open the demo's own address."
_WRONG_CALL = "This request was not made by the page; reload the page and try again."


class Security:
    """ASGI middleware that checks ``Host`` and ``Origin``, sets security headers, and catches errors.

    Another site can make a browser send requests here and, by DNS rebinding, read the answers under its own name.
    Therefore only numeric addresses and ``hosts`` are accepted as this server's.

    Args:
        app: the application.
        hosts: names of this server; may grow while it runs.
        proxied: names of a proxy, which may forward requests under another ``Host``.
    """

    def __init__(self, app: App, hosts: set[str], proxied: Iterable[str] = ()) -> None:
        self._app, self._hosts = app, hosts
        self._proxied = {name.lower() for name in proxied}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        policy = FILE_POLICY if str(scope["path"]).startswith(_FILES) else PAGE_POLICY
        headers = {"content-security-policy": policy, **_HEADERS}
        begun = False

        async def send_safely(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                kept = [(name, value) for name, value in message["headers"] if name.decode().lower() not in headers]
                message["headers"] = kept + [(name.encode(), value.encode()) for name, value in headers.items()]
            await send(message)

        refusal = self._refusal(
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        )
        if refusal is not None:
            await _say(send_safely, 403, refusal)
            return
        try:
            await self._app(scope, receive, send_safely)
        except Exception as error:
            _log.warning("refused %s: %s", scope["method"], type(error).__name__)
            if not begun:
                await _say(send_safely, 400, _WRONG_CALL)

    def _refusal(self, headers: dict[str, str]) -> str | None:
        """Why a request is refused; None if it is not."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_own(_name(f"//{host}")):
            return _WRONG_HOST
        same = origin is None or urlsplit(origin).netloc.lower() == host.lower()
        if not same and _name(origin or "") not in self._proxied:
            return _WRONG_ORIGIN
        # Requests for pictures and scripts carry no origin.
        elsewhere = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if elsewhere and origin is None and headers.get("sec-fetch-mode") != "navigate":
            return _WRONG_ORIGIN
        return None

    def _is_own(self, name: str | None) -> bool:
        if name is None:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._hosts
        return True


def own_names(further: Iterable[str] = ()) -> set[str]:
    """The names of this machine, and further ones, in lower case."""
    own = socket.gethostname().lower()
    short = own.partition(".")[0]
    return {"localhost", own, short, f"{short}.local", *(name.lower() for name in further)}


def wrong_request(*_: object) -> Any:
    """FastAPI's answer to an invalid body, which is not repeated."""
    from starlette.responses import JSONResponse

    return JSONResponse({"detail": _WRONG_CALL}, status_code=422)


def _name(url: str) -> str | None:
    try:
        name = urlsplit(url).hostname
    except ValueError:
        return None
    return name.lower().rstrip(".") if name else None


async def _say(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
