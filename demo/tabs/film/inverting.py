"""A visitor's film: its face is inverted frame by frame, as ``invert FILM`` does, and edited in all of them."""

import contextlib
import math
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from stylegan_latents.demo.page.running import Done, Stage, Steps, run_in_stages
from stylegan_latents.demo.session.edited import direction_words, edits_of
from stylegan_latents.demo.session.shared import KeptFilm
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.cli.progress import Report
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.run_films import frames_without_face
from stylegan_latents.invert.inverters.options import Quality
from stylegan_latents.invert.record.files import RECORD_SUFFIX
from stylegan_latents.invert.record.footage import Footage

LONGEST_SECONDS, MOST_FRAMES = 10.0, 250
_MOST_PIXELS = 3840 * 2160


def invert_film(
    visit: Visit, upload: str | None, *, quality: Quality = "good", every: int = 2, align: bool = True
) -> Iterator[Stage | Done[KeptFilm]]:
    """Find the code of the face in each frame, and keep the record in the visit.

    What was done before a stop is used when the same film is begun again with the same settings.

    Args:
        visit: that keeps it.
        upload: the path that Gradio gives.
        quality: of the search in the first frame, which the others follow.
        every: invert every Nth frame; the codes between are interpolated.
        align: whether to look for a face; else the central square is taken.

    Yields:
        Stages; finally the film with its record.

    Raises:
        InputError: it is no film, too large, or shows no face.
        StoppedError: the visitor stopped it.
    """
    from stylegan_latents.invert.commands.film_session import FilmSession
    from stylegan_latents.invert.commands.session import Session
    from stylegan_latents.invert.commands.settings import Settings
    from stylegan_latents.invert.films.read import film_facts, is_film

    if not upload:
        raise InputError("Drop a film first.")
    earlier = visit.film
    known = earlier if earlier is not None and earlier.upload == upload else None
    path = visit.take(upload) if known is None else known.path
    try:
        if not is_film(path):
            raise InputError(f"{path.name} is no film; take an .mp4, .mov or .webm file, or an animated picture.")
        facts = film_facts(path)
        width, height = facts.size
        if width * height > _MOST_PIXELS:
            raise InputError(f"A film here has up to 3840x2160 pixels, and this one {width}x{height}.")
    except InputError:
        if known is None:
            path.unlink()
        raise
    if known is None and earlier is not None:
        shutil.rmtree(earlier.path.parent, ignore_errors=True)
    visit.film = film = known or KeptFilm(upload, path)
    most = min(math.floor(LONGEST_SECONDS * facts.rate), MOST_FRAMES * every)
    limit = most if not facts.count or facts.count > most else None
    settings = Settings(
        photos=[film.path], model=visit.studio.G.name, quality=quality, steps=visit.studio.steps, every=every,
        max_frames=limit, align=align, quiet=True,
        # A folder for each choice, so that none finds the files of another in its place.
        out=film.path.parent / f"{quality}-{every}-{'aligned' if align else 'centre'}",
    )  # fmt: skip
    settings.check_for_films()
    session = Session(settings)
    session.generator = visit.studio.G

    def work(report: Callable[[Steps], None]) -> FilmSession:
        settings.folder.mkdir(exist_ok=True)
        run = FilmSession(session, film.path, show=_shown_by(report))
        with contextlib.closing(session.locks):
            run.invert()
        return run

    for now in run_in_stages(visit, work):
        if isinstance(now, Stage):
            yield now
            continue
        words = ["invert", Path(upload).name, "--quality", quality]
        words += [] if visit.studio.steps is None else ["--steps", str(visit.studio.steps)]
        words += [] if every == 1 else ["--every", str(every)]
        words += [] if limit is None else ["--max-frames", str(limit)]
        words += [] if align else ["--no-align"]
        made_by, written = visit.studio.command_line(words), f"{Path(upload).stem}{RECORD_SUFFIX}"
        record = now.result.record
        if written != record.name:
            made_by += "\n" + shlex.join(["mv", written, record.name])
        footage = _name_source(record, Path(upload).name)
        notes = [f"The film is in HDR ({facts.hdr}); new films are in SDR, tone-mapped."] if facts.hdr else []
        notes += [f"{note[0].upper()}{note[1:]}." for note in frames_without_face(footage)]
        visit.film = replace(film, record=record, drawn=now.result.result, made_by=made_by, notes=tuple(notes))
        yield Done(visit.film)


def _name_source(record: Path, name: str) -> Footage:
    """Put the visitor's file name into the record, and take out the server's path."""
    from stylegan_latents.invert.record.inversion import Inversion

    found = Inversion.load(record)
    assert found.footage is not None
    footage = replace(found.footage, source=replace(found.footage.source, name=name, path=None))
    replace(found, footage=footage, model_file=None).save(record, overwrite=True)
    return footage


def edit_film(
    visit: Visit, strengths: Mapping[str, float], *, paste_back: bool = True
) -> Iterator[Stage | Done[tuple[Path, str]]]:
    """Draw all frames of the visit's film with an edit.

    Args:
        visit: with a film that was inverted.
        strengths: by the directions' names.
        paste_back: put the face back into the frames; else the film shows the crop.

    Yields:
        Stages; finally the film, and the command lines.

    Raises:
        InputError: there is no such film or direction, or no edit.
        StoppedError: the visitor stopped it; no file is left.
    """
    from stylegan_latents.editing.directions.apply import edit_name
    from stylegan_latents.editing.films import film_edit
    from stylegan_latents.editing.records.opened import OpenRecord

    film, edits = visit.film, edits_of(visit, strengths)
    if film is None or film.record is None:
        raise InputError("Find the face in the film first.")
    if not edits:
        raise InputError("Nothing is changed yet: choose a direction, and a strength other than 0.")
    record = film.record
    name = edit_name([(direction.name, strength) for direction, strength in edits])
    out = visit.files.new_path(f"{film.path.stem}.{name}", ".mp4")

    def work(report: Callable[[Steps], None]) -> Path:
        opened = OpenRecord(record, generator=visit.studio.G, film=True)
        return film_edit.edit_film(
            opened, edits, name=name, out=out, paste_back=paste_back, film=film.path,
            on_frame=lambda done, all_: report(("Frame", done, all_)),
        )  # fmt: skip

    for now in run_in_stages(visit, work):
        if isinstance(now, Stage):
            yield now
            continue
        words = ["edit", record.name, *direction_words(visit, strengths)]
        words += ["--paste-back"] if paste_back else []
        command = "\n".join([film.made_by, visit.studio.command_line(words)])
        yield Done((Path(visit.files.hold(now.result, "edited-film", 2)), command))


def _shown_by(report: Callable[[Steps], None]) -> "Callable[..., contextlib.AbstractContextManager[Report]]":
    """A function as ``show_progress`` that reports instead."""

    @contextlib.contextmanager
    def show(label: str, *, quiet: bool = False) -> Iterator[Report]:  # noqa: ARG001
        # The labels begin with the film's name, and the search of the first frame comes amid those of all.
        what = label.partition(", ")[2]
        words = {"": "Frame", "first code": "First frame, step", "drawing": "Drawing frame"}.get(
            what, "Looking at frame"
        )
        yield lambda step, steps, _loss: report((words, step, steps))

    return show
