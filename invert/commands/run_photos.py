"""A run over photos: in batches, past photos that fail, which are listed at the end."""

import contextlib
import sys
from collections.abc import Iterator, Sequence

from stylegan_latents.generator.cli.command import DONE, STOPPED, warn
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.commands.batches import Batches
from stylegan_latents.invert.commands.jobs import Job
from stylegan_latents.invert.commands.messages import Failures, suggest_edit, suggest_evaluation
from stylegan_latents.invert.commands.session import Session
from stylegan_latents.invert.commands.settings import Settings
from stylegan_latents.invert.faces.landmarks_file import landmarks_of_photos


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
    session.photos = len(jobs)
    if not jobs:
        if not settings.quiet:
            print(f"None of the {every} photos is in shard {settings.shard}")
        return DONE
    run = Batches(session, Failures("photos", len(jobs)))
    with contextlib.closing(session.locks), _reporting(session):
        if settings.cluster is None:
            run.invert(jobs)
        else:
            from stylegan_latents.invert.commands.cluster_run import invert_on_cluster

            invert_on_cluster(jobs, run, several=session.several)
    # The line of a single photo has said it already.
    if run.diverged and (len(jobs) > 1 or settings.quiet):
        warn("invert", "the best code before is kept where the search diverged:")
        print("\n".join(f"  {printable(line)}" for line in run.diverged), file=sys.stderr)
    if session.stopped:
        return STOPPED
    if session.skipped and not settings.quiet:
        print(f"Skipped {len(session.skipped)} already done; --overwrite does them again")
    last = run.last or (session.skipped[-1] if session.skipped else None)
    # What to suggest depends on the model, which is loaded by workers and not here.
    if last is not None and not settings.quiet and session.address is None and settings.cluster is None:
        words, several = "--direction pose --strength 2", run.written + len(session.skipped) > 1
        print(printable(suggest_edit(last, session.generator, settings.model, words, one_of_several=several)))
    return run.failures.summarise()


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
