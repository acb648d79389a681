"""Work shared among workers: complete, each item once, whoever dies."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from stylegan_latents.generator.cluster.connection import Cluster, connected
from stylegan_latents.generator.cluster.pool import Lost, Pool, marked
from stylegan_latents.generator.errors import InputError
from tests.generator.cluster.small_work import Doubling, FalseStart, OwnModel

pytest.importorskip("ray")

pytestmark = pytest.mark.slow  # Ray takes seconds to start


@pytest.fixture(name="cluster", scope="module")
def _cluster() -> Iterator[Cluster]:
    with connected(workers=2, device="cpu") as cluster:
        yield cluster


def _doubled(pool: "Pool[int, list[int]]", items: range) -> tuple[dict[int, int], list[int]]:
    """The doubled numbers, and those that were set aside."""
    found: dict[int, int] = {}
    lost = []
    for numbers, answer in pool.results(items):
        if isinstance(answer, Lost):
            lost += numbers
        else:
            assert not set(numbers) & set(found)
            found |= dict(zip(numbers, answer, strict=True))
    return found, lost


@pytest.mark.parametrize("batch", [1, 4])
def test_what_a_dead_worker_did_is_done_again_and_what_kills_two_is_set_aside(
    cluster: Cluster, tmp_path: Path, batch: int
) -> None:
    forgotten: list[int] = []
    make = partial(Doubling, tmp_path, batch, deadly={3: 1, 7: 2})
    found, lost = _doubled(Pool(cluster, make, forget=forgotten.append), range(12))
    assert lost == [7]
    assert found == {number: 2 * number for number in range(12) if number != 7}
    assert {3, 7} <= set(forgotten)
    assert forgotten.count(7) == 2


def test_a_workers_sentence_ends_the_run(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^4 cannot be doubled\.$"):
        _doubled(Pool(cluster, partial(Doubling, tmp_path, refused=4)), range(10))


def test_workers_that_die_while_they_start_are_not_hired_forever(cluster: Cluster) -> None:
    with pytest.raises(InputError, match="die while they start"):
        list(Pool(cluster, FalseStart).results([1]))


def test_workers_with_different_models_are_refused(cluster: Cluster) -> None:
    with pytest.raises(InputError, match=r"The model's file is another one on \S+ than on"):
        list(Pool(cluster, OwnModel).results(range(50)))


def test_a_folder_that_workers_do_not_see_is_said_with_its_name(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"does not see {tmp_path / 'gone'}; put it into a folder"):
        list(Pool(cluster, partial(Doubling, tmp_path), needs=[tmp_path / "gone"]).results([1]))
    with marked(tmp_path / "out") as marker:
        assert marker.exists()
        assert _doubled(Pool(cluster, partial(Doubling, tmp_path), needs=[marker]), range(1))[0] == {0: 0}
    with pytest.raises(InputError, match=rf"does not see {tmp_path};"):
        list(Pool(cluster, partial(Doubling, tmp_path), needs=[marker]).results([1]))
    assert list(tmp_path.iterdir()) == []


def test_items_are_taken_as_workers_come_free(cluster: Cluster, tmp_path: Path) -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        while taken < 100:
            taken += 1
            yield taken

    for done, _ in enumerate(Pool(cluster, partial(Doubling, tmp_path)).results(items()), start=1):
        assert taken <= done + cluster.workers
    assert done == 100
