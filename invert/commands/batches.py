"""Photos in batches, with the results printed; past photos that fail."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.command import is_disk_full, warn
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.commands.jobs import Job, Target
from stylegan_latents.invert.commands.messages import Failures, describe_files, describe_metrics, describe_partial
from stylegan_latents.invert.commands.session import Session
from stylegan_latents.invert.commands.targets import find_targets

if TYPE_CHECKING:
    from stylegan_latents.invert.record.inversion import Inversion


class Batches:
    """Inverts photos with one session.

    Attributes:
        diverged: a line for each photo whose search diverged.
        last: the record that was written last.
        written: the number of records that were written.
    """

    def __init__(self, session: Session, failures: Failures) -> None:
        self.session, self.failures = session, failures
        self.diverged: list[str] = []
        self.last: Path | None = None
        self.written = 0
        self._waiting: list[Target] = []

    def invert(self, jobs: Sequence[Job]) -> None:
        """Invert photos; the session's ``stopped`` says whether Ctrl-C ended it.

        Raises:
            InputError: the only photo could not be inverted, the settings fit no photo, or the disk is full.
        """
        for job in jobs:
            with self.failures.collect(), job.at_hand() as ready:
                for target in find_targets(self.session, ready):
                    if self._waiting and self._waiting[0].crop.compared_at != target.crop.compared_at:
                        self._invert_waiting()
                    self._waiting.append(target)
                    if len(self._waiting) >= self.session.batch:
                        self._invert_waiting()
                    if self.session.stopped:
                        break
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
                _print_result(self.session, found, target)


def _print_result(session: Session, inversion: "Inversion", target: Target) -> None:
    lines = describe_partial(inversion), describe_files(target.outputs), describe_metrics(inversion), *target.notes
    for line in lines:
        if line:
            print(printable(session.shown(line)), flush=True)
