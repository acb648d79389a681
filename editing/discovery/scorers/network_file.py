"""Networks in files, ONNX and TorchScript, as functions from pixels to numbers in a process without rights.

A network from somewhere is a program: TorchScript has operators that read and write files, and either kind can
compute without end. So it runs in a child process, ``network_process``, which cannot open a file, connect or start
anything where the system has seccomp (Linux), and whose memory and time are bounded everywhere.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from stylegan_latents.editing.discovery.scorers import network_process as child
from stylegan_latents.editing.discovery.scorers.scorer import Array
from stylegan_latents.generator.errors import InputError

_START_SECONDS, _OPEN_SECONDS, _BYTES_A_SECOND = 180, 15, 20_000_000
# Of the environment, what Python and its libraries are found by, and the number of threads.
_ENVIRONMENT = (
    "PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT",
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "HOME", "USERPROFILE", "APPDATA", "LANG",
)  # fmt: skip


class Run(Protocol):
    """float32 ``[1, 3, height, width]``, or channels last, to what a network gives, float64 ``[numbers]``."""

    def __call__(self, pixels: npt.NDArray[np.float32], /) -> Array: ...


@dataclass(frozen=True)
class Network:
    """A network, and what its file says of its pictures.

    Attributes:
        run: pixels to numbers; from any thread.
        channels_last: whether the channels come last; None where the file leaves that open.
        size: height and width; None for what the file leaves open.
    """

    run: Run
    channels_last: bool | None = None
    size: tuple[int | None, int | None] = (None, None)


def open_network(path: Path, *, trusted: bool = False) -> Network:
    """Read ``.onnx``, or TorchScript under any other name.

    Of several outputs the first is taken, or the one that is called ``logits``.

    Args:
        path: of the file.
        trusted: whether a TorchScript network may run where the system has no sandbox for it.

    Raises:
        InputError: the file is no such network, takes something else than one float32 picture, takes more memory
            or time than there is, or is TorchScript without a sandbox and without trust.
    """
    is_onnx = path.suffix == ".onnx"
    if is_onnx and find_spec("onnxruntime") is None:
        raise InputError(f"{path.name} needs onnxruntime; run pip install 'stylegan-latents[discovery]'.")
    process = _Process(path, is_onnx, trusted)
    if not is_onnx:
        return Network(process.run)
    inputs, is_float, *sides = process.about
    shape = [int(side) if side >= 0 else None for side in sides]
    first, last = (_is_three(shape[axis]) if len(shape) == 4 else False for axis in (1, 3))
    if inputs != 1 or (first is False and last is False):
        shown = f"{shape}".replace("None", "any")
        more = f" and {inputs - 1:g} more" if inputs > 1 else ""
        raise InputError(f"{path.name} takes {shown}{more}, not one picture of three channels.")
    if not is_float:
        raise InputError(f"{path.name} does not take float32; export it with float32 pictures.")
    channels_last = False if first or last is False else True if last or first is False else None
    height, width = (shape[1], shape[2]) if channels_last else (shape[2], shape[3])
    return Network(process.run, channels_last, (height, width))


def _is_three(side: int | None) -> bool | None:
    """Whether an axis has three entries; None for one that the export left open."""
    return None if side is None else side == 3


class _Process:
    """A network in a process of its own.

    Attributes:
        about: the numbers that the process reports.
    """

    def __init__(self, path: Path, is_onnx: bool, trusted: bool) -> None:
        self._name, self._lock = path.name, threading.Lock()
        kind = "an ONNX" if is_onnx else "a TorchScript"
        try:
            size = path.stat().st_size
            content = b"" if is_onnx else path.read_bytes()
        except OSError as error:
            raise InputError(f"{path.name} cannot be read: {error.strerror}.") from error
        folder = tempfile.TemporaryDirectory(prefix="scorer-", ignore_cleanup_errors=True)
        command = [sys.executable, "-P", child.__file__, "onnx" if is_onnx else "torchscript", str(path.absolute())]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder.name,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )  # fmt: skip
        self.close = weakref.finalize(self, _end, self._child, folder)
        unreadable = f"{self._name} cannot be read as {kind} network"
        started, _ = self._ask(size.to_bytes(8, "little"), _START_SECONDS, "The process for it did not start")
        if started == child.UNCONFINED and not is_onnx and not trusted:
            self.close()
            raise InputError(
                f"{path.name} is TorchScript, a program that can read and write files, and this system has no "
                "sandbox for it; export it to ONNX, or add --trust-scorer if you trust whoever made it."
            )
        seconds = _OPEN_SECONDS + size // _BYTES_A_SECOND
        opened, self.about = self._ask(content, seconds, unreadable)
        if opened != child.OPENED:
            self.close()
            raise InputError(f"{unreadable}.")

    def run(self, pixels: npt.NDArray[np.float32], /) -> Array:
        """See ``Run``."""
        shown = f"a picture of {list(pixels.shape)}"
        request = child.REQUEST.pack(*pixels.shape) + np.ascontiguousarray(pixels, dtype="<f4").tobytes()
        with self._lock:
            kind, numbers = self._ask(request, child.PICTURE_SECONDS, f"{self._name} cannot score {shown}")
        if kind != child.SCORES:
            raise InputError(f"{self._name} cannot take {shown}, or gives no numbers for it.")
        return numbers

    def _ask(self, request: bytes, seconds: int, failure: str) -> tuple[bytes, Array]:
        """Send a request and wait for the reply; the process is ended if that takes too long."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._child.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        requests, replies = self._child.stdin, self._child.stdout
        assert requests is not None
        assert replies is not None
        try:
            with contextlib.suppress(BrokenPipeError, OSError):
                requests.write(request)
                requests.flush()
            head = replies.read(child.REPLY.size)
            kind, count = child.REPLY.unpack(head) if len(head) == child.REPLY.size else (b"", 0)
            content = replies.read(8 * count) if count <= child.MOST_NUMBERS else b""
        finally:
            timer.cancel()
        if kind and len(content) == 8 * count:
            return kind, np.frombuffer(content, dtype="<f8").astype(np.float64)
        self.close()
        reason = f"it computes for more than {seconds} seconds" if late.is_set() else "its process ended"
        if not late.is_set():
            reason += ", as it does when it takes too much memory"
        raise InputError(f"{failure}: {reason}.")


def _end(process: "subprocess.Popen[bytes]", folder: "tempfile.TemporaryDirectory[str]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    folder.cleanup()
