from collections.abc import Iterator

import pytest
import torch

from stylegan_latents.invert.search.time_left import TimeLeft, duration

CPU = torch.device("cpu")


def _clock(*seconds: float) -> Iterator[float]:
    yield from seconds


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _time_left(times: Iterator[float], worked: Iterator[float], **arguments: object) -> TimeLeft:
    phases = arguments.pop("phases", [(100, 1.0)])
    return TimeLeft(phases, clock=times.__next__, worked=worked.__next__, **arguments)  # type: ignore[arg-type]


def test_a_few_steps_and_what_follows_make_the_estimate() -> None:
    estimate = _time_left(_clock(0, 2, 10), _clock(0, 2, 10))
    assert estimate.after_step(1) is None
    assert estimate.after_step(2) is None
    left = estimate.after_step(11)
    assert left is not None
    assert 89 < left < 95
    assert 100 < estimate.of_another() < 107


def test_what_follows_takes_longer_for_more_metrics_and_beside_other_work() -> None:
    alone, full, beside = (
        _time_left(_clock(0, 10), _clock(0, worked), full=full)
        for worked, full in ((10, False), (10, True), (2, False))
    )
    for one in (alone, full, beside):
        one.after_step(1)
    quick, *slower = (one.after_step(11) or 0.0 for one in (alone, full, beside))
    assert all(seconds > quick + 1 for seconds in slower)


def test_phases_of_other_steps_count_by_their_duration() -> None:
    estimate = _time_left(_clock(0, 10, 30), _clock(0, 10, 30), phases=[(20, 1.0), (20, 2.0)])
    estimate.after_step(1)
    early, late = estimate.after_step(11), estimate.after_step(26)
    assert early is not None
    assert late is not None
    assert 9 + 40 < early < 9 + 40 + 5
    assert 28 < late < 28 + 5


def test_steps_that_are_not_reported_take_no_time() -> None:
    estimate = _time_left(_clock(0, 8), _clock(0, 8), phases=[(3, 0.0), (20, 1.5)])
    estimate.after_step(4)
    left = estimate.after_step(12)
    assert left is not None
    assert 11 < left < 16


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(8.2, "about 9 s"), (89.0, "about 89 s"), (170.0, "about 3 minutes"), (9000.0, "about 2.5 hours")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
