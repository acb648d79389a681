"""Runs readers over hostile files in child processes and says what each did.

A reader has to read a file or to refuse it by ``InputError``, in one printable sentence: it may execute nothing,
connect to nothing, hang no longer than 20 s, end by no signal, and take no more than 2.2 times the file plus 200
MB, and 10 s of processor time. Many files share a child, as starting one takes seconds; a file that ends its child
is told, and the rest goes on in another.
"""

import contextlib
import json
import os
import queue
import resource
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stylegan_latents.generator.errors import InputError

LONGEST = 20.0
"""Seconds after which a reader hangs."""

_MOST_SECONDS = 10.0
_ROOM = 200_000_000
_ADDRESSES = 6 << 30  # beyond what a child has after its imports: a safety net, far above the bound
_FORBIDDEN = (
    "ctypes.dlopen", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn", "socket.bind",
    "socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "webbrowser.open",
)  # fmt: skip
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Case:
    """A file for a reader.

    Attributes:
        reader: its name in ``tests.hostile.readers.READERS``.
        path: of the file or folder.
        cut_after: seconds after which the file is cut to half, while it is read; None to leave it whole.
    """

    reader: str
    path: Path
    cut_after: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What a reader did.

    Attributes:
        case: reader and file.
        outcome: ``read``, ``refused``, ``crashed``, ``hung`` or ``killed``.
        message: the sentence of a refusal, or the traceback.
        seconds: of processor time.
        memory: the peak beyond what was in use before, in bytes.
        size: of the file.
        forbidden: what it executed or connected to.
    """

    case: Case
    outcome: str
    message: str = ""
    seconds: float = 0.0
    memory: int = 0
    size: int = 0
    forbidden: tuple[str, ...] = ()

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words; nothing for a file that was read or refused as it should be."""
        found = [f"did {event}" for event in self.forbidden]
        if self.outcome not in ("read", "refused"):
            found.append(f"{self.outcome}: {self.message[-600:]}")
        elif self.outcome == "refused" and not (self.message.isprintable() and 0 < len(self.message) < 600):
            found.append(f"no printable sentence: {self.message!r}"[:800])
        if self.memory > 2.2 * self.size + _ROOM:
            found.append(f"took {self.memory / 1e6:.0f} MB for a file of {self.size:,} bytes")
        if self.seconds > _MOST_SECONDS:
            found.append(f"took {self.seconds:.1f} s")
        return [f"{self.case.reader} {self.case.path.name}: {fault}" for fault in found]


def run(cases: Iterable[Case], marker: Path | None = None) -> list[Verdict]:
    """Give each file to its reader.

    Args:
        cases: the files.
        marker: a file that only executed code of a hostile file would make.
    """
    left = list(cases)
    verdicts: list[Verdict] = []
    while left:
        done = list(_child(left, marker))
        verdicts += done
        left = left[len(done) :]
    return verdicts


def faults(cases: Iterable[Case], marker: Path | None = None) -> list[str]:
    """What is wrong with how the files are read; see ``Verdict.faults``."""
    return [fault for verdict in run(cases, marker) for fault in verdict.faults]


def _child(cases: list[Case], marker: Path | None) -> Iterator[Verdict]:
    """Verdicts of one child: of all files, or up to the one that ended it."""
    job = json.dumps(
        {"marker": str(marker or ""), "cases": [{**asdict(c), "path": os.fspath(c.path)} for c in cases]}
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.harness"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=_ROOT,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(job)
        process.stdin.close()
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_forward, args=(process.stdout, lines), daemon=True).start()
        lines.get()  # its imports are done
        for case in cases:
            line = _answer(lines, process.pid)
            if line is None:
                process.kill()
                yield Verdict(case, "hung", f"no answer within {LONGEST:.0f} s")
                return
            if not line:
                yield Verdict(case, "killed", f"ended with status {process.wait()}")
                return
            values = json.loads(line)
            yield Verdict(case, **{**values, "forbidden": tuple(values["forbidden"])})


def _answer(lines: "queue.Queue[str]", child: int) -> str | None:
    """The next line of a child, or None if it hangs: it waits, or has computed for too long, not merely queued."""
    first = used = _processor_seconds(child)
    while True:
        try:
            return lines.get(timeout=LONGEST)
        except queue.Empty:
            before, used = used, _processor_seconds(child)
            if used - before < 0.05 or used - first > LONGEST:
                return None


def _processor_seconds(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _forward(lines: Iterable[str], to: "queue.Queue[str]") -> None:
    with contextlib.suppress(ValueError):  # closed, after the child was ended
        for line in lines:
            to.put(line)
    to.put("")


def _status(name: str) -> int:
    """A value of /proc/self/status, in bytes."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(f"{name}:"))


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size if path.is_file() else 0


def _cut(path: Path, after: float) -> None:
    time.sleep(after)
    os.truncate(path, path.stat().st_size // 2)


def _one(case: Case, reader: Callable[[Path], object], events: list[str]) -> dict[str, Any]:
    events.clear()
    size = _size(case.path)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is counted anew
    before, started = _status("VmRSS"), time.process_time()
    if case.cut_after is not None:
        threading.Thread(target=_cut, args=(case.path, case.cut_after), daemon=True).start()
    outcome, message = "read", ""
    try:
        reader(case.path)
    except InputError as error:
        outcome, message = "refused", str(error)
    except BaseException:
        outcome, message = "crashed", traceback.format_exc(limit=-8)
    return {
        "outcome": outcome,
        "message": message,
        "seconds": time.process_time() - started,
        "memory": max(_status("VmHWM") - before, 0),
        "size": size,
        "forbidden": list(dict.fromkeys(events))[:5],
    }


def main() -> None:
    """The child: reads its job from standard input, and writes a line after its imports and after each file."""
    job = json.loads(sys.stdin.read())
    from tests.hostile.readers import READERS, prepare

    prepare({case["reader"] for case in job["cases"]})
    limit = _status("VmSize") + _ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    events: list[str] = []
    sys.addaudithook(lambda event, _arguments: events.append(event) if event in _FORBIDDEN else None)
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what readers print is no verdict
    print("ready", file=output, flush=True)
    marker = Path(job["marker"]) if job["marker"] else None
    for values in job["cases"]:
        case = Case(values["reader"], Path(values["path"]), values["cut_after"])
        verdict = _one(case, READERS[case.reader], events)
        if marker is not None and marker.exists():
            marker.unlink()
            verdict["forbidden"].append("execute the file's code")
        print(json.dumps(verdict), file=output, flush=True)


if __name__ == "__main__":
    main()
