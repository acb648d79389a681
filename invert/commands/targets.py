"""The faces of a photo that are still to be inverted: detected, chosen and cut out."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.progress import show_status
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.jobs import Job, Outputs, Target
from stylegan_latents.invert.commands.messages import describe_choice, describe_small_face
from stylegan_latents.invert.films.preview import check_preview_path
from stylegan_latents.invert.invert_face import cut_out
from stylegan_latents.invert.photos.files import read_photo, save_picture
from stylegan_latents.invert.record.metrics import picture_of
from stylegan_latents.invert.record.run_settings import COMPARED_AT, DIVERGED, FACE, RUN_SETTINGS
from stylegan_latents.invert.record.source import Source

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.invert.commands.session import Session
    from stylegan_latents.invert.commands.settings import Settings
    from stylegan_latents.invert.faces.detector import Face
    from stylegan_latents.invert.inverters.base import Inverter
    from stylegan_latents.invert.photos.crop import Alignment
    from stylegan_latents.invert.record.inversion import Inversion


def find_targets(session: "Session", job: Job) -> Iterator[Target]:
    """Read a photo, find its faces and cut them out; those that are done already go to ``session.skipped``.

    Raises:
        InputError: the photo or its mask cannot be used, it shows no such face, a result exists that was made in
            another way, or another run is making it.
        SettingsError: the settings fit no photo.
    """
    settings = session.settings
    # Only with several faces do the records' names depend on what the photo shows.
    if (settings.face == "largest" or not settings.align) and not settings.overwrite:
        outputs = _outputs(session, job)
        if _is_done(session, job, outputs):
            return
        outputs.check_free()
    image = read_photo(job.file)
    faces, note = _faces(session, job, image) if settings.align else ([(None, None)], "")
    chosen = []
    for number, face in faces:
        outputs = _outputs(session, job, number)
        session.locks.take(outputs.record)
        if not settings.overwrite and _is_done(session, job, outputs, number):
            session.locks.release(outputs.record)
            continue
        if outputs.preview is not None:
            if outputs.preview.exists() and outputs.preview.samefile(job.file):
                raise InputError(f"{outputs.preview} is the photo itself; give the preview another name.")
            check_preview_path(outputs.preview, settings.overwrite)
        if not settings.overwrite:
            outputs.check_free()
        chosen.append((number, face, outputs))
    for number, face, outputs in chosen:
        G, source = session.inverter.G, job.source()
        identity = None if face is None else session.identity
        aspect = G.width / G.resolution
        crop = cut_out(image, face, G.resolution, source=source, identity=identity, aspect=aspect)
        crop = dataclasses.replace(
            crop,
            masks=_masks(settings, job.photo, image, crop.alignment),
            compared_at=settings.low_resolution or crop.compared_at,
        )
        label, notes = _label(job, number), [note]
        if face is not None and settings.low_resolution is None and crop.compared_at is not None:
            notes.append(describe_small_face(label, face.size, crop.compared_at, G.resolution))
        yield Target(job.photo, label, outputs, crop, [one for one in notes if one])


def _faces(session: "Session", job: Job, image: "Image.Image") -> "tuple[list[tuple[int | None, Face]], str]":
    """The chosen faces, each with its number if its files' names contain it; and a note on the choice."""
    from stylegan_latents.generator.weights.fetch import cache_folder
    from stylegan_latents.invert.faces.align import require_faces
    from stylegan_latents.invert.faces.cnn_detector import CnnDetector
    from stylegan_latents.invert.faces.detector import NoFaceError, choose_faces
    from stylegan_latents.invert.faces.find import DLIB

    which = session.settings.face
    is_cached = (cache_folder() / "dlib-68-landmarks").is_dir()
    with show_status(f"Looking for faces in {job.photo.name}", quiet=session.settings.quiet or not is_cached):
        usual = CnnDetector() if session.settings.detector == "cnn" else DLIB
        try:
            found = require_faces(image, "all", job.photo.name, session.landmarks.get(job.photo, usual))
        except NoFaceError as error:
            if usual is not DLIB:
                raise
            raise NoFaceError(f"{error} For a profile, add --detector cnn.") from error
    if which == "all":
        return [(number if len(found) > 1 else None, face) for number, face in enumerate(found)], ""
    chosen = choose_faces(found, which)[0]
    number = next(number for number, face in enumerate(found) if face is chosen)
    if len(found) == 1:
        return [(None, chosen)], ""
    if which != "largest":
        return [(number, chosen)], ""
    return [(None, chosen)], describe_choice(job.label, len(found), number)


def _outputs(session: "Session", job: Job, number: int | None = None) -> Outputs:
    """The files of one face."""
    settings, preview = session.settings, session.settings.preview
    outputs = job.outputs(session.folder, face=number, npz=settings.npz)
    if preview is not None and (session.several or (number is not None and settings.face == "all")):
        preview = preview.with_name(f"{outputs.stem}.{preview.name}")
    return dataclasses.replace(outputs, preview=preview)


def _is_done(session: "Session", job: Job, outputs: Outputs, number: int | None = None) -> bool:
    """Whether the same search was done before; missing files that its record can give are written."""
    settings = session.settings
    session.fetch(outputs)
    if not outputs.record.is_file() or (outputs.preview is not None and not outputs.preview.exists()):
        return False
    source, run_settings = job.source(), session.run_settings(job.photo)
    variants = [run_settings]
    if settings.align:
        # A face is the same whether it was chosen by its number or with all.
        names = [settings.face] if number is None else ["all", str(number)]
        variants = [run_settings | {FACE: name} for name in names]
    found = _done_before(outputs.record, source, session.inverter, variants)
    if found is None:
        return False
    if not outputs.picture.exists():
        save_picture(picture_of(session.generator, found), outputs.picture)
    if outputs.npz is not None and not outputs.npz.exists():
        found.save_npz(outputs.npz)
    session.send(outputs)
    session.skipped.append(outputs.record)
    if session.report is not None:
        session.report.add_done(session.generator, found, job.file, _label(job, number), outputs)
    return True


def _done_before(
    record: Path, source: Source, inverter: "Inverter", variants: "Sequence[Mapping[str, JSON]]"
) -> "Inversion | None":
    """The record, if it is of the same photo, model, inverter and one of these variants of the run's settings.

    A search that Ctrl-C ended does not count; one that diverged does, as it would diverge again.
    """
    from stylegan_latents.invert.record.inversion import Inversion

    try:
        found = Inversion.load(record)
    except InputError:  # damaged; not replaced without --overwrite
        return None
    same_photo = len(found) == 1 and [one.sha256 for one in found.sources] == [source.sha256]
    settings = {name: value for name, value in found.settings.items() if name != DIVERGED}
    of_run = {name: settings.pop(name) for name in RUN_SETTINGS if name in settings}
    of_run.pop(COMPARED_AT, None)  # follows from the face and from --low-resolution
    same_method = found.method == inverter.method and inverter.G.has_fingerprint(found.fingerprint)
    same = same_method and _same_settings(inverter.settings(), settings, inverter.defaults())
    return found if same_photo and of_run in variants and same else None


_NO_OPTION = frozenset({"learning_rate", "momentum", "prior_weight"})
"""Settings that no option sets: in a record others are those of an earlier version, whose work counts as well."""


def _same_settings(ours: "JSON", kept: "JSON", defaults: "JSON") -> bool:
    """Whether settings are those of a record; one that the record lacks, as it is newer, counts as its default."""
    if not (isinstance(ours, dict) and isinstance(kept, dict) and isinstance(defaults, dict)):
        return ours == kept
    lacking = {name: defaults.get(name, value) for name, value in ours.items()}
    return kept.keys() <= ours.keys() and all(
        _same_settings(value, (lacking | kept)[name], defaults.get(name))
        for name, value in ours.items()
        if name not in _NO_OPTION
    )


def _label(job: Job, number: int | None) -> str:
    return job.label if number is None else f"{job.label}, face {number}"


def _masks(settings: "Settings", photo: Path, image: "Image.Image", alignment: "Alignment") -> "dict[str, Tensor]":
    """The photo's masks, by argument of ``Inverter.invert``."""
    from stylegan_latents.invert.photos.crop import compared, read_mask

    masks: dict[str, Tensor] = {}
    for name, path in (("mask", settings.mask), ("unchanged", settings.keep_unchanged)):
        if path is not None:
            counts = compared(read_mask(path, image, photo.name), alignment)
            masks[name] = counts if name == "mask" else 1 - counts
    return masks
