"""A web server on this machine that misbehaves on demand, for the tests of downloads."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server answers, and what it was asked.

    Attributes:
        body: the file.
        etag: its version, as the server names it.
        ranges: whether it continues downloads.
        status: of every answer, where not 200.
        drop_after: bytes after which a connection is cut, one number for each of the first answers.
        announce: what to say is the length, where that is not the truth.
        delay: seconds between pieces of 64 KiB.
        requests: the Range header of every request so far, or None.
    """

    body: bytes
    etag: str = '"one"'
    ranges: bool = True
    status: int = 200
    drop_after: list[int] = field(default_factory=list)
    announce: int | None = None
    delay: float = 0.0
    requests: list[str | None] = field(default_factory=list)
    url: str = ""


@contextlib.contextmanager
def serve(site: Site) -> Iterator[Site]:
    """Answer every path with the site's body; ``site.url`` is its address meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            site.requests.append(asked)
            if site.status != 200:
                self.send_error(site.status)
                return
            start = 0
            if asked and site.ranges and self.headers.get("If-Range", site.etag) == site.etag:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(site.body):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(site.body) - 1}/{len(site.body)}")
            else:
                self.send_response(200)
            body = site.body[start:]
            self.send_header("Content-Length", str(len(body) if site.announce is None else site.announce))
            self.send_header("ETag", site.etag)
            self.end_headers()
            if site.drop_after:
                body = body[: site.drop_after.pop(0)]
            with contextlib.suppress(ConnectionError):  # the client may have seen enough
                for position in range(0, len(body), 65536):
                    self.wfile.write(body[position : position + 65536])
                    time.sleep(site.delay)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}/weights.zip"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
