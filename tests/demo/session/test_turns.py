"""Turns are given in the order of asking, and a long computation lets others in."""

import threading

from stylegan_latents.demo.session.turns import Turns


def test_others_go_first_when_the_holder_gives_way() -> None:
    turns, order = Turns(), []
    asked = threading.Event()

    def other() -> None:
        asked.set()
        with turns:
            order.append("other")

    with turns:
        thread = threading.Thread(target=other)
        thread.start()
        asked.wait()
        while turns._tickets < 2:  # until the other one has asked
            pass
        order.append("long, step 1")
        turns.give_way()
        order.append("long, step 2")
    thread.join()
    assert order == ["long, step 1", "other", "long, step 2"]


def test_an_error_gives_the_turn_back() -> None:
    turns = Turns()
    for _ in range(2):
        try:
            with turns:
                raise ValueError
        except ValueError:
            pass
    with turns:
        turns.give_way()


def test_it_is_idle_when_nobody_has_a_turn() -> None:
    turns = Turns()
    assert turns.idle
    with turns:
        assert not turns.idle
    assert turns.idle
