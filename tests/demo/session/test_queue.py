"""A few work at once; the others come in their order and are told how long."""

import threading
from contextlib import ExitStack

import pytest

from stylegan_latents.demo.page.running import StoppedError, wait_for_turn, waiting_words
from stylegan_latents.demo.session.queue import Line
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError


class Clock:
    """Stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_turns_come_in_the_order_of_coming() -> None:
    line = Line(2)
    with ExitStack() as first, ExitStack() as second, ExitStack() as others:
        places = [stack.enter_context(line.enter()) for stack in (first, second, others, others)]
        assert [place.wait(0) for place in places] == [True, True, False, False]
        assert [place.before for place in places] == [0, 0, 0, 1]
        second.close()
        assert [place.wait(0) for place in places[2:]] == [True, False]
        first.close()
        assert places[3].wait(0)


def test_who_waits_is_woken_by_the_end_of_who_works() -> None:
    line, come = Line(1), []
    with ExitStack() as working, ExitStack() as waiting:
        working.enter_context(line.enter())
        second = waiting.enter_context(line.enter())
        thread = threading.Thread(target=lambda: come.append(second.wait(60)))
        thread.start()
        working.close()
        thread.join()
    assert come == [True]


def test_an_error_gives_the_place_up() -> None:
    line = Line(1)
    with pytest.raises(ValueError, match="bad"), line.enter():
        raise ValueError("bad")
    with line.enter() as place:
        assert place.wait(0)


def test_only_so_many_may_wait() -> None:
    line = Line(1, most=1)
    with line.enter(), line.enter(), pytest.raises(InputError, match="try again in a few minutes"), line.enter():
        pass


def test_the_estimate_is_what_those_before_still_take() -> None:
    clock = Clock()
    line = Line(1, clock=clock)
    with ExitStack() as working:
        first = working.enter_context(line.enter())
        first.wait(0)
        with line.enter() as second, line.enter() as third:
            assert second.seconds_left is None  # nobody knows anything yet
            clock.now = 10.0
            first.expect(30.0)
            assert second.seconds_left == pytest.approx(30.0)
            assert third.seconds_left == pytest.approx(30.0 + 40.0)
            clock.now = 20.0
            assert second.seconds_left == pytest.approx(20.0)
            clock.now = 50.0
            working.close()
            assert second.wait(0)
            clock.now = 60.0
            # The first took 50 seconds, and the second one says nothing.
            assert third.seconds_left == pytest.approx(40.0)


def test_the_words_say_who_is_before_and_how_long() -> None:
    assert waiting_words(0, None) == "Others are being served. You are next."
    assert waiting_words(1, 40.2) == "Others are being served. 1 other waits before you, about 41 s."
    assert waiting_words(3, 170.0) == "Others are being served. 3 others wait before you, about 3 minutes."


def test_whoever_stops_waiting_leaves_the_line(visit: Visit) -> None:
    line = Line(1)
    with line.enter():
        with visit.at_work(), line.enter() as place:
            told = wait_for_turn(visit, place, every=0.01)
            assert "You are next" in next(told)
            visit.stop.set()
            with pytest.raises(StoppedError):
                next(told)
        assert len(line._present) == 1
    assert not visit.stop.is_set()  # the next work is not stopped


def test_a_wish_to_stop_before_the_work_has_begun_counts(visit: Visit) -> None:
    visit.stop.set()
    visit.get_ready()
    assert not visit.stop.is_set()
    visit.stop.set()  # pressed while the request is still on its way
    line = Line(1)
    with line.enter(), visit.at_work(), line.enter() as place, pytest.raises(StoppedError):
        list(wait_for_turn(visit, place, every=0.01))


def test_work_cannot_be_asked_for_while_there_is_some(visit: Visit) -> None:
    with visit.at_work(), pytest.raises(InputError, match="still running"):
        visit.get_ready()
    visit.get_ready()
