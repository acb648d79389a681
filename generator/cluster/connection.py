"""A Ray cluster: the cores and GPUs of this machine, or of many (Moritz et al. 2018, "Ray")."""

import contextlib
import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from stylegan_latents.generator.errors import InputError

LOCAL = "local"
_ADDRESS = re.compile(r"(?:ray://)?([\w.-]+|\[[\da-fA-F:]+\]):(\d{1,5})")
_CONNECT_SECONDS = 10
_WORKER_BYTES = 2 << 30  # of memory: PyTorch, a generator of 1024 pixels and its gradients
_CURRENT: "ContextVar[Cluster | None]" = ContextVar("cluster", default=None)
_STORE_BYTES = 100_000_000  # of shared memory; results and models beyond it go to the disk


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """Options that share a command's work among workers."""

    panel: ClassVar[str] = "Cluster"

    cluster: Annotated[
        str | None,
        typer.Option(
            help="Share the work among this machine's cores or GPUs; with an address, such as ray://head:10001, "
            "among the machines of that Ray cluster. RAY_ADDRESS is the default address.",
            metavar="[ADDRESS]",
        ),
    ] = None
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Workers of the cluster; one for each GPU, or else each core, by default."),
    ] = None

    def __post_init__(self) -> None:
        self.check_cluster()

    def check_cluster(self) -> None:
        """Raise InputError for workers without a cluster, and for what is no address."""
        if self.workers is not None and self.cluster is None:
            raise InputError("--workers is for a cluster; add --cluster.")
        if self.cluster is not None:
            host_of(self.cluster)


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is connected to.

    Attributes:
        workers: their number.
        cores: of each worker.
        gpus: of each worker, 0 or 1.
    """

    workers: int
    cores: float = 1
    gpus: float = 0

    def __str__(self) -> str:
        return "1 worker" if self.workers == 1 else f"{self.workers} workers"


def with_address(arguments: Sequence[str]) -> list[str]:
    """A command line in which every ``--cluster`` has a value: ``local`` where no address follows."""
    found: list[str] = []
    for index, word in enumerate(arguments):
        found.append(word)
        following = arguments[index + 1] if index + 1 < len(arguments) else ""
        if word == "--cluster" and not (following == LOCAL or re.match(r"ray:|[\w.-]+:\d+$", following)):
            found.append(os.environ.get("RAY_ADDRESS") or LOCAL)
    return found


def host_of(address: str) -> tuple[str, int] | None:
    """Host and port of an address; None for this machine. InputError for anything else."""
    if address == LOCAL:
        return None
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise InputError(f"A cluster's address is such as ray://head:10001, not '{address}'.")
    return match[1].strip("[]"), int(match[2])


@contextlib.contextmanager
def connected(address: str = LOCAL, workers: int | None = None, device: str | None = None) -> Iterator[Cluster]:
    """Connect to a cluster; one of this machine is started, and ended with the block.

    Args:
        address: see ``ClusterOptions``.
        workers: their number; None for one for each GPU, or else each core that has memory for a model.
        device: of the workers; None for a GPU each, if the cluster has any.

    Raises:
        InputError: Ray is missing, there is no such cluster, it has another version of Ray or Python, or it has no
            room for as many workers or none of its machines has such a device.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray: Any = import_module("ray")
    except ImportError as error:
        raise InputError('A cluster needs Ray; run `pip install "stylegan-latents[cluster]"`.') from error
    with contextlib.ExitStack() as stack:
        # A program that uses this package as a library may be connected already.
        if not ray.is_initialized():
            stack.callback(ray.shutdown)
            _connect(ray, address, stack)
        cluster = _cluster(ray.cluster_resources(), address, workers, device)
        stack.callback(_CURRENT.reset, _CURRENT.set(cluster))
        yield cluster


def current() -> Cluster | None:
    """The cluster of the ``connected`` block that this is in."""
    return _CURRENT.get()


@contextlib.contextmanager
def on_cluster(options: ClusterOptions, device: str | None) -> Iterator[None]:
    """``connected``, if the options name a cluster."""
    if options.cluster is None:
        yield
        return
    with connected(options.cluster, options.workers, device):
        yield


def _connect(ray: Any, address: str, stack: contextlib.ExitStack) -> None:
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    host = host_of(address)
    if host is None:
        folder = None
        # The names of sockets in it have to be short.
        if sys.platform != "win32" and Path("/tmp").is_dir():
            folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.callback(ray.shutdown)  # before the folder is removed
        ray.init(LOCAL, include_dashboard=False, object_store_memory=_STORE_BYTES, _temp_dir=folder, **quiet)
        return
    try:
        socket.create_connection(host, timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise InputError(
            f"There is no cluster at {address} ({error.strerror or error}); start one with `ray start --head`, or "
            "leave the address out."
        ) from error
    try:
        ray.init(address, **quiet)
    except Exception as error:  # of Ray, gRPC or the network, by version
        raise InputError(_reason(str(error), address, ray.__version__)) from error


def _reason(text: str, address: str, version: str) -> str:
    """Why Ray could not connect, in one sentence."""
    if re.search(r"version mismatch|python.*version|ray.*version", text, re.IGNORECASE):
        theirs = re.search(r"started with:\s+Ray: (\S+)\s+Python: (\S+)", text)
        has = f"has Ray {theirs[1]} and Python {theirs[2]}" if theirs else "has another version of Ray or Python"
        ours = f"Ray {version} and Python {sys.version.split()[0]}"
        return f"The cluster at {address} {has}, this machine {ours}; use the same versions on both."
    first = next((line.strip() for line in text.splitlines() if line.strip()), "no answer").rstrip(".")
    return f"The cluster at {address} does not answer ({first[:200]}); check the address and `ray status` there."


def _cluster(total: dict[str, float], address: str, workers: int | None, device: str | None) -> Cluster:
    cores, gpus = int(total.get("CPU", 0)), int(total.get("GPU", 0))
    on_gpus = gpus > 0 if device in (None, "auto") else str(device).startswith("cuda")
    if on_gpus and not gpus:
        raise InputError("No machine of the cluster has a GPU; use --device cpu.")
    room = gpus if on_gpus else cores
    workers = workers or max(1, min(room, int(total.get("memory", 0) // _WORKER_BYTES) or room))
    if workers > room:
        units = "GPUs" if on_gpus else "cores"
        raise InputError(f"The cluster has {room} {units}, too few for {workers} workers; lower --workers.")
    # On one machine idle cores can be shared out; how those of several are spread is not known.
    each = max(1, cores // workers) if address == LOCAL else 1
    return Cluster(workers, each, 1 if on_gpus else 0)
