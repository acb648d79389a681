"""The demo's log: bounded in size and rate, and without visitors' data."""

import logging
import sys
import time
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from stylegan_latents.generator.files import printable

MOST_BYTES = 1 << 20
"""Largest size of a log file; one older file is kept beside it."""

_NAMES = ("demo", "uvicorn.error", "asyncio")
_MOST_RECORDS, _PERIOD = 60, 60.0
_LONGEST_MESSAGE, _MOST_FRAMES = 300, 8

_Exception = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Limited(logging.Filter):
    """Passes at most ``most`` records per ``period`` in seconds; the next one says how many were left out."""

    def __init__(
        self, most: int = _MOST_RECORDS, period: float = _PERIOD, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._most, self._period, self._clock = most, period, clock
        self._begun, self._passed, self._left_out = clock(), 0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is logged."""
        now = self._clock()
        if now - self._begun >= self._period:
            self._begun, self._passed = now, 0
        if self._passed >= self._most:
            self._left_out += 1
            return False
        self._passed += 1
        if self._left_out:
            record.msg, record.args = f"({self._left_out} messages were left out) {record.getMessage()}", ()
            self._left_out = 0
        return True


class Plain(logging.Formatter):
    """Formats a message as one line of bounded length, and the last ``frames`` of a traceback without values."""

    def __init__(self, frames: int = _MOST_FRAMES) -> None:
        super().__init__("%(asctime)s %(name)s %(levelname)s: %(message)s")
        self._frames = frames

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        record = logging.makeLogRecord(record.__dict__)
        record.msg, record.args = shortened_text(record.getMessage()), ()
        record.exc_text = None
        return super().format(record)

    def formatException(self, ei: _Exception) -> str:  # noqa: N802
        """The frames and the exception's type, without its message, which may quote a visitor's input."""
        kind, _, trace = ei
        lines = [f"  {one.filename}:{one.lineno} in {one.name}" for one in traceback.extract_tb(trace)]
        return "\n".join([*lines[-self._frames :], f"  {kind.__name__ if kind else 'unknown'}"])


def shortened_text(text: str) -> str:
    """A text as one line of bounded length, escaped."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[:_LONGEST_MESSAGE]}…"


def keep_log(path: Path) -> None:
    """Log the demo and the server to a file, if it can be written, and briefly to stderr."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    handlers[0].setFormatter(Plain(frames=1))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = RotatingFileHandler(path, maxBytes=MOST_BYTES, backupCount=1, encoding="utf-8", delay=True)
    except OSError:
        pass
    else:
        file.setFormatter(Plain())
        handlers.append(file)
    limit = Limited()
    for name in _NAMES:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = list(handlers), False
        logger.filters = [limit]
