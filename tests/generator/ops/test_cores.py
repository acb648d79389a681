"""Work on every core: in order, without gradients, on one thread each, and nothing left behind."""

import threading
from collections.abc import Iterator

import pytest
import torch

from stylegan_latents.generator.ops.cores import on_every_core


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
@pytest.mark.usefixtures("two_threads")
def test_results_come_in_order(count: int) -> None:
    assert list(on_every_core(lambda number: number**2, range(count))) == [number**2 for number in range(count)]


@pytest.mark.usefixtures("two_threads")
def test_work_is_shared_by_threads_of_one_thread_each_without_gradients() -> None:
    both = threading.Barrier(2, timeout=60)  # passed only by two at once
    weight = torch.ones(1, requires_grad=True)

    def work(number: int) -> tuple[int, bool]:
        if number:
            both.wait()
        return torch.get_num_threads(), (weight * number).requires_grad

    found = list(on_every_core(work, range(5)))
    assert found == [(2, False)] + [(1, False)] * 4
    assert torch.get_num_threads() == 2
    assert torch.is_grad_enabled()
    late: list[int] = []
    thread = threading.Thread(target=lambda: late.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert late == [2], "threads that begin later have one thread each"


@pytest.mark.usefixtures("two_threads")
def test_what_fails_is_told_and_ends_the_rest() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 3:
            raise KeyboardInterrupt
        done.append(number)
        return number

    results = on_every_core(work, range(1000))
    with pytest.raises(KeyboardInterrupt):
        list(results)
    assert len(done) < 999
    assert torch.get_num_threads() == 2


def test_one_thread_needs_no_others() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    threads = set(on_every_core(lambda _: threading.get_ident(), range(4)))
    torch.set_num_threads(before)
    assert threads == {threading.get_ident()}
