"""The log is bounded, and holds nothing that visitors sent."""

import logging
from pathlib import Path

import pytest

from stylegan_latents.demo.server import log
from stylegan_latents.demo.server.log import Limited, keep_log


@pytest.fixture(name="logger")
def _logger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> logging.Logger:
    monkeypatch.setattr(log, "_NAMES", ("demo-test",))
    monkeypatch.setattr(log, "MOST_BYTES", 4000)
    keep_log(tmp_path / "logs" / "demo.log")
    return logging.getLogger("demo-test")


def test_a_flood_is_bounded_and_rotated(logger: logging.Logger, tmp_path: Path) -> None:
    for _ in range(5000):
        logger.error("a fault\x1b %s", "x" * 10_000)
    files = list((tmp_path / "logs").iterdir())
    assert 1 <= len(files) <= 2
    assert sum(file.stat().st_size for file in files) <= 8000
    assert "\x1b" not in files[0].read_text()


def test_a_fault_says_where_it_was_and_not_with_what(logger: logging.Logger, tmp_path: Path) -> None:
    try:
        raise ValueError("secret payload")
    except ValueError as error:
        logger.error("a fault while answering", exc_info=error)
    text = (tmp_path / "logs" / "demo.log").read_text()
    assert "test_log.py" in text
    assert "ValueError" in text
    assert "secret" not in text


def test_what_is_left_out_is_counted() -> None:
    now = [0.0]
    limit = Limited(2, 60.0, lambda: now[0])
    records = [logging.makeLogRecord({"msg": "fault"}) for _ in range(5)]
    assert [limit.filter(record) for record in records] == [True, True, False, False, False]
    now[0] = 61.0
    after = logging.makeLogRecord({"msg": "fault"})
    assert limit.filter(after)
    assert after.getMessage() == "(3 messages were left out) fault"
