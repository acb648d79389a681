"""The models and settings of one run of the command ``invert``, and the search of a batch of crops."""

import contextlib
import dataclasses
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.command import choose_device, is_disk_full
from stylegan_latents.generator.cli.progress import show_progress, show_status
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.reading.remote_files import (
    address_of,
    exists_at,
    joined,
    read_address,
    write_address,
)
from stylegan_latents.invert.commands.jobs import Outputs, Target
from stylegan_latents.invert.commands.locks import OutputLocks
from stylegan_latents.invert.commands.settings import Settings, SettingsError
from stylegan_latents.invert.faces.identity import release_networks
from stylegan_latents.invert.films.preview import film_of_search
from stylegan_latents.invert.invert_face import find_codes, portrait
from stylegan_latents.invert.photos.files import save_picture
from stylegan_latents.invert.record.metrics import picture_of
from stylegan_latents.invert.search.time_left import TimeLeft, duration

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.invert.commands.report_table import RunReport
    from stylegan_latents.invert.faces.identity import Identity
    from stylegan_latents.invert.faces.landmarks_file import GivenLandmarks
    from stylegan_latents.invert.inverters.base import Inverter, Progress
    from stylegan_latents.invert.record.inversion import Inversion

_GPU_BATCH = 8  # a CPU is as fast with one photo at a time


class Session:
    """Inverts batches of photos with one generator. Models are loaded when they are first needed.

    Args:
        settings: of the run.
        several: whether the run has more than one photo, which then name their previews.
        landmarks: placed by hand, by photo; in other photos faces are detected.

    Attributes:
        stopped: whether Ctrl-C ended a search whose best code was kept.
        skipped: records that existed already, made with the same model and settings.
        locks: on the records that this run is making.
        photos: the number of photos of the run.
        told: whether the time that the run takes was told.
    """

    def __init__(
        self, settings: Settings, *, several: bool = False, landmarks: "Mapping[Path, GivenLandmarks] | None" = None
    ) -> None:
        self.settings = settings
        self.several = several
        self.photos = 1
        self.told = False
        self.landmarks = landmarks or {}
        self.stopped = False
        self.skipped: list[Path] = []
        self.locks = OutputLocks()
        self.address = address_of(settings.folder)

    @cached_property
    def folder(self) -> Path:
        """Where results are written; if they belong to an address, a temporary folder."""
        if self.address is None:
            return self.settings.folder
        self._temporary = tempfile.TemporaryDirectory(prefix="results-")
        return Path(self._temporary.name)

    def fetch(self, outputs: Outputs) -> None:
        """Get the results of an earlier run from their address, if that is where they are."""
        for path in outputs.results() if self.address is not None else ():
            place = joined(self.address or "", path.name)
            if not path.exists() and exists_at(place):
                path.write_bytes(read_address(place))

    def send(self, outputs: Outputs) -> None:
        """Put results to their address, the record first; InputError if that fails."""
        for path in outputs.results() if self.address is not None else ():
            write_address(joined(self.address or "", path.name), path.read_bytes())
            path.unlink()

    def shown(self, line: str) -> str:
        """A line for the user, with results by their address."""
        return line if self.address is None else line.replace(str(self.folder), self.address)

    @cached_property
    def generator(self) -> "Generator":
        """The generator, in float32 on the chosen device."""
        model, quiet = self.settings.model, self.settings.quiet
        with show_status(f"Loading {model}", quiet=quiet):
            from stylegan_latents.generator.loading import is_cached, load

            device = choose_device(self.settings.device)
        # A download shows its own progress.
        with show_status(f"Loading {model}", quiet=quiet or not is_cached(model)):
            G = load(model).to(device)
        if self.settings.low_memory:
            try:
                G.save_memory()
            except InputError as error:
                raise SettingsError(f"{error} Leave --low-memory out.") from error
        return G

    @cached_property
    def styled(self) -> "Generator | None":
        """The generator in the style that the pictures are drawn in; None without one.

        Raises:
            SettingsError: the style belongs to another model.
        """
        try:
            style = self.settings.find_style()
            return None if style is None else style[0].apply(self.generator, style[1])
        except InputError as error:
            raise SettingsError(str(error)) from error

    @cached_property
    def identity(self) -> "Identity":
        """Measures the identity distance between two faces."""
        from stylegan_latents.invert.faces.identity import Identity

        return Identity()

    @cached_property
    def inverter(self) -> "Inverter":
        """The inverter that the settings choose.

        Raises:
            SettingsError: there is no such model or device, or the settings do not fit the model.
        """
        from stylegan_latents.invert.inverters.by_name import make_inverter
        from stylegan_latents.invert.inverters.options import InverterOptions

        settings = self.settings
        _ = self.styled  # a style of another model is known before the search
        try:
            resolution = self.generator.resolution
            if settings.align and self.generator.width != resolution:
                raise InputError(
                    f"'{self.generator.name}' draws {self.generator.width}x{resolution} pixels, and faces are "
                    "aligned to squares; add --no-align."
                )
            if (settings.low_resolution or 0) > resolution:
                raise InputError(
                    f"--low-resolution is at most {resolution}, the model's own, not {settings.low_resolution}."
                )
            options = {field.name: getattr(settings, field.name) for field in dataclasses.fields(InverterOptions)}
            return make_inverter(self.generator, settings.method, **options)
        except InputError as error:
            raise SettingsError(str(error)) from error

    @cached_property
    def batch(self) -> int:
        """How many photos are inverted at once."""
        if self.settings.batch is not None:
            return self.settings.batch
        return 1 if self.generator.device.type == "cpu" else _GPU_BATCH

    @cached_property
    def report(self) -> "RunReport | None":
        """The table of results, if ``--report`` is given."""
        from stylegan_latents.invert.commands.report_table import Report, RunReport

        path = self.settings.report
        return None if path is None else RunReport(Report(path), self.settings)

    def run_settings(self, photo: Path) -> "dict[str, JSON]":
        """The settings of a photo's record beside the inverter's own (``invert.record.run_settings``)."""
        from stylegan_latents.invert.record.run_settings import (
            DETECTOR,
            FACE,
            LANDMARKS,
            LOW_RESOLUTION,
            MASK,
            UNCHANGED,
        )
        from stylegan_latents.invert.record.source import Source

        settings = self.settings
        values: dict[str, JSON] = {FACE: settings.face if settings.align else None}
        for name, mask in ((MASK, settings.mask), (UNCHANGED, settings.keep_unchanged)):
            if mask is not None:
                values[name] = Source.of(mask).sha256
        if settings.low_resolution is not None:
            values[LOW_RESOLUTION] = settings.low_resolution
        if settings.detector != "hog":
            values[DETECTOR] = settings.detector
        if photo in self.landmarks:
            values[LANDMARKS] = [one.to_dict() for one in self.landmarks[photo].landmarks]
        return values

    def invert(self, batch: Sequence[Target]) -> "Iterator[Inversion | InputError]":
        """Search the codes of a batch at once, then write each target's files in turn.

        Yields:
            For each target, once its files are written, its record; or its error.

        Raises:
            InputError: the search failed, perhaps because of one target of several; or the disk is full.
            KeyboardInterrupt: Ctrl-C without ``--keep-partial``; nothing is written.
        """
        settings = self.settings
        label = batch[0].label if len(batch) == 1 else f"{len(batch)} photos, from {batch[0].label} on"
        # Previews are completed last, so that an error in one costs no code.
        with contextlib.ExitStack() as stack:
            add_frames = [
                stack.enter_context(
                    film_of_search(one.outputs.preview, one.crop.picture, row, overwrite=settings.overwrite)
                )
                for row, one in enumerate(batch)
            ]
            with show_progress(label, quiet=settings.quiet) as report:
                time_left = TimeLeft(
                    self.inverter.phases(len(batch)),
                    pictures=len(batch),
                    device=self.generator.device,
                    full=settings.report is not None,
                )

                def on_step(progress: "Progress") -> None:
                    report(progress.step, progress.steps, progress.loss)
                    self._tell_time(label, time_left, progress.step)
                    for add_frame in add_frames:
                        add_frame(progress)

                if settings.low_memory:
                    release_networks()
                begun = time.perf_counter()
                found = find_codes(
                    self.inverter,
                    [one.crop for one in batch],
                    on_step=on_step,
                    keep_partial=settings.keep_partial,
                )
                seconds = (time.perf_counter() - begun) / len(batch)
            self.stopped = self.stopped or "stopped_at_step" in found.settings
            for target, inversion in zip(batch, found.split(), strict=True):
                try:
                    yield self._finish(target, inversion, seconds)
                except InputError as error:
                    if len(batch) == 1 or is_disk_full(error):
                        raise
                    yield error

    def _tell_time(self, label: str, time_left: TimeLeft, step: int) -> None:
        """Say once how long the run takes, as soon as the steps of its first search say it."""
        left = None if self.settings.quiet or self.told else time_left.after_step(step)
        if left is None:
            return
        self.told = True
        words = f"{label} takes {duration(left)}"
        if self.photos > self.batch:
            others = math.ceil(self.photos / self.batch) - 1
            words += f", all {self.photos} photos {duration(left + others * time_left.of_another())}"
        print(printable(words), file=sys.stderr, flush=True)

    def _finish(self, target: Target, found: "Inversion", seconds: float) -> "Inversion":
        """Measure one inversion and write its files."""
        settings, outputs, crop = self.settings, target.outputs, target.crop
        made = portrait(
            self.generator,
            found,
            crop,
            settings=self.run_settings(target.photo),
            full=settings.report is not None,
            identity=None if crop.person is None else self.identity,
        )
        inversion = dataclasses.replace(made.inversion, model_file=settings.model_file)
        inversion.save(outputs.record, overwrite=settings.overwrite)
        # The code and its metrics are of the photo; the style is for the picture alone.
        picture = made.picture if self.styled is None else picture_of(self.styled, inversion)
        save_picture(picture, outputs.picture, overwrite=settings.overwrite)
        if outputs.npz is not None:
            inversion.save_npz(outputs.npz, overwrite=settings.overwrite)
        self.send(outputs)
        self.locks.release(outputs.record)
        if self.report is not None:
            self.report.add(inversion, target.label, outputs, seconds, crop.picture)
        return inversion
