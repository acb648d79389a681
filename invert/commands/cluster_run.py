"""A run over photos on a cluster: what a worker does, and how its results become those of the run."""

import contextlib
import dataclasses
import functools
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylegan_latents.generator.cli.command import is_disk_full
from stylegan_latents.generator.cli.progress import Display
from stylegan_latents.generator.cluster.connection import LOCAL, connected
from stylegan_latents.generator.cluster.pool import Lost, Pool, marked
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import remove_leftovers
from stylegan_latents.generator.reading.remote_files import address_of
from stylegan_latents.invert.commands.batches import Batches
from stylegan_latents.invert.commands.jobs import Job
from stylegan_latents.invert.commands.messages import Failures
from stylegan_latents.invert.commands.report_table import Rows, RunReport
from stylegan_latents.invert.commands.session import Session
from stylegan_latents.invert.commands.settings import Settings

if TYPE_CHECKING:
    from stylegan_latents.invert.faces.landmarks_file import GivenLandmarks


@dataclass(frozen=True)
class Outcome:
    """What became of a batch of photos.

    Attributes:
        text: to be printed.
        errors: of photos that could not be inverted.
        diverged, last: see ``Batches``.
        skipped: records that existed already.
        rows: of the report, as arguments of ``Report.add``.
    """

    text: str
    errors: list[str]
    diverged: list[str]
    last: Path | None
    skipped: list[Path]
    rows: list[dict[str, Any]]


class PhotoWorker:
    """Inverts photos on a worker, which holds the model.

    Args:
        settings: of the run.
        count: of its photos.
        several, landmarks: see ``Session``.

    Raises:
        InputError: the model cannot be loaded, or the settings do not fit it.
    """

    def __init__(
        self, settings: Settings, count: int, several: bool, landmarks: "Mapping[Path, GivenLandmarks]"
    ) -> None:
        self.session, self._count, self._rows = (
            Session(settings, several=several, landmarks=landmarks),
            count,
            Rows(),
        )
        if settings.report is not None:
            self.session.report = RunReport(self._rows, settings)
        self.model = self.session.inverter.G.fingerprint
        self.batch = self.session.batch

    def __call__(self, jobs: Sequence[Job]) -> Outcome:
        """Invert a batch; InputError if going on is of no use, as with a full disk."""
        run = Batches(self.session, Failures("photos", self._count))
        self.session.skipped, self._rows.added = [], []
        # Progress and errors are the driver's to show.
        with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.redirect_stderr(io.StringIO()):
            try:
                run.invert(jobs)
            except InputError as error:
                if not is_disk_full(error):
                    raise
                raise InputError(
                    f"{error} Free some space on that disk and run the same command again; it goes on from here."
                ) from error
        return Outcome(
            text.getvalue(), run.failures.errors, run.diverged, run.last, self.session.skipped, self._rows.added
        )


def invert_on_cluster(jobs: Sequence[Job], run: Batches, *, several: bool) -> None:
    """Invert photos on the cluster of the run's settings.

    Args:
        jobs: the photos.
        run: takes the results, as if it had made them.
        several: see ``Session``.

    Raises:
        InputError: there is no such cluster, its workers differ or do not see the files, or one of them has no room
            for results; see ``Pool``.
        KeyboardInterrupt: Ctrl-C; nothing is left half-written.
    """
    session = run.session
    settings, folder = session.settings, session.settings.folder
    alone = dataclasses.replace(settings, shard=None, cluster=None, workers=None)
    make = functools.partial(PhotoWorker, alone, len(jobs), several, session.landmarks)

    def forget(job: Job) -> None:
        if session.address is None:
            remove_leftovers(folder, rf"{re.escape(job.stem)}(\.face\d+)?(\.(inversion|inverted))?")

    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(connected(settings.cluster or LOCAL, settings.workers, settings.device))
        needs = _files(jobs, settings)
        if session.address is None:
            needs.append(stack.enter_context(marked(folder)))
        pool: Pool[Job, Outcome] = Pool(cluster, make, needs=needs, forget=forget)
        display = stack.enter_context(Display(quiet=settings.quiet))
        task = display.begin(f"Inverting on {cluster}", len(jobs), unit="photo")
        finished = 0
        for done, outcome in pool.results(jobs):
            finished += len(done)
            task.update(finished)
            if isinstance(outcome, Lost):
                labels = ", ".join(job.label for job in done)
                run.failures.add(
                    InputError(f"{labels} is set aside: two workers died of it, the last on {outcome.host}.")
                )
            else:
                _take(outcome, run, display)


def _files(jobs: Sequence[Job], settings: Settings) -> list[Path]:
    """The files and folders of this machine that workers have to see."""
    tables = {getattr(job.origin, "table", None) for job in jobs}
    places = {job.photo.absolute().parent for job in jobs if job.origin is None}
    places |= {Path(table).absolute() for table in tables if table is not None and address_of(Path(table)) is None}
    given = (settings.model_file, settings.encoder, settings.mask, settings.keep_unchanged, settings.person)
    return [*sorted(places), *(path.absolute() for path in given if path is not None)]


def _take(outcome: Outcome, run: Batches, display: Display) -> None:
    """Add a worker's results to the run's."""
    session = run.session
    for error in outcome.errors:
        run.failures.add(InputError(error))
    run.diverged += outcome.diverged
    run.last = outcome.last or run.last
    session.skipped += outcome.skipped
    if outcome.text:
        display.say(outcome.text.rstrip("\n"))
    if session.report is not None and outcome.rows:
        for row in outcome.rows:
            session.report.table.add(**row)
        session.report.table.write_table()
