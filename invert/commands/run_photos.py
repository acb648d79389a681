"""A run over photos: in batches, past photos that fail, which are listed at the end."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.command import DONE, STOPPED, is_disk_full, warn
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.commands.jobs import Job, Target
from stylegan_latents.invert.commands.messages import (
    Failures,
    describe_files,
    describe_metrics,
    describe_partial,
    suggest_edit,
    suggest_evaluation,
)
from stylegan_latents.invert.commands.session import Session
from stylegan_latents.invert.commands.settings import Settings
from stylegan_latents.invert.commands.targets import find_targets
from stylegan_latents.invert.faces.landmarks_file import landmarks_of_photos

if TYPE_CHECKING:
    from stylegan_latents.invert.record.inversion import Inversion


def run_jobs(jobs: Sequence[Job], settings: Settings) -> int:
    """Invert photos, or those of the settings' shard, and print the results.

    Returns:
        The exit status.

    Raises:
        InputError: the only photo could not be inverted, the settings fit no photo, or the disk is full.
        KeyboardInterrupt: Ctrl-C. Finished photos are kept, also in the report.
    """
    landmarks = landmarks_of_photos(settings.landmarks, [job.photo for job in jobs]) if settings.landmarks else {}
    session = Session(settings, several=len(jobs) > 1, landmarks=landmarks)
    every, jobs = len(jobs), [job for job in jobs if settings.is_own(job.stem)]
    if not jobs:
        if not settings.quiet:
            print(f"None of the {every} photos is in shard {settings.shard}")
        return DONE
    run = _Run(session, Failures("photos", len(jobs)))
    with contextlib.closing(session.locks), _reporting(session):
        run.all(jobs)
    # The line of a single photo has said it already.
    if run.diverged and (len(jobs) > 1 or settings.quiet):
        warn("invert", "the best code before is kept where the search diverged:")
        print("\n".join(f"  {printable(line)}" for line in run.diverged), file=sys.stderr)
    if session.stopped:
        return STOPPED
    if session.skipped and not settings.quiet:
        print(f"Skipped {len(session.skipped)} already done; --overwrite does them again")
    last = run.last or (session.skipped[-1] if session.skipped else None)
    if last is not None and not settings.quiet:
        words, several = "--direction pose --strength 2", run.written + len(session.skipped) > 1
        print(printable(suggest_edit(last, session.generator, settings.model, words, one_of_several=several)))
    return run.failures.summarise()


class _Run:
    """The state of a run over photos."""

    def __init__(self, session: Session, failures: Failures) -> None:
        self.session, self.failures = session, failures
        self.diverged: list[str] = []
        self.last: Path | None = None
        self.written = 0
        self._waiting: list[Target] = []

    def all(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            with self.failures.collect():
                for target in find_targets(self.session, job):
                    self._waiting.append(target)
                    if len(self._waiting) >= self.session.batch:
                        self._invert_waiting()
            if self.session.stopped:
                return
        self._invert_waiting()

    def _invert_waiting(self) -> None:
        batch, self._waiting = self._waiting, []
        if batch:
            self._invert(batch)

    def _invert(self, batch: list[Target]) -> None:
        """Invert a batch; if it fails as a whole, photo by photo, or as many at once as fit into memory."""
        from torch import OutOfMemoryError

        try:
            self._search(batch)
        except OutOfMemoryError:
            if len(batch) < 2:
                raise
            smaller = self.session.batch = (len(batch) + 1) // 2
            warn("invert", f"{len(batch)} photos do not fit into the device's memory; taking {smaller} at once")
        except InputError as error:
            if is_disk_full(error) or self.failures.count == 1:
                raise
            if len(batch) < 2:
                self.failures.add(error)
                return
            smaller = 1
        else:
            return
        for start in range(0, len(batch), smaller):
            self._invert(batch[start : start + smaller])
            if self.session.stopped:
                return

    def _search(self, batch: list[Target]) -> None:
        """Invert a batch; targets that are done or have failed are removed from it."""
        for found in self.session.invert(tuple(batch)):
            target = batch.pop(0)
            if isinstance(found, InputError):
                self.failures.add(found)
                continue
            self.last = target.outputs.record
            self.written += 1
            self.diverged += [f"{target.label}: at step {step}" for step in found.diverged.values()]
            if not self.session.settings.quiet:
                _print_result(found, target)


@contextlib.contextmanager
def _reporting(session: Session) -> Iterator[None]:
    """Write the report when the block ends, also by Ctrl-C or an error."""
    try:
        yield
    except BaseException:
        # The table is written already; an error of its picture must not hide what ended the run.
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


def _print_result(inversion: "Inversion", target: Target) -> None:
    lines = describe_partial(inversion), describe_files(target.outputs), describe_metrics(inversion), target.note
    for line in lines:
        if line:
            print(printable(line), flush=True)
