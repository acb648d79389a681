"""Work shared among the workers of a cluster; what a worker that died was doing is done again by another."""

import contextlib
import itertools
import os
import socket
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from stylegan_latents.generator.cluster.connection import Cluster
from stylegan_latents.generator.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")
Item_ = TypeVar("Item_", contravariant=True)
Result_ = TypeVar("Result_", covariant=True)

_MOST_DEATHS = 2  # of workers, by one item
_MOST_FALSE_STARTS = 3  # of workers in a row


class Work(Protocol[Item_, Result_]):
    """What a worker does, with what it holds for that, such as a model.

    Attributes:
        batch: how many items it takes at once.
        model: what has to be the same on every worker, such as a model's fingerprint.
    """

    batch: int
    model: str

    def __call__(self, items: Sequence[Item_], /) -> Result_:
        """Do a batch; an InputError ends the whole run."""


@dataclass(frozen=True)
class Lost:
    """The answer for an item that is set aside, because two workers died of it."""

    host: str


@dataclass(frozen=True)
class _Refused:
    """An InputError of a worker: Ray would wrap the exception."""

    sentence: str
    host: str = field(default_factory=socket.gethostname)

    def error(self) -> InputError:
        """The error, which names the worker's machine if it is another one."""
        here = self.host == socket.gethostname()
        return InputError(self.sentence if here else f"On {self.host}: {self.sentence}")


@dataclass(frozen=True)
class _Ready:
    host: str
    release: str
    batch: int
    model: str


@dataclass(eq=False)
class _Unit(Generic[Item]):
    item: Item
    deaths: int = 0


@dataclass(eq=False)
class _Seat(Generic[Item]):
    """A worker, as the driver sees it; ``units`` are what it does now, none while it starts."""

    actor: Any
    ready: _Ready | None = None
    units: list[_Unit[Item]] = field(default_factory=list)


class _Worker:
    """The actor: a process of its own on some machine of the cluster."""

    def begin(self, make: "Callable[[], Work[Any, Any]]", folder: str, needs: Sequence[Path]) -> _Ready | _Refused:
        host = socket.gethostname()
        # So that relative paths mean the same as at home; ``needs`` tells if something is missing.
        with contextlib.suppress(OSError):
            os.chdir(folder)
        for path in needs:
            if not path.exists():
                shown = path.parent if path.name.startswith(_MARKER) else path
                return _Refused(
                    f"The worker on {host} does not see {shown}; put it into a folder that all machines share, "
                    "under one path, or give addresses such as s3://bucket/photos."
                )
        try:
            self._work = make()
            return _Ready(host, _release(), self._work.batch, self._work.model)
        except InputError as error:
            return _Refused(str(error))

    def work(self, items: Sequence[Any]) -> Any:
        try:
            return self._work(items)
        except InputError as error:
            return _Refused(str(error))


_MARKER = ".seen-by-workers."


@contextlib.contextmanager
def marked(folder: Path) -> Iterator[Path]:
    """Yield a temporary file in a folder that exists or will, by which workers tell whether they see it.

    Raises:
        InputError: nothing can be written there.
    """
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        handle, name = tempfile.mkstemp(prefix=_MARKER, dir=nearest)
    except OSError as error:
        raise InputError(f"Cannot write into the folder {folder}: {error.strerror or error}.") from error
    os.close(handle)
    try:
        yield Path(name).absolute()
    finally:
        Path(name).unlink(missing_ok=True)


class Pool(Generic[Item, Result]):
    """Workers that do items in batches.

    Args:
        cluster: the one that this process is connected to.
        make: called once on each worker; pickled, so a class or a ``functools.partial`` of one.
        needs: files and folders that workers have to see.
        forget: called with an item whose worker was killed in the middle of it, once it is dead.
    """

    def __init__(
        self,
        cluster: Cluster,
        make: "Callable[[], Work[Item, Result]]",
        *,
        needs: Sequence[Path] = (),
        forget: Callable[[Item], None] = lambda _: None,
    ) -> None:
        ray: Any = import_module("ray")
        self._ray, self._cluster, self._forget = ray, cluster, forget
        self._actor = ray.remote(num_cpus=cluster.cores, num_gpus=cluster.gpus, max_restarts=0)(_Worker)
        self._arguments = ray.put(make), str(Path.cwd()), list(needs)
        self._busy: dict[Any, _Seat[Item]] = {}
        self._false_starts = 0
        self._first: _Ready | None = None

    def results(self, items: Iterable[Item]) -> Iterator[tuple[list[Item], Result | Lost]]:
        """Do all items, which are taken as workers come free.

        Yields:
            Items with their result, in the order in which they are finished; or one with ``Lost``.

        Raises:
            InputError: by ``make`` or a worker, or workers differ or die while they start.
        """
        fresh, again = iter(items), deque[_Unit[Item]]()
        free: list[_Seat[Item]] = []
        try:
            for _ in range(self._cluster.workers):
                self._hire()
            while True:
                while free and (units := self._next(fresh, again, free[-1])):
                    seat = free.pop()
                    seat.units = units
                    self._busy[seat.actor.work.remote([unit.item for unit in units])] = seat
                if free and not any(seat.units for seat in self._busy.values()):
                    return
                finished, _ = self._ray.wait(list(self._busy), num_returns=1)
                seat = self._busy.pop(finished[0])
                try:
                    answer = self._ray.get(finished[0])
                except (self._ray.exceptions.RayActorError, self._ray.exceptions.RaySystemError) as error:
                    yield from self._replace(seat, again, error)
                    continue
                if isinstance(answer, _Refused):
                    raise answer.error()
                if isinstance(answer, _Ready):
                    self._welcome(seat, answer)
                else:
                    done, seat.units = [unit.item for unit in seat.units], []
                    yield done, answer
                free.append(seat)
        finally:
            self._end(free)

    def _next(self, fresh: Iterator[Item], again: deque[_Unit[Item]], seat: _Seat[Item]) -> list[_Unit[Item]]:
        """The next batch; what a worker died of comes last, and alone, so that the item to blame is known."""
        assert seat.ready is not None
        units = [_Unit(item) for item in itertools.islice(fresh, seat.ready.batch)]
        return units or ([again.popleft()] if again else [])

    def _hire(self) -> None:
        actor = self._actor.remote()
        self._busy[actor.begin.remote(*self._arguments)] = _Seat(actor)

    def _welcome(self, seat: _Seat[Item], ready: _Ready) -> None:
        ours, first = _release(), self._first or ready
        if ready.release != ours:
            raise InputError(
                f"The worker on {ready.host} has stylegan-latents {ready.release}, this machine {ours}; install "
                "the same version on both."
            )
        if ready.model != first.model:
            raise InputError(
                f"The model's file is another one on {ready.host} than on {first.host}; copy one to all."
            )
        self._first, self._false_starts, seat.ready = first, 0, ready

    def _replace(
        self, seat: _Seat[Item], again: deque[_Unit[Item]], error: Exception
    ) -> Iterator[tuple[list[Item], Lost]]:
        """Hire another worker for one that died, and put aside or do again what it did."""
        self._fire(seat)
        if seat.ready is None:
            self._false_starts += 1
            if "stylegan_latents" in str(error) and "ModuleNotFoundError" in str(error):
                raise InputError("The cluster's machines have no stylegan-latents; install it there.") from error
            if self._false_starts >= _MOST_FALSE_STARTS:
                raise InputError(
                    "Workers die while they start, as they do where memory is short; lower --workers."
                ) from error
        for unit in seat.units:
            self._forget(unit.item)
            unit.deaths += 1
            if unit.deaths < _MOST_DEATHS:
                again.append(unit)
            else:
                yield [unit.item], Lost(seat.ready.host if seat.ready else "")
        self._hire()

    def _fire(self, seat: _Seat[Item]) -> None:
        with contextlib.suppress(Exception):  # it is gone already, or so is the cluster
            self._ray.kill(seat.actor)

    def _end(self, free: Iterable[_Seat[Item]]) -> None:
        """End all workers, also in the middle of something."""
        for seat in (*free, *self._busy.values()):
            self._fire(seat)
        if working := {ref: seat for ref, seat in self._busy.items() if seat.units}:
            with contextlib.suppress(Exception):
                self._ray.wait(list(working), num_returns=len(working), timeout=5)
            for seat in working.values():
                for unit in seat.units:
                    self._forget(unit.item)


def _release() -> str:
    try:
        return version("stylegan-latents")
    except PackageNotFoundError:
        return "from its folder"
