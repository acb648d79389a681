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
    from invert.identity import Identity
    from invert.inversion import Inversion
    from invert.optimize import Progress


@dataclass(frozen=True)
class Settings:
    """What the command line says about a run; each attribute is the option of that name."""

    folder: Path
    model: str = "ffhq"
    method: Literal["optimize"] = "optimize"
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
    """

    def __init__(self, settings: Settings, *, several: bool = False) -> None:
        self.settings = settings
        self.several = several
        self.stopped = False

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

    def targets(self, job: Job) -> list[Target]:
        """Read a photo and find its faces.

        Raises:
            InputError: the photo cannot be read or shows no such face, or a result exists already.
        """
        settings = self.settings
        if settings.face != "all" and not settings.overwrite:
            job.outputs(settings.folder, npz=settings.npz).check_free()
        image = read_photo(job.photo)
        faces: list[tuple[int | None, Face | None]] = [(None, None)]
        if settings.align:
            from invert.align import require_faces

            found = require_faces(image, settings.face, job.photo.name)
            # Only where one photo gives several records do their names say which face is whose.
            faces = [(number if len(found) > 1 else None, face) for number, face in enumerate(found)]
        targets = []
        for number, face in faces:
            label = job.photo.name if number is None else f"{job.photo.name}, face {number}"
            outputs = job.outputs(settings.folder, face=number, npz=settings.npz)
            if settings.preview is not None:
                name = f"{outputs.stem}.{settings.preview.name}"
                alone = not self.several and number is None
                preview = settings.preview if alone else settings.preview.with_name(name)
                if preview.exists() and preview.samefile(job.photo):
                    raise InputError(f"{preview} is the photo itself; give the film another name.")
                check_preview_path(preview, settings.overwrite)
                outputs = dataclasses.replace(outputs, preview=preview)
            if not settings.overwrite:
                outputs.check_free()
            targets.append(Target(job.photo, image, face, label, outputs))
        return targets

    def invert(self, target: Target) -> "Inversion":
        """Search the code of one target and write its files.

        Raises:
            InputError: a file cannot be written.
            KeyboardInterrupt: Ctrl-C, where the best code so far is not wanted; nothing is written.
        """
        from invert.optimize import OptimizationInverter
        from invert.source import Source

        settings, outputs = self.settings, target.outputs
        source = Source.of(target.photo)
        crop, alignment = self._crop(target)
        # Before the search, so that weights which cannot be fetched cost no search.
        person = None if target.face is None else self._identity(crop)
        images = to_tensor(crop, device=self.generator.device)
        inverter = OptimizationInverter(
            self.generator,
            settings.space,
            steps=settings.steps,
            seed=settings.seed,
            precision=settings.precision,
        )
        # The film is completed last, so that its failure costs no code.
        with self._film(outputs.preview, images) as add_frame:
            with show_progress(target.label, quiet=settings.quiet) as report:

                def on_step(progress: "Progress") -> None:
                    report(progress.step, progress.steps, progress.loss)
                    add_frame(progress)

                inversion = inverter.invert(images, on_step=on_step, keep_partial=settings.keep_partial)
            inversion = dataclasses.replace(inversion, sources=[source], alignments=[alignment])
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
        import torch

        from invert.metrics import measure

        ws = inversion.for_generator(self.generator)
        maps: Noise = "const"
        if inversion.noise is not None:
            maps = [map.to(self.generator.device) for map in inversion.noise]
        with torch.inference_mode():
            picture = to_picture(self.generator.synthesize(ws, maps))[0]
        return picture, {**inversion.metrics, **measure(self.generator, ws, images)}

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
