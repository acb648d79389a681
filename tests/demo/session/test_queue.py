"""A few work at once; the others come in their order and are told how long."""

import threading
from contextlib import ExitStack

import pytest

from stylegan_latents.demo.page.running import StoppedError, wait_in_queue, waiting_status
from stylegan_latents.demo.session.queue import Allowance, Client, WaitingQueue
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError


class Clock:
    """Stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_turns_come_in_the_order_of_coming() -> None:
    queue = WaitingQueue(2)
    with ExitStack() as first, ExitStack() as second, ExitStack() as others:
        places = [stack.enter_context(queue.enter()) for stack in (first, second, others, others)]
        assert [place.wait(0) for place in places] == [True, True, False, False]
        assert [place.ahead for place in places] == [0, 0, 0, 1]
        second.close()
        assert [place.wait(0) for place in places[2:]] == [True, False]
        first.close()
        assert places[3].wait(0)


def test_who_waits_is_woken_by_the_end_of_who_works() -> None:
    queue, come = WaitingQueue(1), []
    with ExitStack() as working, ExitStack() as waiting:
        working.enter_context(queue.enter())
        second = waiting.enter_context(queue.enter())
        thread = threading.Thread(target=lambda: come.append(second.wait(60)))
        thread.start()
        working.close()
        thread.join()
    assert come == [True]


def test_an_error_gives_the_place_up() -> None:
    queue = WaitingQueue(1)
    with pytest.raises(ValueError, match="bad"), queue.enter():
        raise ValueError("bad")
    with queue.enter() as place:
        assert place.wait(0)


def test_only_so_many_may_wait() -> None:
    queue = WaitingQueue(1, most=1)
    with queue.enter(), queue.enter(), pytest.raises(InputError, match="try again in a few minutes"), queue.enter():
        pass


def test_the_estimate_is_what_those_before_still_take() -> None:
    clock = Clock()
    queue = WaitingQueue(1, clock=clock)
    with ExitStack() as working:
        first = working.enter_context(queue.enter())
        first.wait(0)
        with queue.enter() as second, queue.enter() as third:
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
    assert waiting_status(0, None) == "Others are being served. You are next."
    assert waiting_status(1, 40.2) == "Others are being served. 1 other waits before you, about 41 s."
    assert waiting_status(3, 170.0) == "Others are being served. 3 others wait before you, about 3 minutes."


def test_whoever_stops_waiting_leaves_the_line(visit: Visit) -> None:
    queue = WaitingQueue(1)
    with queue.enter():
        with visit.at_work(), queue.enter() as place:
            told = wait_in_queue(visit, place, every=0.01)
            assert "You are next" in next(told)
            visit.stop.set()
            with pytest.raises(StoppedError):
                next(told)
        assert not queue.idle
    assert not visit.stop.is_set()  # the next work is not stopped


def test_a_wish_to_stop_before_the_work_has_begun_counts(visit: Visit) -> None:
    visit.stop.set()
    visit.prepare()
    assert not visit.stop.is_set()
    visit.stop.set()  # pressed while the request is still on its way
    queue = WaitingQueue(1)
    with queue.enter(), visit.at_work(), queue.enter() as place, pytest.raises(StoppedError):
        list(wait_in_queue(visit, place, every=0.01))


def test_addresses_take_turns_and_so_do_the_sessions_of_one() -> None:
    queue = WaitingQueue(1)
    with ExitStack() as stack:
        working = stack.enter_context(ExitStack())
        working.enter_context(queue.enter(Client("greedy", "0"))).wait(0)
        many = [stack.enter_context(queue.enter(Client("greedy", str(i)))) for i in range(1, 4)]
        twice = stack.enter_context(queue.enter(Client("greedy", "1")))
        other = stack.enter_context(queue.enter(Client("other", "a")))
        third = stack.enter_context(queue.enter(Client("third", "b")))
        assert [ticket.ahead for ticket in (other, third, *many, twice)] == [0, 1, 2, 3, 4, 5]
        working.close()
        assert [ticket.wait(0) for ticket in (*many, twice, third, other)] == [False] * 5 + [True]


def test_who_was_served_longest_ago_is_next() -> None:
    queue, served = WaitingQueue(1), []
    for _ in range(3):
        with queue.turn(Client("a")), queue.enter(Client("a")) as same, queue.enter(Client("b")) as other:
            served.append((same.ahead, other.ahead))
        with queue.turn(Client("b")):
            pass
    assert served == [(1, 0)] * 3


def test_a_full_queue_refuses_whoever_would_be_served_last() -> None:
    queue = WaitingQueue(1, most=2)
    with ExitStack() as stack:
        stack.enter_context(queue.enter(Client("greedy", "0"))).wait(0)
        first, second = (stack.enter_context(queue.enter(Client("greedy", str(i)))) for i in (1, 2))
        with pytest.raises(InputError, match="Too many others"), queue.enter(Client("greedy", "3")):
            pass
        other = stack.enter_context(queue.enter(Client("other", "a")))
        assert (other.ahead, first.ahead) == (0, 1)
        with pytest.raises(InputError, match="Too many others"):
            second.wait(0)


def test_others_go_first_when_the_worker_yields() -> None:
    queue, order = WaitingQueue(1, None), []
    asked = threading.Event()

    def other() -> None:
        with queue.enter(Client("other")) as ticket:
            asked.set()
            ticket.wait(None)
            order.append("other")

    with queue.turn() as turn:
        thread = threading.Thread(target=other)
        thread.start()
        asked.wait()
        order.append("long, step 1")
        turn.yield_to_others()
        order.append("long, step 2")
        turn.yield_to_others()  # to nobody
    thread.join()
    assert order == ["long, step 1", "other", "long, step 2"]


def test_it_is_idle_when_nobody_works_or_waits() -> None:
    queue = WaitingQueue(1)
    assert queue.idle
    with queue.turn():
        assert not queue.idle
    assert queue.idle


def test_work_cannot_be_asked_for_while_there_is_some(visit: Visit) -> None:
    with visit.at_work(), pytest.raises(InputError, match="still running"):
        visit.prepare()
    visit.prepare()


def test_those_who_wait_are_told_whose_turn_it_is_if_names_are_known() -> None:
    queue = WaitingQueue(1)
    with queue.enter(Client("1", "a", "ann")) as ann, queue.enter(Client("2", "b", "bob")) as bob:
        assert ann.begun is not None
        assert bob.others_at_work == ["ann"]
        assert (queue.working, queue.waiting) == ([ann.client], 1)
    assert waiting_status(0, None, ["ann"]) == "It is the turn of ann. You are next."


def test_a_visitor_begins_so_much_an_hour() -> None:
    now = [0.0]
    allowance = Allowance(2, clock=lambda: now[0])
    allowance.take("ann")
    now[0] = 1800.0
    allowance.take("ann")
    with pytest.raises(InputError, match=r"The limit here is 2 .* in 30 minutes"):
        allowance.take("ann")
    allowance.take("bob")
    now[0] = 3600.0
    allowance.take("ann")


def test_without_a_limit_everyone_begins_what_they_want() -> None:
    allowance = Allowance(None)
    for _ in range(100):
        allowance.take("ann")
