"""A run over photos: in batches, past bad ones, with what was bad said at the end."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.command import DONE, STOPPED, WRONG_INPUT, is_disk_full, warn
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.commands.jobs import Job, Prepared
from stylegan_latents.invert.commands.messages import (
    describe_files,
    describe_metrics,
    describe_partial,
    suggest_edit,
    suggest_evaluation,
)
from stylegan_latents.invert.commands.session import Session
from stylegan_latents.invert.commands.settings import Settings, SettingsError
from stylegan_latents.invert.faces.landmarks_file import landmarks_of_photos

if TYPE_CHECKING:
    from stylegan_latents.invert.record.inversion import Inversion


def run_jobs(jobs: Sequence[Job], settings: Settings) -> int:
    """Do every job, or those of the settings' shard, and say how it went.

    Returns:
        The exit status: done, stopped by Ctrl-C with codes kept, or wrong input where photos could not be inverted.

    Raises:
        InputError: the only photo could not be inverted, no photo can be with these settings, or the disk is full.
        KeyboardInterrupt: Ctrl-C. What was done before is kept, in the report, too.
    """
    given = landmarks_of_photos(settings.landmarks, [job.photo for job in jobs]) if settings.landmarks else {}
    session = Session(settings, several=len(jobs) > 1, given=given)
    every, jobs = len(jobs), [job for job in jobs if settings.is_own(job.stem)]
    if not jobs:
        if not settings.quiet:
            print(f"None of the {every} photos is in shard {settings.shard}")
        return DONE
    run = _Run(session, len(jobs))
    with contextlib.closing(session.claims), _reporting(session):
        run.all(jobs)
    _say_diverged(run.diverged, len(jobs), settings)
    if session.stopped:
        return STOPPED
    if session.skipped and not settings.quiet:
        print(f"Skipped {len(session.skipped)} already done; --overwrite does them again")
    last = run.last or (session.skipped[-1] if session.skipped else None)
    if last is not None and not settings.quiet:
        suggestion = suggest_edit(last, session.generator, settings.model, "--direction pose --strength 2")
        print(printable(suggestion))
    if not run.bad:
        return DONE
    print(f"invert: {len(run.bad)} of {len(jobs)} photos could not be inverted:", file=sys.stderr)
    for sentence in run.bad:
        print(printable(f"  {sentence}"), file=sys.stderr)
    return WRONG_INPUT


def _say_diverged(diverged: Sequence[str], photos: int, settings: Settings) -> None:
    """Name the photos whose search diverged, where there are more lines than theirs or none was printed."""
    if not diverged or (photos == 1 and not settings.quiet):
        return
    warn("invert", "the best code before is kept where the search diverged:")
    for sentence in diverged:
        print(printable(f"  {sentence}"), file=sys.stderr)


class _Run:
    """What has been done, what was bad or diverged, and what waits for its batch to be full."""

    def __init__(self, session: Session, count: int) -> None:
        self.session, self.count = session, count
        self.bad: list[str] = []
        self.diverged: list[str] = []
        self.last: Path | None = None
        self._waiting: list[Prepared] = []

    def all(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            with self._past_bad_ones():
                for target in self.session.targets(job):
                    self._waiting.append(self.session.prepare(target))
                    if len(self._waiting) >= self.session.batch:
                        self._invert_waiting()
            if self.session.stopped:
                return
        self._invert_waiting()

    def _invert_waiting(self) -> None:
        batch, self._waiting = self._waiting, []
        if batch:
            self._invert(batch)

    def _invert(self, batch: list[Prepared]) -> None:
        """One batch; where it fails as a whole, one photo after the other, or as many as the memory holds."""
        from torch import OutOfMemoryError

        try:
            self._search(batch)
        except OutOfMemoryError:
            if len(batch) < 2:
                raise
            smaller = self.session.batch = (len(batch) + 1) // 2
            warn("invert", f"{len(batch)} photos do not fit into the device's memory; taking {smaller} at once")
        except InputError as error:
            if is_disk_full(error) or self.count == 1:
                raise
            if len(batch) < 2:
                self._say_bad(error)
                return
            smaller = 1
        else:
            return
        for start in range(0, len(batch), smaller):
            self._invert(batch[start : start + smaller])
            if self.session.stopped:
                return

    def _search(self, batch: list[Prepared]) -> None:
        """Invert a batch; what is done or known to be bad is taken out of it."""
        for found in self.session.invert(tuple(batch)):
            one = batch.pop(0)
            if isinstance(found, InputError):
                self._say_bad(found)
                continue
            self.last = one.outputs.record
            self.diverged += [f"{one.label}: at step {step}" for step in found.diverged.values()]
            if not self.session.settings.quiet:
                _print_result(found, one)

    @contextlib.contextmanager
    def _past_bad_ones(self) -> Iterator[None]:
        """Note what is wrong with a photo and go on, unless it is the disk, which is full, or the settings."""
        try:
            yield
        except InputError as error:
            if self.count == 1 or is_disk_full(error) or isinstance(error, SettingsError):
                raise
            self._say_bad(error)

    def _say_bad(self, error: InputError) -> None:
        self.bad.append(str(error))
        print(printable(f"invert: {error}"), file=sys.stderr)


@contextlib.contextmanager
def _reporting(session: Session) -> Iterator[None]:
    """Write the report when the block ends, also by Ctrl-C or an error: what is done so far."""
    try:
        yield
    except BaseException:
        # The table is there already; what ended the run is worth more words than its picture.
        with contextlib.suppress(InputError):
            _write_report(session)
        raise
    _write_report(session)


def _write_report(session: Session) -> None:
    if session.report is None or not session.report.table.rows:
        return
    written = session.report.table.write()
    if not session.settings.quiet:
        print(printable("Wrote " + ", ".join(str(path) for path in written)))
        if suggestion := suggest_evaluation(written[0], session.settings.model):
            print(printable(suggestion))


def _print_result(inversion: "Inversion", one: Prepared) -> None:
    found = describe_partial(inversion), describe_files(one.outputs), describe_metrics(inversion)
    for line in (*found, one.note):
        if line:
            print(printable(line), flush=True)
