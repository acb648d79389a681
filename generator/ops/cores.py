"""Independent pieces of work side by side, one on each core."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from stylegan_latents.generator.ops.memory import share_freed_memory

Item = TypeVar("Item")
Result = TypeVar("Result")


def on_every_core(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Do the same to every item, without gradients, on as many threads as PyTorch computes with.

    PyTorch's own threads share each operation, and wait for one another at the end of each; whole pieces of work
    have nothing to wait for. Whatever PyTorch does within ``work`` runs on one thread.

    Args:
        work: called from several threads at once, but for the first item, which is done alone, so that what is
            loaded once is loaded once.
        items: what to do it to.

    Yields:
        What became of each item, in their order, as soon as it is ready.

    Raises:
        BaseException: whatever ``work`` raises. Items that were not begun are left then.
    """

    def without_gradients(item: Item) -> Result:
        with torch.no_grad():  # a thread's own setting
            return work(item)

    yield from map(without_gradients, items[:1])
    threads = min(torch.get_num_threads(), len(items) - 1)
    if threads < 2:
        yield from map(without_gradients, items[1:])
        return
    before = torch.get_num_threads()
    share_freed_memory()  # a thread's own memory is made of pieces that large tensors do not fit into
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        for waiting in [pool.submit(without_gradients, item) for item in items[1:]]:
            yield waiting.result()
    finally:
        pool.shutdown(cancel_futures=True)
        # A thread sets its own number, but also the one that threads begun later start with.
        torch.set_num_threads(before)
