"""Download a file by its URL, resuming an interrupted download."""

import errno
import hashlib
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stylegan_latents.generator.cli.progress import download_progress
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.file_head import what_is_it
from stylegan_latents.generator.weights.archive import sha256_of

_CHUNK = 1 << 18
_TIMEOUT = 60.0

# Failed connections in a row, without a new byte, before giving up.
_TRIES = 4
_PAUSE = 1.0
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class UrlSource:
    """A file on a web server.

    Attributes:
        url: its address, http or https; https where no sha256 is known.
        sha256: of the file, in hexadecimal; empty if it is not published.
        size: of the file, in bytes; 0 if only the server knows it.
    """

    url: str
    sha256: str = ""
    size: int = 0

    @property
    def key(self) -> str:
        """A name for the file, of letters and digits, that is the same in every process."""
        return (self.sha256 or hashlib.sha256(self.url.encode()).hexdigest())[:16]


class _BrokenOffError(Exception):
    """The connection failed or ended early; trying again may help."""


def download_url(source: UrlSource, part: Path, *, label: str) -> Path:
    """Download the file to ``part`` and return that path once its sha256 is verified.

    An earlier call's ``part`` is resumed with an HTTP range request. It is kept when the connection breaks off or
    the user stops the program, and deleted when it turns out to be another file. Without a known sha256 the file is
    accepted over an encrypted connection if it has the announced length; the caller has to check what it is.

    Raises:
        InputError: the file cannot be downloaded or is not the published one.
    """
    if not source.url.startswith(("http://", "https://")):
        raise InputError(f"{source.url} is no http or https address.")
    _check_encrypted(source, source.url)
    failures = 0
    restarted = False
    with download_progress(label, source.size) as progress:
        while True:
            before = _size(part)
            try:
                if not source.size or before < source.size:
                    _continue(source, part, progress)
            except _BrokenOffError as broken:
                failures = 1 if _size(part) > before else failures + 1
                if failures >= _TRIES:
                    raise InputError(_broken_sentence(source, part, broken)) from broken
                time.sleep(_PAUSE * failures)
                continue
            if not source.sha256 or sha256_of(part) == source.sha256:
                _state(part).unlink(missing_ok=True)
                return part
            _discard(part)
            if restarted or not before:
                raise InputError(
                    f"{source.url} is not the published file (its sha256 differs); try again later, or check the "
                    "proxy settings."
                )
            restarted = True  # the parts may be of different files: once more from the start


def _continue(source: UrlSource, part: Path, progress: Callable[..., None]) -> None:
    """One request: append what is missing, or start over if the server does not resume."""
    have, validator = _size(part), _validator(part)
    headers = {"User-Agent": "stylegan-latents", "Accept-Encoding": "identity"}
    if have and not (source.sha256 or validator):
        _discard(part)  # nothing would show that the parts are of different files
        have = 0
    if have:
        headers["Range"] = f"bytes={have}-"
        if validator:
            headers["If-Range"] = validator
    request = urllib.request.Request(source.url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
            _check_encrypted(source, response.url)  # it may have been redirected
            continues = response.status == 206 and _range_start(response.headers.get("Content-Range")) == have
            if response.status == 206 and not continues:
                _discard(part)
                raise _BrokenOffError("the server sent another range than requested")
            _remember(part, response.headers.get("ETag") or response.headers.get("Last-Modified") or "")
            _receive(source, response, part, progress, have if continues else 0)
    except urllib.error.HTTPError as error:
        _http_error(source, part, error)
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _BrokenOffError(str(getattr(error, "reason", error)) or type(error).__name__) from error


def _check_encrypted(source: UrlSource, url: str) -> None:
    """Without a sha256, only an encrypted connection shows that the file is the publisher's."""
    address = urllib.parse.urlsplit(url)
    if not source.sha256 and address.scheme != "https" and address.hostname not in _THIS_MACHINE:
        raise InputError(f"{url} is not encrypted and the file's sha256 is not published; use an https address.")


def _receive(
    source: UrlSource, response: http.client.HTTPResponse, part: Path, progress: Callable[..., None], have: int
) -> None:
    """Write the response's body after the first ``have`` bytes of the part."""
    announced = response.headers.get("Content-Length") or ""
    total = have + int(announced) if announced.isdigit() else None
    size = source.size or total
    if size is None:
        raise _deleted(source, part, "has no length that could be checked")
    with part.open("ab" if have else "wb") as target:
        while have <= size and (chunk := response.read1(_CHUNK)):  # read() would lose bytes at a break
            have += len(chunk)
            try:
                target.write(chunk)
                target.flush()
            except OSError as error:
                if error.errno in DISK_FULL:
                    _discard(part)  # frees the space
                raise
            progress(have, total=size)
    if have == size and source.sha256:
        return
    with part.open("rb") as saved:
        kind = what_is_it(saved.read(512))
    if kind:
        raise _deleted(source, part, f"is {kind} instead of the file")
    if have == size:
        return
    if have > size:
        raise _deleted(source, part, f"is longer than the published file ({size} bytes)")
    if total == have:
        raise _deleted(source, part, f"is cut short: it has {have} of {size} bytes")
    raise _BrokenOffError("the connection broke off")


def _http_error(source: UrlSource, part: Path, error: urllib.error.HTTPError) -> None:
    if error.code == 416:  # the part is at least as long as the server's file, but is not the published one
        _discard(part)
        raise _BrokenOffError("the server has no more of the file") from error
    if error.code in (404, 410):
        raise InputError(f"{source.url} is not there any more (HTTP {error.code}).") from error
    if error.code in (408, 425, 500, 502, 503, 504):
        raise _BrokenOffError(f"the server answered HTTP {error.code}") from error
    raise InputError(
        f"The server refuses {source.url} (HTTP {error.code} {error.reason}); try again later, or download "
        "it with a browser and give its path."
    ) from error


def _deleted(source: UrlSource, part: Path, what: str) -> InputError:
    _discard(part)
    return InputError(f"What {source.url} gave {what}, so it was deleted; try again later.")


def _broken_sentence(source: UrlSource, part: Path, broken: _BrokenOffError) -> str:
    have = _size(part)
    if not have:
        return (
            f"{source.url} could not be reached ({broken}); connect to the network, or check the proxy settings, "
            "and run the command again."
        )
    whole = f" of {source.size / 1e6:.1f}" if source.size else ""
    return (
        f"The download of {source.url} broke off after {have / 1e6:.1f}{whole} MB ({broken}); run the command "
        "again to continue from there."
    )


def _range_start(header: str | None) -> int | None:
    """First byte of ``Content-Range: bytes 5-9/10``."""
    start = (header or "").removeprefix("bytes ").partition("-")[0]
    return int(start) if start.isdigit() else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _state(part: Path) -> Path:
    return part.with_suffix(".json")


def _remember(part: Path, validator: str) -> None:
    _state(part).write_text(json.dumps({"validator": validator}), encoding="utf-8")


def _validator(part: Path) -> str:
    """The server's name for the part's version; a weak one is not valid in a request."""
    try:
        validator = json.loads(_state(part).read_text(encoding="utf-8")).get("validator", "")
    except (FileNotFoundError, ValueError, AttributeError):  # the final hash decides then
        return ""
    return validator if isinstance(validator, str) and not validator.startswith("W/") else ""


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _state(part).unlink(missing_ok=True)
