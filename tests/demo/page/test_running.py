"""Long work reports, gives way, and ends when it is told to."""

import time

import pytest

from stylegan_latents.demo.page.running import Done, StepsLeft, StoppedError, run_reporting
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError


def test_the_result_comes_last(visit: Visit) -> None:
    def work(report):
        for step in range(20):
            report(step)
            time.sleep(0.005)
        return "found"

    items = list(run_reporting(visit, work, every=0.01))
    assert items[-1] == Done("found")
    assert items[:-1] == sorted(items[:-1])
    assert items[:-1]


def test_an_error_of_the_work_is_raised(visit: Visit) -> None:
    def work(_report):
        raise InputError("No face.")

    with pytest.raises(InputError, match="No face"):
        list(run_reporting(visit, work))


def endless(report):
    while True:
        report(1)
        time.sleep(0.002)


def test_stopping_ends_the_work(visit: Visit) -> None:
    running = run_reporting(visit, endless, every=0.01)
    next(running)
    visit.stop.set()
    with pytest.raises(StoppedError):
        list(running)
    with visit.computing():  # the turn was given back
        pass


def test_keeping_interrupts_as_ctrl_c_does(visit: Visit) -> None:
    def work(report):
        try:
            endless(report)
        except KeyboardInterrupt:
            return "best so far"

    running = run_reporting(visit, work, every=0.01)
    next(running)
    visit.keep = True
    visit.stop.set()
    assert list(running)[-1] == Done("best so far")


def test_a_page_that_closes_ends_the_work(visit: Visit) -> None:
    running = run_reporting(visit, endless, every=0.01)
    next(running)
    running.close()
    with visit.computing():
        pass


def test_one_visitor_runs_one_thing_at_a_time(visit: Visit) -> None:
    with visit.at_work(), pytest.raises(InputError, match="still running"), visit.at_work():
        pass
    with visit.at_work():
        pass


def test_what_is_found_when_the_connection_is_lost_is_kept_if_wanted(visit: Visit) -> None:
    def search(report):
        try:
            endless(report)
        except KeyboardInterrupt:
            return "so far"

    kept: list[str] = []
    for on_left in (kept.append, None):
        running = run_reporting(visit, search if on_left else endless, every=0.01, on_left=on_left)
        next(running)
        running.close()
        visit.prepare()
    assert kept == ["so far"]


def test_the_time_left_is_that_of_the_steps_seen() -> None:
    times = iter([0.0, 10.0, 20.0])
    timer = StepsLeft(lambda: next(times))
    assert timer.seconds(1, 101) is None
    assert timer.seconds(11, 101) == pytest.approx(90.0)
    assert timer.seconds(51, 101) == pytest.approx(20.0)
