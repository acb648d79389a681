"""What a cluster costs: its overhead, how it grows to 64 workers, and the driver's memory.

Workers sleep instead of computing, so that the numbers are those of the pool and not of the machine's cores.

    python -m tests.benchmarks.cluster
"""

import itertools
import os
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from stylegan_latents.generator.cluster.connection import Cluster, connected
from stylegan_latents.generator.cluster.pool import Lost, Pool

PHOTOS, SECONDS = 200, 1.0
WORKERS = (1, 8, 64)
WINDOW = 20.0
COUNTS = (1_000, 100_000)


class Sleeping:
    """Sleeps as long for each item as a photo would take."""

    batch, model = 1, ""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, items: Sequence[int]) -> int:
        time.sleep(self._seconds * len(items))
        return os.getpid()


@contextmanager
def _cluster(workers: int) -> Iterator[Cluster]:
    import ray

    ray.init(
        "local", num_cpus=workers, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000
    )
    try:
        with connected(workers=workers, device="cpu") as cluster:
            yield cluster
    finally:
        ray.shutdown()


def overhead() -> None:
    """Photos of a second on two workers, with the start and end of everything, beside two plain loops."""
    begun = time.perf_counter()
    with _cluster(2) as cluster:
        for _ in Pool(cluster, partial(Sleeping, SECONDS)).results(range(PHOTOS)):
            pass
    took, plain = time.perf_counter() - begun, PHOTOS * SECONDS / 2
    print(
        f"{PHOTOS} photos of {SECONDS:g} s on 2 workers: {took:.1f} s, {took / plain - 1:.1%} more than {plain:g} s"
    )


def growth() -> None:
    """Photos a second once all workers are there."""
    for workers in WORKERS:
        with _cluster(workers) as cluster:
            seen: set[int] = set()
            end, done = float("inf"), 0
            results = Pool(cluster, partial(Sleeping, SECONDS)).results(itertools.count())
            for _, pid in results:
                assert not isinstance(pid, Lost)
                seen.add(pid)
                now = time.perf_counter()
                if len(seen) == workers and end == float("inf"):
                    begun, end = now, now + WINDOW
                elif now <= end < float("inf"):
                    done += 1
                elif now > end:
                    break
            results.close()  # type: ignore[attr-defined]
        rate = done / (WINDOW * workers / SECONDS)
        print(f"{workers} workers: {done / WINDOW:.1f} photos a second, {rate:.1%} of linear", flush=True)
        del begun


def memory() -> None:
    """The driver's peak memory."""
    with _cluster(2) as cluster:
        for count in COUNTS:
            begun = time.perf_counter()
            done = sum(1 for _ in Pool(cluster, partial(Sleeping, 0.0)).results(iter(range(count))))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            seconds = time.perf_counter() - begun
            print(f"{done} photos: {peak:.0f} MB at most, {1000 * seconds / count:.2f} ms each", flush=True)


if __name__ == "__main__":
    for part in (overhead, growth, memory):
        part()
