"""Runs independent work in parallel, one item on each core."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from stylegan_latents.generator.ops.memory import share_freed_memory

Item = TypeVar("Item")
Result = TypeVar("Result")


def on_every_core(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Map ``work`` over ``items`` without gradients, on as many threads as PyTorch computes with.

    PyTorch's own threads share one operation and wait for each other at its end; independent items need not wait.
    Within ``work``, PyTorch runs on one thread. The first item runs alone, so that anything loaded lazily is loaded
    once. Results come in the order of ``items``, each as soon as it is ready; after an error, items that have not
    started are dropped.
    """

    def without_gradients(item: Item) -> Result:
        with torch.no_grad():  # the setting belongs to the thread
            return work(item)

    yield from map(without_gradients, items[:1])
    threads = min(torch.get_num_threads(), len(items) - 1)
    if threads < 2:
        yield from map(without_gradients, items[1:])
        return
    before = torch.get_num_threads()
    share_freed_memory()  # the small memory pools of single threads do not fit large tensors
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        for waiting in [pool.submit(without_gradients, item) for item in items[1:]]:
            yield waiting.result()
    finally:
        pool.shutdown(cancel_futures=True)
        # set_num_threads in a worker also changes the default of threads started later.
        torch.set_num_threads(before)
