"""A function over many values, on this process or on the cluster that it is connected to."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from stylegan_latents.generator.cluster.connection import current
from stylegan_latents.generator.cluster.pool import Lost, Pool, marked
from stylegan_latents.generator.errors import InputError

Value = TypeVar("Value")
Result = TypeVar("Result")


class _Each(Generic[Value, Result]):
    """Does one value at a time, with its number."""

    batch, model = 1, ""

    def __init__(self, make: Callable[[], Callable[[Value], Result]]) -> None:
        self._do = make()

    def __call__(self, items: Sequence[tuple[int, Value]]) -> Result:
        return self._do(items[0][1])


@contextlib.contextmanager
def workers_see(folder: Path) -> Iterator[list[Path]]:
    """Yield what ``spread`` takes as ``needs`` for results that workers write into a folder."""
    if current() is None:
        yield []
        return
    with marked(folder) as marker:
        yield [marker]


def spread(
    make: Callable[[], Callable[[Value], Result]], values: Iterable[Value], *, needs: Sequence[Path] = ()
) -> Iterator[Result]:
    """The results of a function, in the order of its values; like ``map``, but for a cluster.

    Within ``connected`` the workers of the cluster do the work; what one does is sent there and back, so values
    should be batches that take a tenth of a second or more, and numbers rather than pictures.

    Args:
        make: makes the function, once on each worker; pickled, such as a ``functools.partial`` of a class.
        values: taken as workers come free.
        needs: files and folders that workers have to see.

    Raises:
        InputError: what ``make`` holds cannot be sent to workers, or two workers died of one value.
    """
    cluster = current()
    if cluster is None:
        yield from map(make(), values)
        return
    try:
        pool: Pool[tuple[int, Value], Result] = Pool(cluster, partial(_Each[Any, Any], make), needs=needs)
    except TypeError as error:
        raise InputError("This scorer or model cannot be sent to workers; leave --cluster out.") from error
    early: dict[int, Result] = {}
    following = 0
    for items, answer in pool.results(enumerate(values)):
        if isinstance(answer, Lost):
            raise InputError(f"Two workers died of the same batch, the last on {answer.host}; lower --workers.")
        early[items[0][0]] = answer
        while following in early:
            yield early.pop(following)
            following += 1
