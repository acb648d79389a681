"""One run of the command ``invert``: from a photo on disk to its record on disk."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from generator.command import choose_device
from generator.errors import InputError
from invert.jobs import Job, Outputs
from invert.photo import read_photo, save_picture, to_picture, to_tensor
from invert.preview import check_preview_path, record_preview
from invert.progress import show_progress, show_status

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from generator.generator import Generator, Noise
    from invert.align import Alignment, Face
    from invert.encode import EncoderInverter
    from invert.identity import Identity
    from invert.inversion import Inversion
    from invert.optimize import OptimizationInverter, Progress


@dataclass(frozen=True)
class Settings:
    """What the command line says about a run; each attribute is the option of that name."""

    folder: Path
    model: str = "ffhq"
    method: Literal["optimize", "encode"] = "optimize"
    encoder: Path | None = None
    space: Literal["w", "w+"] = "w+"
    steps: int | None = None
    seed: int = 0
    face: str = "largest"
    align: bool = True
    preview: Path | None = None
    npz: bool = False
    device: str | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    keep_partial: bool = False
    overwrite: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Target:
    """One face of one photo (or a photo's middle), and the files to make from it."""

    photo: Path
    image: "Image.Image"
    face: "Face | None"
    label: str
    outputs: Outputs


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
    def _inverter(self) -> "OptimizationInverter | EncoderInverter":
        settings = self.settings
        if settings.encoder is not None:
            from invert.encode import EncoderInverter

            encoding = EncoderInverter(self.generator, settings.encoder, steps=settings.steps)
            if settings.space == "w" and encoding.space != "w":
                raise InputError(f"The encoder '{encoding.encoder}' gives codes of W+; leave --space w out.")
            return encoding
        from invert.optimize import OptimizationInverter

        return OptimizationInverter(
            self.generator,
            settings.space,
            steps=settings.steps,
            seed=settings.seed,
            precision=settings.precision,
        )

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
        found = done_before(outputs.record, Source.of(job.photo), self._inverter, self._face)
        if found is None:
            return False
        if not outputs.picture.exists():
            save_picture(self._picture(found), outputs.picture)
        if outputs.npz is not None and not outputs.npz.exists():
            found.save_npz(outputs.npz)
        self.skipped.append(outputs.record)
        return True

    def invert(self, target: Target) -> "Inversion":
        """Search the code of one target and write its files.

        Raises:
            InputError: a file cannot be written.
            KeyboardInterrupt: Ctrl-C, where the best code so far is not wanted; nothing is written.
        """
        from invert.done import FACE
        from invert.source import Source

        settings, outputs = self.settings, target.outputs
        source = Source.of(target.photo)
        crop, alignment = self._crop(target)
        # Before the search, so that weights which cannot be fetched cost no search.
        person = None if target.face is None else self._identity(crop)
        images = to_tensor(crop, device=self.generator.device)
        # The film is completed last, so that its failure costs no code.
        with self._film(outputs.preview, images) as add_frame:
            with show_progress(target.label, quiet=settings.quiet) as report:

                def on_step(progress: "Progress") -> None:
                    report(progress.step, progress.steps, progress.loss)
                    add_frame(progress)

                inversion = self._inverter.invert(images, on_step=on_step, keep_partial=settings.keep_partial)
            known = inversion.settings | {FACE: self._face}
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

        ws = inversion.for_generator(self.generator)
        return self._picture(inversion), {**inversion.metrics, **measure(self.generator, ws, images)}

    def _picture(self, inversion: "Inversion") -> "Image.Image":
        import torch

        maps: Noise = "const"
        if inversion.noise is not None:
            maps = [map.to(self.generator.device) for map in inversion.noise]
        with torch.inference_mode():
            return to_picture(self.generator.synthesize(inversion.for_generator(self.generator), maps))[0]

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
