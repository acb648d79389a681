"""What may be wrong with a cluster is said in one sentence."""

import socket
import sys
from typing import Any

import pytest

from stylegan_latents.generator.cluster.connection import ClusterOptions, connected, with_address
from stylegan_latents.generator.errors import InputError

VERSIONS = {"ray_version": "2.9.0", "python_version": "3.10.1"}


def _fails(match: str, *arguments: Any) -> None:
    with pytest.raises(InputError, match=match), connected(*arguments):
        pass


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["a", "--cluster"], ["a", "--cluster", "local"]),
        (["--cluster", "photos/"], ["--cluster", "local", "photos/"]),
        (["--cluster", "--workers", "2"], ["--cluster", "local", "--workers", "2"]),
        (["--cluster", "ray://head:10001", "a"], ["--cluster", "ray://head:10001", "a"]),
        (["--cluster", "10.0.0.1:6379"], ["--cluster", "10.0.0.1:6379"]),
        (["--cluster=ray://head:1"], ["--cluster=ray://head:1"]),
    ],
)
def test_the_address_may_be_left_out(typed: list[str], meant: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert with_address(typed) == meant


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    assert with_address(["--cluster"]) == ["--cluster", "ray://head:10001"]


def test_options_that_mean_nothing_are_refused() -> None:
    for options, match in (
        ({"workers": 2}, "add --cluster"),
        (
            {"cluster": "ray:/head"},
            r"^A cluster's address is such as ray://head:10001, not 'ray:/head'\.$",
        ),
    ):
        with pytest.raises(InputError, match=match):
            ClusterOptions(**options)  # type: ignore[arg-type]


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    _fails(r"stylegan-latents\[cluster\]")


def test_no_such_cluster() -> None:
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        _fails(rf"^There is no cluster at ray://127\.0\.0\.1:{port} \(.*\); start one", f"ray://127.0.0.1:{port}")


def test_a_cluster_with_other_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    from ray._private.utils import check_version_info

    # Ray's own check, told of an older cluster.
    monkeypatch.setattr(ray, "init", lambda *_, **__: check_version_info(VERSIONS, "Ray Client"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"ray://127.0.0.1:{server.getsockname()[1]}"
        _fails(
            r"has Ray 2\.9\.0 and Python 3\.10\.1, this machine Ray .*; use the same versions on both\.$", address
        )


def test_a_server_that_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")

    def init(*_: object, **__: object) -> None:
        raise ConnectionError("ray client connection timeout\nmore")

    monkeypatch.setattr(ray, "init", init)
    with socket.create_server(("127.0.0.1", 0)) as server:
        _fails("does not answer .ray client connection timeout.; check", f"127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize(
    ("resources", "workers", "device", "expected"),
    [
        ({"CPU": 8.0, "memory": 100e9}, None, None, (8, 1, 0)),
        ({"CPU": 8.0, "memory": 5e9}, None, None, (2, 4, 0)),
        ({"CPU": 8.0, "memory": 100e9}, 2, "cpu", (2, 4, 0)),
        ({"CPU": 8.0, "GPU": 2.0, "memory": 100e9}, None, None, (2, 4, 1)),
        ({"CPU": 8.0, "GPU": 2.0, "memory": 100e9}, None, "cpu", (8, 1, 0)),
        ({"CPU": 8.0, "memory": 100e9}, None, "cuda", r"^No machine of the cluster has a GPU; use --device cpu\.$"),
        ({"CPU": 8.0, "memory": 100e9}, 9, None, "has 8 cores, too few for 9 workers; lower --workers"),
    ],
)
def test_workers_for_the_cores_gpus_and_memory(
    resources: dict[str, float],
    workers: int | None,
    device: str | None,
    expected: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "cluster_resources", lambda: resources)
    if isinstance(expected, str):
        _fails(expected, "local", workers, device)
        return
    with connected("local", workers, device) as cluster:
        assert (cluster.workers, cluster.cores, cluster.gpus) == expected
