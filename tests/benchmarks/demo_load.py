"""30 scripted visitors use the browser demo at once, with good and bad uploads, and every answer is checked.

python -m tests.benchmarks.demo_load --seconds 180
python -m tests.benchmarks.demo_load --seconds 180 --greedy 40

Serves the default model in a process of its own. Each visitor comes, takes faces of their own seeds, moves
sliders, draws full pictures, uploads a photo, a broken one or a file of something else, opens a record, sends
one that would run code, and leaves; then another one comes. A picture is an answer to the right question when
it is the one that the library draws of that visitor's seed and strengths.

With ``--greedy`` one more visitor holds that many sessions, each of which asks for pictures without a pause. Every
visitor comes from an address of its own of the loopback network, as in a classroom.
"""

import argparse
import collections
import io
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from stylegan_latents.demo.session.examples import SEEDS
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.editing.directions.catalogue import known_directions
from stylegan_latents.generator.loading import load
from tests.demo.client import AnswerError, Visitor
from tests.demo.small_studio import free_port
from tests.photos import ASTRONAUT

DIRECTIONS = list(known_directions("stylegan2-ffhq-w"))
HIDDEN = 8
_PHOTO = ASTRONAUT
_SEEDS = range(100, 112)
_STRENGTHS = (-2.0, 2.0)
# Two pictures of one face and edit differ by rounding and JPEG alone; of two seeds or edits by far more.
_SAME, _SIDE = 6.0, 64


@dataclass
class Tally:
    """What happened."""

    done: collections.Counter[str] = field(default_factory=collections.Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))


def small(picture: Image.Image) -> np.ndarray:
    """A picture as it is compared."""
    return np.asarray(picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX), dtype=np.float32)


def expected(folder: Path) -> tuple[dict[tuple[int, str, float], np.ndarray], dict[int, Path]]:
    """What each question is answered with: pictures by seed, direction and strength; and the seeds' records."""
    from stylegan_latents.editing.samples.sampling import Sampling

    studio = Studio(load(), folder=folder)
    pictures, records = {}, {}
    sampling = Sampling()
    for seed in _SEEDS:
        path = folder / f"known{seed}.inversion.safetensors"
        sampling.record(studio.G, seed, sampling.codes(studio.G, [seed])).save(path)
        records[seed] = path
        opened = studio.records.open(path)[1]
        for name in DIRECTIONS[:3]:
            for strength in _STRENGTHS:
                drawn = opened.edited([(studio.directions[name], strength)], size=studio.preview_size).picture
                pictures[seed, name, strength] = small(drawn)
    studio.close()
    return pictures, records


class Script:
    """One scripted visitor after the other, until the time is over."""

    def __init__(
        self,
        address: str,
        number: int,
        pictures: dict[tuple[int, str, float], np.ndarray],
        records: dict[int, Path],
        tally: Tally,
        until: float,
    ) -> None:
        self.address, self.pictures, self.records, self.tally, self.until = address, pictures, records, tally, until
        self.chance = random.Random(number)
        self.source = f"127.0.1.{number + 1}" if sys.platform == "linux" else None
        self.moved: str | None = None

    def run(self) -> None:
        while time.monotonic() < self.until:
            try:
                self.visit()
            except httpx.HTTPError as error:
                self.tally.wrong.append(f"no answer: {type(error).__name__}: {error}")

    def visit(self) -> None:
        visitor, self.moved = Visitor(self.address, timeout=170, source=self.source), None
        visitor.stay()
        try:
            seed = self.chance.choice(_SEEDS)
            record = visitor.uploaded(self.records[seed].name, self.records[seed].read_bytes())
            self.ask("open a record", lambda: visitor.call("record", record))
            for _ in range(self.chance.randint(2, 5)):
                if time.monotonic() > self.until:
                    break
                self.chance.choice(
                    [self.slide, self.slide, self.draw, self.photo, self.bad, self.evil, self.explore]
                )(visitor, seed)
        finally:
            visitor.leave()

    def ask(self, what: str, question: Callable[[], object], refused: str | None = None) -> object:
        """Ask, and count the answer; with ``refused``, an error with these words is the right one."""
        begun = time.monotonic()
        try:
            answer = question()
        except AnswerError as error:
            if refused is None or refused not in str(error):
                self.tally.wrong.append(f"{what}: {error}")
                return None
            answer = error
        else:
            if refused is not None:
                self.tally.wrong.append(f"{what}: was not refused")
        self.tally.done[what] += 1
        self.tally.seconds[what].append(time.monotonic() - begun)
        return answer

    def compare(self, what: str, visitor: Visitor, path: str, key: tuple[int, str, float]) -> None:
        picture = small(Image.open(io.BytesIO(visitor.fetch(path).content)))
        distance = float(np.sqrt(np.mean((picture - self.pictures[key]) ** 2)))
        if distance > _SAME:
            self.tally.wrong.append(f"{what}: another picture than asked for ({distance:.1f} levels from {key})")

    def slide(self, visitor: Visitor, seed: int) -> None:
        face, name, strength = f"known{seed}", self.chance.choice(DIRECTIONS[:3]), self.chance.choice(_STRENGTHS)
        before = self.moved
        if before not in (None, name):
            self.ask("preview", lambda: visitor.call(f"preview_{before}", face, "Face", 0.0))
        answer = self.ask("preview", lambda: visitor.call(f"preview_{name}", face, "Face", strength))
        self.check_edit("preview", visitor, answer, (seed, name, strength))

    def draw(self, visitor: Visitor, seed: int) -> None:
        name, strength = self.chance.choice(DIRECTIONS[:3]), self.chance.choice(_STRENGTHS)
        values = [strength if one == name else 0.0 for one in DIRECTIONS] + [0.0] * HIDDEN
        answer = self.ask("draw", lambda: visitor.call("draw", f"known{seed}", "Face", *values))
        self.check_edit("draw", visitor, answer, (seed, name, strength))

    def check_edit(self, what: str, visitor: Visitor, answer: object, key: tuple[int, str, float]) -> None:
        self.moved = key[1]
        if isinstance(answer, list):
            self.compare(what, visitor, answer[0][1]["path"], key)

    def photo(self, visitor: Visitor, _seed: int) -> None:
        upload = visitor.uploaded("astronaut.jpg", _PHOTO.read_bytes())
        self.ask("good photo", lambda: visitor.call("photo", upload, True))

    def bad(self, visitor: Visitor, _seed: int) -> None:
        name, content, words = self.chance.choice(
            [
                ("text.png", b"no picture" * 100, "is not a picture"),
                ("cut.jpg", _PHOTO.read_bytes()[:9000], "is damaged"),
                ("noise.png", _noise(self.chance.randrange(2**31)), "No face was found"),
                ("empty.png", b"", "is empty"),
            ]
        )
        upload = visitor.uploaded(name, content)
        self.ask("bad photo", lambda: visitor.call("photo", upload, True), refused=words)

    def evil(self, visitor: Visitor, _seed: int) -> None:
        if visitor.fetch("/etc/passwd").status_code == 200:
            self.tally.wrong.append("a file of the server was served")
        upload = visitor.uploaded("evil.safetensors", pickle.dumps(print))
        self.ask("bad record", lambda: visitor.call("record", upload), refused="no record")

    def explore(self, visitor: Visitor, _seed: int) -> None:
        first = self.chance.randrange(1000)
        answer = self.ask("explore", lambda: visitor.call("explore", first, 0.7))
        if isinstance(answer, list) and answer[0][0]["caption"] != f"seed {first}":
            self.tally.wrong.append("explore: another visitor's seeds")


def take_everything(address: str, until: float) -> None:
    """One session of a visitor who wants every place: full pictures without a pause, whatever is answered."""
    while time.monotonic() < until:
        try:
            visitor = Visitor(address, timeout=170, source="127.0.2.1" if sys.platform == "linux" else None)
            visitor.stay()
            try:
                visitor.call("example", event_data={"index": 1, "value": None})
                face = f"seed{SEEDS[0]}"
                while time.monotonic() < until:
                    visitor.call(
                        "draw", face, "Face", *[random.uniform(-2, 2) for _ in DIRECTIONS], *[0.0] * HIDDEN
                    )
            finally:
                visitor.leave()
        except (AnswerError, httpx.HTTPError):
            time.sleep(0.1)


def _noise(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (160, 160, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def resident_megabytes(process: int) -> float:
    """Physical memory of a process, on Linux."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--greedy", type=int, default=0, help="sessions of the greedy visitor")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        pictures, records = expected(Path(name))
        port = free_port()
        command = [sys.executable, "-m", "stylegan_latents.demo", "--port", str(port), "--queue-size", "200"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                address = server.stdout.readline().split(" at ")[1].split(" ")[0]
                tally = Tally()
                until = time.monotonic() + arguments.seconds
                threads = [
                    threading.Thread(target=Script(address, i, pictures, records, tally, until).run)
                    for i in range(arguments.visitors)
                ]
                threads += [
                    threading.Thread(target=take_everything, args=(address, until)) for _ in range(arguments.greedy)
                ]
                for thread in threads:
                    thread.start()
                memory = []
                while any(thread.is_alive() for thread in threads):
                    memory.append(resident_megabytes(server.pid))
                    time.sleep(1)
                up = server.poll() is None and httpx.get(address, trust_env=False).status_code == 200
            finally:
                server.send_signal(signal.SIGTERM)
    for what, count in sorted(tally.done.items()):
        times = sorted(tally.seconds[what])
        print(f"{what}: {count} answers, median {times[len(times) // 2]:.1f} s, longest {times[-1]:.1f} s")
    waits = sorted(seconds for times in tally.seconds.values() for seconds in times)
    print(f"all: {len(waits)} answers, median {waits[len(waits) // 2]:.2f} s")
    half = len(memory) // 2
    print(f"memory: {memory[0]:.0f} MB at first, at most {max(memory[:half]):.0f} MB in the first half, "
          f"{max(memory[half:]):.0f} MB in the second")  # fmt: skip
    print(f"server up: {'yes' if up else 'no'}; wrong or lost answers: {len(tally.wrong)}")
    for line, count in collections.Counter(tally.wrong).most_common(20):
        print(f"  {count} x {line}")
    sys.exit(bool(tally.wrong) or not up)


if __name__ == "__main__":
    main()
