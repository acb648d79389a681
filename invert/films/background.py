"""A consumer on a background thread, fed through a bounded queue."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
QUEUE_SIZE = 3


class Consumer(Protocol[T_contra]):
    """Called with one item after another, and closed after the last."""

    def __call__(self, item: T_contra, /) -> None: ...

    def close(self) -> None: ...


@contextlib.contextmanager
def in_background(consumer: Consumer[T]) -> Iterator[Callable[[T], None]]:
    """Give a function that passes items to a consumer on another thread, and waits while the queue is full.

    At the end of the block, whatever ends it, the consumer is closed and the thread has ended. If the block fails,
    also by Ctrl-C, queued items are dropped. An exception of the consumer is raised at the next item or at the end
    of the block; after it the consumer is only closed.
    """
    items: queue.Queue[tuple[T] | None] = queue.Queue(QUEUE_SIZE)
    failed: list[BaseException] = []
    dropped = threading.Event()

    def work() -> None:
        try:
            while (item := items.get()) is not None:
                if not dropped.is_set() and not failed:
                    try:
                        consumer(item[0])
                    # Raised again on the other thread; this one has to go on emptying the queue.
                    except BaseException as error:
                        failed.append(error)
        finally:
            try:
                consumer.close()
            except BaseException as error:
                failed.append(error)

    def put(item: T) -> None:
        if failed:
            raise failed[0]
        items.put((item,))

    thread = threading.Thread(target=work, name="consumer")
    thread.start()
    try:
        yield put
    except BaseException:
        dropped.set()
        raise
    finally:
        items.put(None)
        thread.join()
    if failed:
        raise failed[0]
