"""What all visitors of the demo share: the loaded generator, its directions, and who computes when."""

import contextlib
import secrets
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.session.names import own_prefix
from stylegan_latents.demo.session.queue import Line
from stylegan_latents.demo.session.records import Records
from stylegan_latents.demo.session.turns import Turns
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.ops.memory import return_freed_memory

if TYPE_CHECKING:
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.generator.generator import Generator


@dataclass(frozen=True)
class Example:
    """One example.

    Attributes:
        title: what it is called.
        picture: a small picture's file.
        seed: of a face that nobody has; None for a photo.
        photo: the photo's file; None for a seed.
    """

    title: str
    picture: Path
    seed: int | None = None
    photo: Path | None = None


_VISITS, _EXAMPLES = "visits", "examples"
_PREVIEW_SIZE = 512
_SWEEP_SECONDS = 10.0
_REST_SECONDS = 60.0
_MOST_BYTES = 2 << 30
_SEARCHES, _WORKS = 1, 2


class Studio:
    """The generator and what belongs to it. It holds nothing of a visitor's but the way to their visit.

    Args:
        G: the generator, float32, on the device to compute on.
        folder: for all temporary files; a new one by default, deleted by ``close``.
        steps: of a search; None for what the quality chosen in the page means.
        grace: seconds after which a visit ends whose browser has gone; a lost connection comes back sooner.
        idle: seconds after which a visit ends in which nothing was asked for.
        unclaimed: seconds after which an upload is deleted.
        most_visits: the longest idle visit ends when there are more.
        queue_size: how many requests of a kind may wait; more are refused.

    Attributes:
        preview_G: draws previews, in bfloat16 where the device computes in it.
        preview_size: their side in pixels, half the model's or 512 if that is less.
        directions: the model's own, bound to it, by name.
        records: of all visits, those kept open.
        turns: held by whoever computes.
        searches, works: where visitors wait for a search, and for other long work.
        examples: what ``examples`` made.
        uploads: Gradio's folder; what visitors upload lies in it, and their visits' folders do.
    """

    def __init__(
        self,
        G: "Generator",
        *,
        folder: Path | None = None,
        steps: int | None = None,
        grace: float = 120.0,
        idle: float = 6 * 3600.0,
        unclaimed: float = 900.0,
        most_visits: int = 200,
        queue_size: int = 64,
    ) -> None:
        from stylegan_latents.editing.directions.catalogue import known_directions
        from stylegan_latents.generator.precision import DTYPES, in_precision, resolve_precision

        self.G = G
        dtype = DTYPES[resolve_precision("auto", G.device)]
        self.preview_G = in_precision(G, dtype)
        half = G.resolution // 2 if G.resolution % 2 == 0 else G.resolution
        self.preview_size = next(
            (half >> i for i in range(half.bit_length()) if half >> i <= _PREVIEW_SIZE and not half % (1 << i)),
            half,
        )
        self.directions: dict[str, Direction] = {
            name: direction.bind(G) for name, direction in known_directions(G.latent_space).items()
        }
        self.records = Records(G, self.preview_G)
        self.turns = Turns()
        self.queue_size = queue_size
        self.searches, self.works = Line(_SEARCHES, queue_size), Line(_WORKS, queue_size)
        self.steps = steps
        self.uploads = Path(tempfile.mkdtemp(prefix=own_prefix(), dir=folder)).resolve()
        self.examples: list[Example] = []
        self.examples_folder = self.uploads / _EXAMPLES
        self._grace, self._idle, self._unclaimed, self._most = grace, idle, unclaimed, most_visits
        self._visits: dict[str, Visit] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._sweeper = threading.Thread(target=self._keep_sweeping, name="demo-sweeper", daemon=True)
        self._sweeper.start()

    def warm_up(self) -> None:
        """Draw a preview of the mean face, so that the first visitor's does not wait for what is done only once."""
        import torch

        with self.turns, torch.inference_mode():
            ws = self.preview_G.w_avg.repeat(1, self.preview_G.num_ws, 1)
            self.preview_G.synthesize(
                ws, size=None if self.preview_size == self.G.resolution else self.preview_size
            )

    def enter(self, session: str) -> Visit:
        """The visit of a browser session: the one that it has already, or a new one."""
        with self._lock:
            visit = self._visits.get(session)
            if visit is None or visit.closed:
                # The folder's name cannot be guessed, as whoever knows a file's path can fetch the file.
                visit = Visit(self, session, self.uploads / _VISITS / secrets.token_urlsafe(18))
                self._visits[session] = visit
        visit.touch()
        self._end_oldest()
        return visit

    def leave(self, session: str) -> None:
        """Note that a session's browser has gone; its visit ends soon unless it comes back."""
        with self._lock:
            visit = self._visits.get(session)
        if visit is not None:
            visit.left = time.monotonic()

    def uploaded(self, path: str) -> Path:
        """An upload's file.

        Raises:
            InputError: there is no such file, or it is none that was uploaded.
        """
        file = Path(path).resolve()
        if not file.is_relative_to(self.uploads) or not file.is_file():
            raise InputError("The upload is not there any more; upload the file again.")
        return file

    def sweep(self) -> None:
        """End visits that are over and delete uploads that nobody can want any more."""
        now = time.monotonic()
        with self._lock:
            over = [
                visit
                for visit in self._visits.values()
                if visit.closed
                or (visit.left is not None and now - visit.left > self._grace)
                or now - visit.seen > self._idle
            ]
        self._end(over)
        aged = time.time() - self._unclaimed
        for entry in self.uploads.iterdir():
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                if entry.name not in (_VISITS, _EXAMPLES) and entry.stat().st_mtime < aged:
                    shutil.rmtree(entry, ignore_errors=True)

    def close(self) -> None:
        """End all visits and delete all files."""
        self._closing.set()
        self._sweeper.join()
        with self._lock:
            visits = list(self._visits.values())
        self._end(visits)
        shutil.rmtree(self.uploads, ignore_errors=True)

    def _end_oldest(self) -> None:
        with self._lock:
            by_age = sorted(self._visits.values(), key=lambda visit: visit.seen)
        self._end(by_age[: max(0, len(by_age) - self._most)])

    def _end(self, visits: list[Visit]) -> None:
        for visit in visits:
            visit.close()
            self.records.forget(visit.files.folder)
            with self._lock:
                if self._visits.get(visit.session) is visit:
                    del self._visits[visit.session]

    def _keep_sweeping(self) -> None:
        while not self._closing.wait(_SWEEP_SECONDS):
            self.sweep()
            rests = self.turns.idle and time.monotonic() - self.turns.ended > _REST_SECONDS
            # Among blocks of many sizes what is kept becomes more and more, if it is not given back sometimes.
            return_freed_memory(above=0 if rests else _MOST_BYTES)
