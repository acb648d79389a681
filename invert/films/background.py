"""Work on another thread that keeps pace: what is made here is consumed there, with little waiting between."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
WAITING = 3
"""How many things may wait for the consumer before who makes them waits too."""


class Consumer(Protocol[T_contra]):
    """Takes one thing after the other, and is closed after the last."""

    def __call__(self, thing: T_contra, /) -> None: ...

    def close(self) -> None: ...


@contextlib.contextmanager
def in_background(consumer: Consumer[T]) -> Iterator[Callable[[T], None]]:
    """Give a function that hands things to a consumer on another thread.

    The thread has ended when the block has, whatever happens, and the consumer is closed. When the block fails,
    also by Ctrl-C, what still waits is dropped. What the consumer raises is raised here, at the next thing or at
    the end of the block; after that it is asked nothing more but to close.
    """
    things: queue.Queue[tuple[T] | None] = queue.Queue(WAITING)
    failed: list[BaseException] = []
    dropped = threading.Event()

    def work() -> None:
        try:
            while (item := things.get()) is not None:
                if not dropped.is_set() and not failed:
                    try:
                        consumer(item[0])
                    # Raised again by the thread that makes the things; this one has to go on emptying the queue.
                    except BaseException as error:
                        failed.append(error)
        finally:
            try:
                consumer.close()
            except BaseException as error:
                failed.append(error)

    def hand_over(thing: T) -> None:
        if failed:
            raise failed[0]
        things.put((thing,))

    thread = threading.Thread(target=work, name="consumer")
    thread.start()
    try:
        yield hand_over
    except BaseException:
        dropped.set()
        raise
    finally:
        things.put(None)
        thread.join()
    if failed:
        raise failed[0]
