"""The visits of the demo: their start, their end, and the deletion of their files."""

import contextlib
import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.session.queue import Client
from stylegan_latents.demo.session.shared import Shared, Texts
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.ops.memory import return_freed_memory

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

_VISITS, _EXAMPLES = "visits", "examples"
_SWEEP_SECONDS = 10.0
_REST_SECONDS = 60.0
_GRACE_OF_EMPTY = 120.0
_MOST_BYTES = 2 << 30


class Studio(Shared):
    """What visits share, and the visits by session.

    Args:
        G, folder, steps, queue_size, per_hour, by_user, model, texts: see ``Shared``.
        grace: seconds from the loss of the connection to the end of a visit; an empty one ends sooner.
        idle: seconds from the last request to the end of a visit.
        unclaimed: seconds after which an upload is deleted.
        most_visits: beyond these, the longest idle visit of the address with the most visits ends.
    """

    def __init__(
        self,
        G: "Generator",
        *,
        folder: Path | None = None,
        steps: int | None = None,
        grace: float = 3600.0,
        idle: float = 6 * 3600.0,
        unclaimed: float = 900.0,
        most_visits: int = 200,
        queue_size: int = 64,
        per_hour: int | None = None,
        by_user: bool = False,
        model: str = "",
        texts: Texts | None = None,
    ) -> None:
        super().__init__(
            G, folder=folder, steps=steps, queue_size=queue_size, per_hour=per_hour, by_user=by_user, model=model,
            texts=texts,
        )  # fmt: skip
        self.examples_folder = self.uploads / _EXAMPLES
        self._grace, self._idle, self._unclaimed, self._most = grace, idle, unclaimed, most_visits
        self._visits: dict[str, Visit] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._sweeper = threading.Thread(target=self._keep_sweeping, name="demo-sweeper", daemon=True)
        self._sweeper.start()

    def enter(self, session: str, address: str = "", user: str = "") -> Visit:
        """The visit of a browser session, a new one if needed.

        Args:
            session: of the browser tab.
            address: of the visitor's machine.
            user: the name of a visitor who has logged in.
        """
        with self._lock:
            visit = self._visits.get(session)
            if visit is None or visit.closed:
                # Whoever knows a file's path can download it, so the name must not be guessable.
                folder = self.uploads / _VISITS / secrets.token_urlsafe(18)
                visit = Visit(self, Client(user if self.by_user else address, session, user), folder)
                self._visits[session] = visit
        visit.touch()
        self._end_surplus()
        return visit

    def find_again(self, session: str, tokens: Sequence[str]) -> Visit:
        """The earlier visit of a browser in place of the new one of its session, if it has not ended.

        Args:
            session: of ``enter``.
            tokens: of the tab's own visit, which is taken even if it seems connected, as after a reload; then of
                other tabs' visits, of which the first with faces and without a connection is taken.
        """
        with self._lock:
            new = self._visits[session]
            for number, token in enumerate(tokens):
                for former, visit in list(self._visits.items()):
                    known = secrets.compare_digest(visit.token.encode(), token.encode())
                    if not known or visit.closed or visit.client.user != new.client.user:
                        continue
                    if visit is new:
                        return new
                    if number == 0 or (visit.left is not None and not visit.empty):
                        del self._visits[former]
                        self._visits[session], visit.client = visit, new.client
                        visit.touch()
                        if visit.current in visit.faces:
                            visit.sent["edit"] = visit.current
                        visit.version += 1
                        new.close()
                        return visit
        return new

    def leave(self, session: str) -> None:
        """Note that a session lost its connection; its visit ends after ``grace``."""
        with self._lock:
            visit = self._visits.get(session)
        if visit is not None:
            visit.left = time.monotonic()

    def sweep(self) -> None:
        """End visits that are over, and delete old uploads."""
        now = time.monotonic()
        with self._lock:
            over = [
                visit
                for visit in self._visits.values()
                if visit.closed
                or (visit.left is not None and now - visit.left > self._grace_of(visit))
                or now - visit.seen > self._idle
            ]
        self._end(over)
        aged = time.time() - self._unclaimed
        for entry in self.uploads.iterdir():
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                if entry.name not in (_VISITS, _EXAMPLES) and entry.stat().st_mtime < aged:
                    shutil.rmtree(entry, ignore_errors=True)

    def forget(self, visit: Visit) -> None:
        """End a visit now, and delete its files."""
        self._end([visit])

    def summary(self) -> str:
        """Who is here and at work, in one line for the terminal."""
        with self._lock:
            here = [visit for visit in self._visits.values() if visit.left is None]
            faces = sum(len(visit.faces) for visit in self._visits.values())
        working = [*self.searches.working, *self.works.working]
        names = ", ".join(printable(client.user or client.address) for client in working)
        waiting = self.searches.waiting + self.works.waiting
        text = f"{len(here)} here, {faces} faces; {len(working)} at work"
        return f"{text}{f' ({names})' if names else ''}, {waiting} waiting"

    def _grace_of(self, visit: Visit) -> float:
        return min(self._grace, _GRACE_OF_EMPTY) if visit.empty else self._grace

    def close(self) -> None:
        """End all visits and delete all files."""
        self._closing.set()
        self._sweeper.join()
        with self._lock:
            visits = list(self._visits.values())
        self._end(visits)
        shutil.rmtree(self.uploads, ignore_errors=True)

    def _end_surplus(self) -> None:
        """End visits beyond the limit, those of the address with the most first."""
        with self._lock:
            # Those who have left go first.
            visits = sorted(self._visits.values(), key=lambda visit: (visit.left is None, visit.seen))
        surplus = []
        while len(visits) > self._most:
            addresses = [visit.client.address for visit in visits]
            most = max(addresses, key=addresses.count)
            surplus.append(visits.pop(addresses.index(most)))
        self._end(surplus)

    def _end(self, visits: list[Visit]) -> None:
        for visit in visits:
            visit.close()
            self.records.forget(visit.files.folder)
            with self._lock:
                if self._visits.get(visit.client.session) is visit:
                    del self._visits[visit.client.session]

    def _keep_sweeping(self) -> None:
        while not self._closing.wait(_SWEEP_SECONDS):
            self.sweep()
            rests = self.computing.idle and time.monotonic() - self.computing.ended > _REST_SECONDS
            # Freed memory is kept for speed, but fragments and grows unless it is returned sometimes.
            return_freed_memory(above=0 if rests else _MOST_BYTES)
