"""One run of the command ``invert``: from a photo on disk to its record on disk."""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.command import choose_device
from generator.errors import InputError
from invert.jobs import Job, Outputs
from invert.photo import read_photo, save_picture, to_picture, to_tensor
from invert.preview import check_preview_path, record_preview
from invert.progress import show_progress, show_status
from invert.settings import Settings, Target

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from generator.generator import Generator, Noise
    from generator.json_values import JSON
    from invert.align import Alignment, Face
    from invert.evaluation import Report
    from invert.identity import Identity
    from invert.inversion import Inversion
    from invert.methods import Inverter
    from invert.optimize import Progress


class Session:
    """Inverts one photo after the other with one generator, which is loaded when the first is ready.

    Args:
        settings: of the run.
        several: whether the run has more than one photo, which decides about the names of films.

    Attributes:
        stopped: whether Ctrl-C ended a search whose best code was kept.
        skipped: records that were there already, made as they would be now.
    """

    def __init__(self, settings: Settings, *, several: bool = False) -> None:
        self.settings = settings
        self.several = several
        self.stopped = False
        self.skipped: list[Path] = []

    @cached_property
    def generator(self) -> "Generator":
        """The generator, in float32 on the chosen device."""
        model, quiet = self.settings.model, self.settings.quiet
        with show_status(f"Loading {model}", quiet=quiet):
            from generator.loading import is_at_hand, load

            device = choose_device(self.settings.device)
        # What has to be fetched first shows its own progress.
        with show_status(f"Loading {model}", quiet=quiet or not is_at_hand(model)):
            return load(model).to(device)

    @cached_property
    def _identity(self) -> "Identity":
        from invert.identity import Identity

        return Identity()

    @cached_property
    def _inverter(self) -> "Inverter":
        from invert.methods import make_inverter

        settings = self.settings
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
        )

    @cached_property
    def report(self) -> "Report | None":
        """The table of what was made, where one is wanted."""
        from invert.evaluation import Report

        return None if self.settings.report is None else Report(self.settings.report)

    @cached_property
    def _known(self) -> "dict[str, JSON]":
        """What a record's settings say of the run, and no inverter knows."""
        from invert.done import FACE, LOW_RESOLUTION, MASK
        from invert.source import Source

        known: dict[str, JSON] = {FACE: self._face}
        if self.settings.mask is not None:
            known[MASK] = Source.of(self.settings.mask).sha256
        if self.settings.low_resolution is not None:
            known[LOW_RESOLUTION] = self.settings.low_resolution
        return known

    @property
    def _face(self) -> str | None:
        """Which face the records are of, as they say it."""
        return self.settings.face if self.settings.align else None

    def targets(self, job: Job) -> list[Target]:
        """Read a photo and find its faces; those that are done already are left out and kept in :attr:`skipped`.

        Raises:
            InputError: the photo cannot be read or shows no such face, or a result exists already that was made
                in another way.
        """
        settings = self.settings
        # How many records there are is known before the photo is read, unless every face is wanted.
        if settings.face != "all" and not settings.overwrite:
            outputs = self._outputs(job)
            if self._is_done(job, outputs):
                return []
            outputs.check_free()
        image = read_photo(job.photo)
        faces: list[tuple[int | None, Face | None]] = [(None, None)]
        if settings.align:
            from generator.fetch import cache_folder
            from invert.align import require_faces

            at_hand = (cache_folder() / "dlib-68-landmarks").is_dir()
            with show_status(f"Looking for faces in {job.photo.name}", quiet=settings.quiet or not at_hand):
                found = require_faces(image, settings.face, job.photo.name)
            # Only where one photo gives several records do their names say which face is whose.
            faces = [(number if len(found) > 1 else None, face) for number, face in enumerate(found)]
        targets = []
        for number, face in faces:
            label = job.photo.name if number is None else f"{job.photo.name}, face {number}"
            outputs = self._outputs(job, number)
            if not settings.overwrite and self._is_done(job, outputs):
                continue
            if outputs.preview is not None:
                if outputs.preview.exists() and outputs.preview.samefile(job.photo):
                    raise InputError(f"{outputs.preview} is the photo itself; give the film another name.")
                check_preview_path(outputs.preview, settings.overwrite)
            if not settings.overwrite:
                outputs.check_free()
            targets.append(Target(job.photo, image, face, label, outputs))
        return targets

    def _outputs(self, job: Job, number: int | None = None) -> Outputs:
        """The files of one face."""
        preview = self.settings.preview
        outputs = job.outputs(self.settings.folder, face=number, npz=self.settings.npz)
        if preview is not None and (self.several or number is not None):
            preview = preview.with_name(f"{outputs.stem}.{preview.name}")
        return dataclasses.replace(outputs, preview=preview)

    def _is_done(self, job: Job, outputs: Outputs) -> bool:
        """Whether the search was done already; what can be made from its record and is missing is made."""
        from invert.done import done_before
        from invert.source import Source

        if not outputs.record.is_file() or (outputs.preview is not None and not outputs.preview.exists()):
            return False
        found = done_before(outputs.record, Source.of(job.photo), self._inverter, self._known)
        if found is None:
            return False
        if not outputs.picture.exists():
            save_picture(self._picture(found), outputs.picture)
        if outputs.npz is not None and not outputs.npz.exists():
            found.save_npz(outputs.npz)
        self.skipped.append(outputs.record)
        if self.report is not None:
            self._report(found, job.photo.name, outputs, math.nan)
        return True

    def invert(self, target: Target) -> "Inversion":
        """Search the code of one target and write its files.

        Raises:
            InputError: a file cannot be written.
            KeyboardInterrupt: Ctrl-C, where the best code so far is not wanted; nothing is written.
        """
        from invert.source import Source

        settings, outputs = self.settings, target.outputs
        source = Source.of(target.photo)
        crop, alignment = self._crop(target)
        options = self._compared(target, alignment)
        # Before the search, so that weights which cannot be fetched cost no search.
        person = None if target.face is None else self._identity(crop)
        images = to_tensor(crop, device=self.generator.device)
        # The film is completed last, so that its failure costs no code.
        with self._film(outputs.preview, images) as add_frame:
            with show_progress(target.label, quiet=settings.quiet) as report:

                def on_step(progress: "Progress") -> None:
                    report(progress.step, progress.steps, progress.loss)
                    add_frame(progress)

                begun = time.perf_counter()
                inversion = self._inverter.invert(
                    self._reduced(images), on_step=on_step, keep_partial=settings.keep_partial, **options
                )
                seconds = time.perf_counter() - begun
            known = inversion.settings | self._known
            inversion = dataclasses.replace(inversion, settings=known, sources=[source], alignments=[alignment])
            picture, metrics = self._look(inversion, images)
            if person is not None:
                other = self._identity(picture)
                metrics["identity"] = [math.nan if other is None else self._identity.distance(person, other)]
            inversion = dataclasses.replace(inversion, metrics=metrics)
            inversion.save(outputs.record, overwrite=settings.overwrite)
            save_picture(picture, outputs.picture, overwrite=settings.overwrite)
            if outputs.npz is not None:
                inversion.save_npz(outputs.npz, overwrite=settings.overwrite)
        if self.report is not None:
            self._report(inversion, target.label, outputs, seconds, crop)
        self.stopped = self.stopped or "stopped_at_step" in inversion.settings
        return inversion

    def _crop(self, target: Target) -> "tuple[Image.Image, Alignment]":
        from invert.align import align_face, no_align

        if target.face is None:
            return no_align(target.image, self.generator.resolution)
        return align_face(target.image, target.face, self.generator.resolution)

    def _look(self, inversion: "Inversion", images: "Tensor") -> "tuple[Image.Image, dict[str, list[float]]]":
        """The picture of a code and how near it comes to the photo, both computed in float32."""
        from invert.metrics import measure

        ws, G = inversion.for_generator(self.generator), self._drawn_by(inversion)
        full = self.settings.report is not None
        options: dict[str, Any] = {"full": True} if full else {}
        measured = measure(G, ws, images, noise=self._noise(inversion), **options)
        return self._picture(inversion), {**inversion.metrics, **measured}

    def _picture(self, inversion: "Inversion") -> "Image.Image":
        import torch

        G = self._drawn_by(inversion)
        with torch.inference_mode():
            return to_picture(G.synthesize(inversion.for_generator(G), self._noise(inversion)))[0]

    def _drawn_by(self, inversion: "Inversion") -> "Generator":
        """The generator, with the record's tuned weights where it has some."""
        if inversion.weights is None:
            return self.generator
        from invert.tuned_weights import tuned_generator

        return tuned_generator(self.generator, inversion)

    def _noise(self, inversion: "Inversion") -> "Noise":
        maps = inversion.noise
        return "const" if maps is None else [map.to(self.generator.device) for map in maps]

    def _compared(self, target: Target, alignment: "Alignment") -> "dict[str, Tensor]":
        """What the inverter is told of the photo's mask."""
        if self.settings.mask is None:
            return {}
        from invert.losses import area_resize
        from invert.mask import compared, read_mask

        mask = compared(read_mask(self.settings.mask, target.image, target.photo.name), alignment)
        side = self.settings.low_resolution
        return {"mask": mask if side is None else area_resize(mask, min(side, mask.shape[-1]))}

    def _reduced(self, images: "Tensor") -> "Tensor":
        """The crop as the inverter sees it: averaged to the side that the user says holds all there is."""
        if self.settings.low_resolution is None:
            return images
        from invert.losses import area_resize

        return area_resize(images, min(self.settings.low_resolution, images.shape[-1]))

    def _report(
        self,
        inversion: "Inversion",
        photo: str,
        outputs: Outputs,
        seconds: float,
        crop: "Image.Image | None" = None,
    ) -> None:
        """Put one face into the table."""
        if self.report is None:
            return
        settings = self.settings
        metrics = {name: values[0] for name, values in inversion.metrics.items()}
        self.report.add(
            photo=photo,
            method=inversion.method,
            quality=settings.quality,
            seconds=seconds,
            metrics=metrics,
            picture=outputs.picture,
            crop=crop,
        )

    @contextlib.contextmanager
    def _film(self, path: Path | None, images: "Tensor") -> "Iterator[Callable[[Progress], None]]":
        if path is None:
            yield lambda _progress: None
            return
        with contextlib.ExitStack() as stack:
            add: list[Callable[[Tensor], None]] = []

            def add_frame(progress: "Progress") -> None:
                if not add:  # the number of steps is known from the first one on
                    film = record_preview(path, images, progress.steps, overwrite=self.settings.overwrite)
                    add.append(stack.enter_context(film))
                add[0](progress.images)

            yield add_frame
