"""A run over an album: one model of one person, which grows when photos are added."""

import contextlib
import dataclasses
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.command import warn
from stylegan_latents.generator.cli.progress import show_progress, show_status
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.reading.remote_files import address_of
from stylegan_latents.invert.album.build import STEPS_EACH, faces_of_person, tune_person
from stylegan_latents.invert.commands.jobs import Job
from stylegan_latents.invert.commands.messages import Failures
from stylegan_latents.invert.commands.session import Session
from stylegan_latents.invert.commands.settings import Settings
from stylegan_latents.invert.faces.find import require_faces
from stylegan_latents.invert.invert_face import Crop, cut_out, find_codes
from stylegan_latents.invert.inverters.tuning import TuningSettings
from stylegan_latents.invert.photos.crop import crop_of, part_in_photo
from stylegan_latents.invert.photos.files import read_photo
from stylegan_latents.invert.record.person import LEAST_PHOTOS, PERSON_SUFFIX, Person
from stylegan_latents.invert.record.source import Source

if TYPE_CHECKING:
    from stylegan_latents.invert.faces.detector import Face
    from stylegan_latents.invert.faces.identity import Embedding
    from stylegan_latents.invert.record.inversion import Inversion


@dataclasses.dataclass(frozen=True, eq=False)
class _Photo:
    """A photo of the person that is not in the model yet; without a face if photos are not aligned."""

    job: Job
    source: Source
    face: "Face | None" = None
    embedding: "Embedding | None" = None


def run_album(jobs: Sequence[Job], settings: Settings) -> int:
    """Make one person's model from photos, or add those to it that it does not have yet.

    Returns:
        The exit status: that some photos could not be read, or 0.

    Raises:
        InputError: there are too few photos of one person, the model's file is no person's or another generator's.
        KeyboardInterrupt: Ctrl-C. Anchors that were found are kept for the next run.
    """
    if address_of(settings.folder) is not None:
        raise InputError("A person's model is a file of this machine; --out takes a folder here.")
    file = settings.folder / f"{settings.name}{PERSON_SUFFIX}"
    session, failures = Session(settings), Failures("photos", len(jobs))
    with contextlib.closing(session.locks):
        session.locks.take(file)
        album = _Album(session, file, failures)
        album.add(jobs)
        album.tune([job.photo.parent for job in jobs if job.origin is None])
    return failures.summarise()


class _Album:
    """The state of a run.

    Attributes:
        person: the model so far; None before the first anchor.
    """

    def __init__(self, session: Session, file: Path, failures: Failures) -> None:
        self.session, self.file, self.failures = session, file, failures
        self.settings = session.settings
        self.person: Person | None = None
        if file.exists() and not self.settings.overwrite:
            self.person = Person.load(file)
        self.crops: dict[str, Crop] = {}

    def add(self, jobs: Sequence[Job]) -> None:
        """Find the anchors of the photos of the person that are not in the model."""
        known = [] if self.person is None else [one for one in self.person.embeddings if one is not None]
        photos = self._of_person(self._new(jobs), known)
        before = 0 if self.person is None else len(self.person.record)
        if before + len(photos) < LEAST_PHOTOS:
            raise InputError(
                f"A person's model needs {LEAST_PHOTOS} photos or more, and there are {before + len(photos)}; add "
                "some."
            )
        if not photos:
            return
        if self.person is not None and not self.session.generator.has_fingerprint(self.person.record.fingerprint):
            raise InputError(
                f"{self.file} was made with the model '{self.person.record.model}'; give that with --model, or "
                "another --name."
            )
        self._find(photos)

    def _new(self, jobs: Sequence[Job]) -> list[tuple[Job, Source]]:
        taken = set() if self.person is None else {source.sha256 for source in self.person.record.sources}
        new = []
        for job in jobs:
            with self.failures.collect():
                with job.at_hand() as here:
                    source = here.source()
                if source.sha256 not in taken:
                    taken.add(source.sha256)
                    new.append((job, source))
        return new

    def _of_person(self, new: Sequence[tuple[Job, Source]], known: "Sequence[Embedding]") -> list[_Photo]:
        """The photos that show the person; the others are named."""
        if not self.settings.align:
            return [_Photo(job, source) for job, source in new]
        identity = self.session.identity
        candidates: list[list[_Photo]] = []
        with show_status("Finding the person", quiet=self.settings.quiet):
            for job, source in new:
                with self.failures.collect(), job.at_hand() as here:
                    picture = read_photo(here.file)
                    faces = require_faces(picture, "all", job.label)
                    candidates.append(
                        [_Photo(job, source, face, identity.embed_face(picture, face)) for face in faces]
                    )
        if not candidates:
            return []
        embeddings = [[one.embedding for one in faces if one.embedding is not None] for faces in candidates]
        chosen = faces_of_person(embeddings, known)
        left_out = [faces[0].job.label for faces, number in zip(candidates, chosen, strict=True) if number is None]
        if left_out:
            warn("invert", f"left out, as they show other people: {', '.join(left_out)}")
        return [faces[number] for faces, number in zip(candidates, chosen, strict=True) if number is not None]

    def _find(self, photos: Sequence[_Photo]) -> None:
        """Search the anchors; what was found is kept, also by Ctrl-C."""
        found: list[Inversion] = []
        faces: list[Embedding | None] = []
        base = self.person
        try:
            for number, photo in enumerate(photos, 1):
                with self.failures.collect():
                    crop = self._crop(photo)
                    label = f"Anchor {number} of {len(photos)}, {photo.job.label}"
                    with show_progress(label, quiet=self.settings.quiet) as report:
                        anchor = self._anchor(crop, report)
                    found.append(
                        dataclasses.replace(
                            anchor,
                            sources=[photo.source],
                            alignments=[crop.alignment],
                            model_file=self.settings.model_file,
                        )
                    )
                    faces.append(photo.embedding)
                    self.crops[photo.source.sha256] = crop
        finally:
            if found:
                self.person = Person.of(str(self.settings.name), found, faces, base=base)
                self.person.save(self.file, overwrite=base is not None or self.settings.overwrite)

    def _anchor(self, crop: Crop, report: "Callable[[int, int, float], None]") -> "Inversion":
        return find_codes(self.session.inverter, [crop], on_step=lambda one: report(one.step, one.steps, one.loss))

    def _crop(self, photo: _Photo) -> Crop:
        G = self.session.inverter.G
        with photo.job.at_hand() as here:
            picture = read_photo(here.file)
        return cut_out(picture, photo.face, G.resolution, source=photo.source, aspect=G.width / G.resolution)

    def tune(self, folders: Sequence[Path]) -> None:
        """Tune to all photos, unless that was done; those of earlier runs are also looked for in ``folders``."""
        settings, person, quiet = self.settings, self.person, self.settings.quiet
        if person is None:
            return
        count = len(person.record)
        if count < LEAST_PHOTOS:
            raise InputError(f"Only {count} photos could be inverted, and a person's model needs {LEAST_PHOTOS}.")
        if person.is_tuned:
            if not quiet:
                print(printable(f"{self.file} has all of these photos, {count} in all; nothing is to be done"))
            return
        G = self.session.generator
        crops = [self._earlier(place, {*folders, self.file.parent}) for place in range(count)]
        chosen = TuningSettings(
            steps=STEPS_EACH[settings.quality] * count, seed=settings.seed, precision=settings.precision
        )
        begun = time.perf_counter()
        with show_progress(f"Tuning to {count} photos", quiet=quiet) as report:
            person = tune_person(G, person, crops, chosen, report)
        person.save(self.file, overwrite=True)
        if not quiet:
            lpips = person.record.metrics["lpips_alex"]
            print(
                printable(
                    f"Wrote {self.file}: {person.name} in {count} photos, LPIPS {sum(lpips) / count:.3f} on "
                    f"average, tuned in {time.perf_counter() - begun:.0f} s"
                )
            )
            print(printable(f"Next: invert PHOTO --person {shlex.quote(str(self.file))}"))

    def _earlier(self, place: int, folders: set[Path]) -> Crop | None:
        """The crop of a photo of the model; None if the photo is lost and its picture can stand in."""
        assert self.person is not None
        record = self.person.record
        source, alignment = record.sources[place], record.alignments[place]
        if source.sha256 in self.crops:
            return self.crops[source.sha256]
        path = source.find(*sorted(folders))
        if path is None or alignment is None:
            if record.weights is None:
                raise InputError(
                    f"The photo {source.name} was moved or changed since its anchor was found; name its folder, "
                    "too, or begin anew with --overwrite."
                )
            warn("invert", f"{source.name} was moved or changed; the model's own picture of it is used instead")
            return None
        picture = crop_of(read_photo(path), alignment, self.session.generator.resolution)
        return Crop(picture, alignment, source=source, in_photo=part_in_photo(alignment))
