"""A Hugging Face hub on this machine, with one commit of one repository, for tests of ``hf://`` addresses."""

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "someone/faces"


@contextlib.contextmanager
def serve_hub(
    files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, home: Path, *, status: int = 200
) -> Iterator[list[str]]:
    """Serve files by their paths in ``someone/faces``, with ``home`` as the cache.

    Yields:
        Every request so far, such as ``GET model.safetensors``.
    """
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            body = self._answer()
            if body is not None:
                self.wfile.write(body)

        def _answer(self) -> bytes | None:
            match = re.fullmatch(rf"/{REPOSITORY}/resolve/([^/]+)/(.+)", self.path)
            asked.append(f"{self.command} {match[2] if match else self.path}")
            error = None
            if match is None:
                error = "RepoNotFound"
            elif match[1] not in ("main", COMMIT):
                error = "RevisionNotFound"
            elif match[2] not in files:
                error = "EntryNotFound"
            if error or status != 200 or match is None:
                self.send_response(404 if error else status)
                if error:
                    self.send_header("X-Error-Code", error)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None
            body = files[match[2]]
            self.send_response(200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            return body

    monkeypatch.setenv("STYLEGAN_HOME", str(home))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
