"""A consumer on another thread gets everything in order, holds its maker back, and never fails unseen."""

import threading

import pytest

from stylegan_latents.invert.films.background import QUEUE_SIZE, in_background


class _Notes:
    """Remembers what it was given, by which thread, and whether it was closed."""

    def __init__(self, *, fails_at: int | None = None, fails_to_close: bool = False) -> None:
        self.taken: list[int | None] = []
        self.threads: set[int] = set()
        self.fails_at, self.fails_to_close, self.closed = fails_at, fails_to_close, 0
        self.gate = threading.Semaphore(1_000)

    def __call__(self, thing: int | None) -> None:
        self.gate.acquire()
        self.threads.add(threading.get_ident())
        if thing == self.fails_at and thing is not None:
            raise OSError(28, "No space left on device")
        self.taken.append(thing)

    def close(self) -> None:
        self.closed += 1
        if self.fails_to_close:
            raise ValueError("the end is missing")


def test_everything_arrives_in_its_order_on_one_other_thread() -> None:
    notes, before = _Notes(), threading.active_count()
    with in_background(notes) as hand_over:
        for number in (3, None, 1, 2, *range(20)):  # None is a thing as any other
            hand_over(number)
    assert notes.taken == [3, None, 1, 2, *range(20)]
    assert len(notes.threads - {threading.get_ident()}) == 1
    assert (notes.closed, threading.active_count()) == (1, before)


def test_a_slow_consumer_holds_its_maker_back() -> None:
    notes = _Notes()
    notes.gate = threading.Semaphore(0)
    with in_background(notes) as hand_over:
        for number in range(20):
            notes.gate.release()
            hand_over(number)
            # Every thing handed over was let through, so no more than the queue and one in work can be behind.
            assert number + 1 - len(notes.taken) <= QUEUE_SIZE + 2
    assert notes.taken == list(range(20))


def test_what_the_consumer_raises_is_raised_by_the_maker() -> None:
    def hand_over_all(notes: _Notes, count: int) -> None:
        with in_background(notes) as hand_over:
            for number in range(count):
                hand_over(number)

    notes = _Notes(fails_at=2)
    with pytest.raises(OSError, match="No space left"):
        hand_over_all(notes, 50)
    assert (notes.taken, notes.closed) == ([0, 1], 1)
    with pytest.raises(OSError, match="No space left"):
        hand_over_all(_Notes(fails_at=0), 1)


def test_a_consumer_that_cannot_close_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="the end is missing"), in_background(_Notes(fails_to_close=True)):
        pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_makers_own_error_wins_and_the_thread_has_ended(error: type[BaseException]) -> None:
    notes, before = _Notes(fails_to_close=True), threading.active_count()

    def fails() -> None:
        with in_background(notes) as hand_over:
            hand_over(1)
            raise error

    with pytest.raises(error):
        fails()
    assert (notes.closed, threading.active_count()) == (1, before)
