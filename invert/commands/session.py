"""One run of the command ``invert``: from a photo on disk to its record on disk."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.command import choose_device, is_disk_full
from stylegan_latents.generator.cli.progress import show_progress, show_status
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.jobs import Job, Outputs, Prepared, Target
from stylegan_latents.invert.commands.locks import Claims
from stylegan_latents.invert.commands.messages import describe_choice
from stylegan_latents.invert.commands.settings import Settings, SettingsError
from stylegan_latents.invert.films.preview import check_preview_path, film_of_search
from stylegan_latents.invert.invert_face import Crop, cut_out, find_codes, portrait
from stylegan_latents.invert.photos.files import read_photo, save_picture
from stylegan_latents.invert.record.metrics import picture_of

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.invert.commands.report_table import RunReport
    from stylegan_latents.invert.faces.align import Face
    from stylegan_latents.invert.faces.identity import Identity
    from stylegan_latents.invert.faces.landmarks_file import GivenLandmarks
    from stylegan_latents.invert.inverters.base import Inverter, Progress
    from stylegan_latents.invert.record.inversion import Inversion


_BATCH = 8  # of a GPU; a CPU is as fast with one photo after the other


class Session:
    """Inverts one batch of photos after the other with one generator, which is loaded when the first is ready.

    Args:
        settings: of the run.
        several: whether the run has more than one photo, which decides about the names of films.
        given: landmarks given by hand, by photo; the other photos' faces are looked for.

    Attributes:
        stopped: whether Ctrl-C ended a search whose best code was kept.
        skipped: records that were there already, made as they would be now.
        claims: the records that this run is making, which another one leaves alone.
    """

    def __init__(
        self, settings: Settings, *, several: bool = False, given: "Mapping[Path, GivenLandmarks] | None" = None
    ) -> None:
        self.settings = settings
        self.several = several
        self.given = given or {}
        self.stopped = False
        self.skipped: list[Path] = []
        self.claims = Claims()

    @cached_property
    def generator(self) -> "Generator":
        """The generator, in float32 on the chosen device."""
        model, quiet = self.settings.model, self.settings.quiet
        with show_status(f"Loading {model}", quiet=quiet):
            from stylegan_latents.generator.loading import is_at_hand, load

            device = choose_device(self.settings.device)
        # What has to be fetched first shows its own progress.
        with show_status(f"Loading {model}", quiet=quiet or not is_at_hand(model)):
            return load(model).to(device)

    @cached_property
    def _identity(self) -> "Identity":
        from stylegan_latents.invert.faces.identity import Identity

        return Identity()

    @cached_property
    def inverter(self) -> "Inverter":
        """What the settings choose.

        Raises:
            SettingsError: there is no such model or device, or the settings do not fit the model.
        """
        from stylegan_latents.invert.inverters.by_name import make_inverter

        settings = self.settings
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
            return make_inverter(
                self.generator,
                settings.method,
                quality=settings.quality,
                space=settings.space,
                steps=settings.steps,
                seed=settings.seed,
                precision=settings.precision,
                weights=settings.weights,
                encoder=settings.encoder,
                identity_weight=settings.identity_weight,
                pivot=settings.pivot,
            )
        except InputError as error:
            raise SettingsError(str(error)) from error

    @cached_property
    def batch(self) -> int:
        """How many photos are inverted at once."""
        if self.settings.batch is not None:
            return self.settings.batch
        return 1 if self.generator.device.type == "cpu" else _BATCH

    @cached_property
    def report(self) -> "RunReport | None":
        """The table of what was made, where one is wanted."""
        from stylegan_latents.invert.commands.report_table import RunReport

        return None if self.settings.report is None else RunReport(self.settings.report, self.settings)

    def _known(self, photo: Path) -> "dict[str, JSON]":
        """What a record's settings say of the run, and no inverter knows."""
        from stylegan_latents.invert.record.run_settings import FACE, LANDMARKS, LOW_RESOLUTION, MASK, UNCHANGED
        from stylegan_latents.invert.record.source import Source

        known: dict[str, JSON] = {FACE: self.settings.face if self.settings.align else None}
        if self.settings.mask is not None:
            known[MASK] = Source.of(self.settings.mask).sha256
        if self.settings.keep_unchanged is not None:
            known[UNCHANGED] = Source.of(self.settings.keep_unchanged).sha256
        if self.settings.low_resolution is not None:
            known[LOW_RESOLUTION] = self.settings.low_resolution
        if photo in self.given:
            known[LANDMARKS] = [one.to_dict() for one in self.given[photo].landmarks]
        return known

    def targets(self, job: Job) -> list[Target]:
        """Read a photo and find its faces; those that are done already are left out and kept in ``skipped``.

        Raises:
            InputError: the photo cannot be read or shows no such face, a result exists already that was made in
                another way, or another run is making it.
        """
        settings = self.settings
        # What the records are called is known before the photo is read, unless that depends on its faces.
        if (settings.face == "largest" or not settings.align) and not settings.overwrite:
            outputs = self._outputs(job)
            if self._is_done(job, outputs):
                return []
            outputs.check_free()
        image = read_photo(job.photo)
        faces, note = self._faces(job, image) if settings.align else ([(None, None)], "")
        targets = []
        for number, face in faces:
            outputs = self._outputs(job, number)
            self.claims.take(outputs.record)
            if not settings.overwrite and self._is_done(job, outputs, number):
                self.claims.release(outputs.record)
                continue
            if outputs.preview is not None:
                if outputs.preview.exists() and outputs.preview.samefile(job.photo):
                    raise InputError(f"{outputs.preview} is the photo itself; give the film another name.")
                check_preview_path(outputs.preview, settings.overwrite)
            if not settings.overwrite:
                outputs.check_free()
            targets.append(Target(job.photo, image, face, _label(job, number), outputs, note))
        return targets

    def _faces(self, job: Job, image: "Image.Image") -> "tuple[list[tuple[int | None, Face | None]], str]":
        """The faces to invert, each with its number where its names say it, and what to say of the choice."""
        from stylegan_latents.generator.weights.fetch import cache_folder
        from stylegan_latents.invert.faces.align import require_faces
        from stylegan_latents.invert.faces.detector import choose_faces
        from stylegan_latents.invert.faces.find import DLIB

        which = self.settings.face
        at_hand = (cache_folder() / "dlib-68-landmarks").is_dir()
        with show_status(f"Looking for faces in {job.photo.name}", quiet=self.settings.quiet or not at_hand):
            found = require_faces(image, "all", job.photo.name, self.given.get(job.photo, DLIB))
        if which == "all":
            return [(number if len(found) > 1 else None, face) for number, face in enumerate(found)], ""
        chosen = choose_faces(found, which)[0]
        number = next(number for number, face in enumerate(found) if face is chosen)
        if len(found) == 1:
            return [(None, chosen)], ""
        if which != "largest":
            return [(number, chosen)], ""
        # The largest has the photo's own name, as it is taken by default.
        return [(None, chosen)], describe_choice(job.label, len(found), number)

    def _outputs(self, job: Job, number: int | None = None) -> Outputs:
        """The files of one face."""
        preview = self.settings.preview
        outputs = job.outputs(self.settings.folder, face=number, npz=self.settings.npz)
        if preview is not None and (self.several or (number is not None and self.settings.face == "all")):
            preview = preview.with_name(f"{outputs.stem}.{preview.name}")
        return dataclasses.replace(outputs, preview=preview)

    def _is_done(self, job: Job, outputs: Outputs, number: int | None = None) -> bool:
        """Whether the search was done already; what can be made from its record and is missing is made."""
        from stylegan_latents.invert.commands.already_done import done_before
        from stylegan_latents.invert.record.run_settings import FACE
        from stylegan_latents.invert.record.source import Source

        if not outputs.record.is_file() or (outputs.preview is not None and not outputs.preview.exists()):
            return False
        # A face is the same whether it was asked for by its number or with all.
        ways = [self.settings.face] if number is None else ["all", str(number)]
        source, known = Source.of(job.photo), self._known(job.photo)
        ways_known = [known | {FACE: way} for way in ways] if self.settings.align else [known]
        tries = (done_before(outputs.record, source, self.inverter, one) for one in ways_known)
        found = next((one for one in tries if one is not None), None)
        if found is None:
            return False
        if not outputs.picture.exists():
            save_picture(picture_of(self.generator, found), outputs.picture)
        if outputs.npz is not None and not outputs.npz.exists():
            found.save_npz(outputs.npz)
        self.skipped.append(outputs.record)
        if self.report is not None:
            self.report.add_done(self.generator, found, job.photo, _label(job, number), outputs)
        return True

    def prepare(self, target: Target) -> Prepared:
        """Cut a target out of its photo, and see who it is.

        Raises:
            InputError: the photo or its mask cannot be used.
            SettingsError: no photo can be.
        """
        G = self.inverter.G
        # Before the search, so that weights which cannot be fetched cost no search.
        return prepared(target, self.settings, G, None if target.face is None else self._identity)

    def invert(self, batch: Sequence[Prepared]) -> "Iterator[Inversion | InputError]":
        """Search the codes of a batch at once and write the files of one after the other.

        Yields:
            For each, as soon as its files are written, its record; or what was wrong with it.

        Raises:
            InputError: the search failed, for a batch of several perhaps because of one; or the disk is full.
            KeyboardInterrupt: Ctrl-C, where the best code so far is not wanted; nothing is written.
        """
        settings = self.settings
        label = batch[0].label if len(batch) == 1 else f"{len(batch)} photos from {batch[0].label} on"
        # The films are completed last, so that their failure costs no code.
        with contextlib.ExitStack() as stack:
            add_frames = [
                stack.enter_context(
                    film_of_search(one.outputs.preview, one.crop.picture, row, overwrite=settings.overwrite)
                )
                for row, one in enumerate(batch)
            ]
            with show_progress(label, quiet=settings.quiet) as report:

                def on_step(progress: "Progress") -> None:
                    report(progress.step, progress.steps, progress.loss)
                    for add_frame in add_frames:
                        add_frame(progress)

                begun = time.perf_counter()
                found = find_codes(
                    self.inverter,
                    [one.crop for one in batch],
                    low_resolution=settings.low_resolution,
                    on_step=on_step,
                    keep_partial=settings.keep_partial,
                )
                seconds = (time.perf_counter() - begun) / len(batch)
            self.stopped = self.stopped or "stopped_at_step" in found.settings
            for one, inversion in zip(batch, found.split(), strict=True):
                try:
                    yield self._finish(one, inversion, seconds)
                except InputError as error:
                    if len(batch) == 1 or is_disk_full(error):
                        raise
                    yield error

    def _finish(self, one: Prepared, found: "Inversion", seconds: float) -> "Inversion":
        """Measure one code and write its files."""
        settings, outputs = self.settings, one.outputs
        made = portrait(
            self.generator,
            found,
            one.crop,
            settings=self._known(one.photo),
            full=settings.report is not None,
            identity=None if one.crop.person is None else self._identity,
        )
        inversion = dataclasses.replace(made.inversion, model_file=settings.model_file)
        picture = made.picture
        inversion.save(outputs.record, overwrite=settings.overwrite)
        save_picture(picture, outputs.picture, overwrite=settings.overwrite)
        if outputs.npz is not None:
            inversion.save_npz(outputs.npz, overwrite=settings.overwrite)
        self.claims.release(outputs.record)
        if self.report is not None:
            self.report.add(inversion, one.label, outputs, seconds, one.crop.picture)
        return inversion


def _label(job: Job, number: int | None) -> str:
    """What one face of a photo is called."""
    return job.label if number is None else f"{job.label}, face {number}"


def prepared(target: Target, settings: Settings, G: "Generator", identity: "Identity | None" = None) -> Prepared:
    """Cut a target out of its photo.

    Args:
        target: what to cut out.
        settings: of the run.
        G: the generator, whose pictures are the crop's size.
        identity: measures who is seen; None where that is not wanted.

    Raises:
        InputError: the photo cannot be read any more, or its mask cannot be used.
    """
    from stylegan_latents.invert.record.source import Source

    source = Source.of(target.photo)
    aspect = G.width / G.resolution
    crop = cut_out(target.image, target.face, G.resolution, source=source, identity=identity, aspect=aspect)
    crop = dataclasses.replace(crop, masks=_masks(target, settings, crop))
    return Prepared(target.photo, target.label, target.outputs, crop, target.note)


def _masks(target: Target, settings: Settings, crop: Crop) -> "dict[str, Tensor]":
    """The photo's masks, by the inverter's argument."""
    from stylegan_latents.invert.photos.crop import compared, read_mask

    masks: dict[str, Tensor] = {}
    for name, path in (("mask", settings.mask), ("unchanged", settings.keep_unchanged)):
        if path is not None:
            counts = compared(read_mask(path, target.image, target.photo.name), crop.alignment)
            masks[name] = counts if name == "mask" else 1 - counts
    return masks
