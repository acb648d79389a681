"""The child process that runs a stranger's network; see ``network_file``, which starts it.

It gets a network and pictures on its standard input and answers with numbers alone, on a pipe that the network
cannot reach. Before the network is read, seccomp takes away every system call that opens a file, a socket or a
process, as far as the system has it, and resource limits bound what is left. The file runs as a script, so it
imports nothing of the package.
"""

import contextlib
import io
import os
import struct
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

REPLY = struct.Struct("<cI")  # kind, and the number of float64 that follow
REQUEST = struct.Struct("<4I")  # the shape of float32 that follow
# Kinds of replies.
READY, UNCONFINED, OPENED, SCORES, UNREADABLE, UNFIT = b"C", b"U", b"O", b"S", b"R", b"F"
MOST_NUMBERS = 1 << 20
PICTURE_SECONDS = 15
_MEMORY = 3 << 30

Run = Callable[[Any], Any]

# What computing takes: memory, threads, clocks, and the pipes that are open. "prlimit64" is for this process alone.
_ALLOWED = (
    "read", "write", "readv", "writev", "close", "lseek", "fstat", "poll", "ppoll", "select", "pselect6",
    "mmap", "mprotect", "munmap", "mremap", "madvise", "brk", "membarrier", "mbind", "get_mempolicy",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "futex", "rseq",
    "set_robust_list", "get_robust_list", "arch_prctl", "sched_yield", "sched_getaffinity", "sched_setaffinity",
    "sched_getparam", "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min", "gettid", "getpid",
    "getppid", "getuid", "geteuid", "getgid", "getegid", "getcpu", "uname", "sysinfo", "getrusage", "getrlimit",
    "times", "time", "gettimeofday", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "getrandom",
    "exit", "exit_group",
)  # fmt: skip
_LOOKING = (
    "stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd",
    "getdents64", "fcntl", "ioctl", "pread64", "fadvise64", "statfs", "fstatfs", "prctl", "seccomp",
)  # fmt: skip
_CLONE_THREAD = 0x10000


def _confine(*, may_read: bool) -> bool:
    """Take away the right to every system call but those of computing; False where the system cannot."""
    if sys.platform != "linux":
        return False
    try:
        from seccompy import Action, ArgCmp, CmpOp, Filter, FilterFlag, supported
        from seccompy.errors import SeccompError
    except ImportError:
        return False
    import errno

    rules = Filter(Action.ERRNO | errno.EPERM, flags=FilterFlag.TSYNC)
    for name in _ALLOWED + (_LOOKING if may_read else ()):
        with contextlib.suppress(ValueError, KeyError):  # not every processor has every call
            rules.allow(name)
    rules.allow("prlimit64", args={0: 0})
    rules.allow("clone", args=[ArgCmp(0, CmpOp.MASKED_EQ, _CLONE_THREAD, mask=_CLONE_THREAD)])
    # glibc falls back to clone, whose flags a filter can see.
    rules.errno("clone3", errno.ENOSYS)
    if may_read:
        writing = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
        for name, flags in (("open", 1), ("openat", 2)):
            with contextlib.suppress(ValueError, KeyError):
                rules.allow(name, args=[ArgCmp(flags, CmpOp.MASKED_EQ, os.O_RDONLY, mask=writing)])
    try:
        if not supported():
            return False
        rules.load()
    except (SeccompError, OSError):
        return False
    return True


def _limit(size: int) -> None:
    """Bound the memory, and forbid to write files, where the system counts them."""
    if sys.platform == "win32":
        return
    import resource

    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0}
    if sys.platform == "linux":
        with open("/proc/self/statm") as file:  # noqa: PTH123 - a number of the kernel's
            used = int(file.read().split()[0]) * resource.getpagesize()
        limits[resource.RLIMIT_AS] = used + _MEMORY + 4 * size
    for limit, value in limits.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))


def _forbid_files() -> None:
    """Allow no file or socket but those that are open."""
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _limit_time(threads: int) -> None:
    """End this process if it computes on and on, also when nobody is left to end it."""
    if sys.platform != "win32":
        import resource

        seconds = int(time.process_time()) + 4 * PICTURE_SECONDS * threads
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _open_torchscript(content: bytes) -> tuple[Run, list[float]]:
    import torch

    module = torch.jit.load(io.BytesIO(content), map_location="cpu").eval()  # type: ignore[no-untyped-call]

    def run(pixels: Any) -> Any:
        with torch.inference_mode():
            given = module(torch.from_numpy(pixels))
        if isinstance(given, dict):
            given = given["logits"] if "logits" in given else next(iter(given.values()))
        while isinstance(given, tuple | list):
            given = given[0]
        if given.numel() > MOST_NUMBERS:
            raise ValueError("too many numbers")
        return given.double().numpy()

    return run, []


def _open_onnx(path: str) -> tuple[Run, list[float]]:
    """The network, and how many inputs it has, whether they are float32, and the sides of the first, -1 if open."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    sides = [float(side) if isinstance(side, int) else -1.0 for side in inputs[0].shape]
    name = inputs[0].name

    def run(pixels: Any) -> Any:
        return session.run(None, {name: pixels})[0]

    return run, [float(len(inputs)), float(inputs[0].type == "tensor(float)"), *sides]


def _warm_up(torch_too: bool) -> None:
    """Load what computing needs while files may still be opened."""
    if not torch_too:
        import onnxruntime  # noqa: F401

        return
    import torch
    from torch import nn

    warnings.simplefilter("ignore")
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)).eval()
    picture = torch.zeros(1, 3, 8, 8)
    network(picture)
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(network, picture), buffer)  # type: ignore[no-untyped-call]
    run, _ = _open_torchscript(buffer.getvalue())
    for _ in range(3):  # the second call optimises
        run(picture.numpy())


def _exactly(stream: BinaryIO, count: int) -> bytes:
    content = stream.read(count)
    if len(content) < count:
        sys.exit()
    return content


def _serve(requests: BinaryIO, replies: BinaryIO, kind: str, path: str) -> None:
    import numpy as np

    def reply(kind: bytes, numbers: Any = ()) -> None:
        values = np.asarray(numbers, dtype=np.float64).reshape(-1)
        replies.write(REPLY.pack(kind, values.size) + values.tobytes())
        replies.flush()

    is_onnx = kind == "onnx"
    size = int.from_bytes(_exactly(requests, 8), "little")
    _warm_up(torch_too=not is_onnx)
    _limit(size)
    confined = _confine(may_read=is_onnx)
    if not is_onnx:
        _forbid_files()
    reply(READY if confined else UNCONFINED)
    threads = os.cpu_count() or 1
    content = b"" if is_onnx else _exactly(requests, size)
    _limit_time(threads)
    try:
        run, about = _open_onnx(path) if is_onnx else _open_torchscript(content)
    except BaseException:
        reply(UNREADABLE)
        return
    del content
    if is_onnx:
        if confined and not _confine(may_read=False):
            return
        _forbid_files()
    reply(OPENED, about)
    while head := requests.read(REQUEST.size):
        shape = REQUEST.unpack(head)
        pixels = np.frombuffer(bytearray(_exactly(requests, 4 * int(np.prod(shape)))), np.float32).reshape(shape)
        _limit_time(threads)
        try:
            scores = np.asarray(run(pixels), dtype=np.float64)
            if scores.size > MOST_NUMBERS:
                raise ValueError("too many numbers")
        except BaseException:
            reply(UNFIT)
        else:
            reply(SCORES, scores)


def _main() -> None:
    # What a network prints goes nowhere: its own answers have a pipe of their own.
    replies = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    with contextlib.suppress(BrokenPipeError):
        _serve(sys.stdin.buffer, replies, sys.argv[1], sys.argv[2])


if __name__ == "__main__":
    _main()
