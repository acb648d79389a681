"""One person's model from the photos of the album, as ``invert ALBUM --together`` makes it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.page.running import Done, Stage, Steps, run_in_stages
from stylegan_latents.demo.session.files import ANEW, clean_name, free_name
from stylegan_latents.demo.session.shared import KeptPerson
from stylegan_latents.demo.session.uploads import Photo
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.album.build import STEPS_EACH, faces_of_person, tune_person
from stylegan_latents.invert.invert_face import cut_out, find_codes
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.record.person import LEAST_PHOTOS, PERSON_SUFFIX, Person

if TYPE_CHECKING:
    from stylegan_latents.invert.faces.detector import Face
    from stylegan_latents.invert.faces.identity import Embedding
    from stylegan_latents.invert.inverters.base import Progress
    from stylegan_latents.invert.inverters.options import Quality
    from stylegan_latents.invert.record.inversion import Inversion

    Shown = tuple[Photo, Face | None, Embedding | None]
    """A photo, and the person's face in it."""

MOST_PEOPLE = 2


def make_person(
    visit: Visit, name: str, *, quality: "Quality" = "good"
) -> Iterator[Stage | Done[tuple[KeptPerson, list[str]]]]:
    """Make a model of the person that the album shows, and keep it in the visit.

    Args:
        visit: with the album.
        name: of the person.
        quality: decides the steps of the searches and of the tuning.

    Yields:
        Stages; finally the model, and the names of the photos that show others.

    Raises:
        InputError: there are too few photos of one person, no name, or no room.
        StoppedError: the visitor stopped it; nothing is kept.
    """
    from stylegan_latents.invert.inverters.tuning import TuningSettings

    if not name.strip():
        raise InputError("Give the person a name first, such as anna.")
    if len(visit.album) < LEAST_PHOTOS:
        raise InputError(f"A person's model needs {LEAST_PHOTOS} photos or more, and there are {len(visit.album)}.")
    _check_room(visit)
    studio, photos = visit.studio, list(visit.album)
    own = free_name(clean_name(name), visit.people)
    inverter = make_inverter(studio.G, quality=quality, steps=studio.steps)

    def work(report: Callable[[Steps], None]) -> tuple[Person, list[str]]:
        shown, others = _of_person(photos, report)
        crops = [
            cut_out(photo.read(), face, studio.G.resolution, source=photo.source()) for photo, face, _ in shown
        ]
        found: list[Inversion] = []
        for number, crop in enumerate(crops):

            def on_step(one: "Progress", done: int = number) -> None:
                # All photos take as many steps.
                report(("Searching the photos, step", done * one.steps + one.step, len(crops) * one.steps))

            anchor = find_codes(inverter, [crop], on_step=on_step)
            sources = [] if crop.source is None else [crop.source]
            found.append(replace(anchor, sources=sources, alignments=[crop.alignment]))
        person = Person.of(own, found, [embedding for *_, embedding in shown])
        settings = TuningSettings(steps=STEPS_EACH[quality] * len(crops))
        made = tune_person(
            studio.G,
            person,
            crops,
            settings,
            lambda step, steps, _: report(("Tuning to all photos, step", step, steps)),
        )
        return made, others

    for now in run_in_stages(visit, work):
        if isinstance(now, Stage):
            yield now
        else:
            person, others = now.result
            yield Done((_keep(visit, own, person, photos, quality), others))


def _of_person(photos: list[Photo], report: Callable[[Steps], None]) -> "tuple[list[Shown], list[str]]":
    """The photos that show the person, and the names of the others; those that are not aligned are all taken."""
    from stylegan_latents.invert.faces.identity import Identity

    identity = Identity()
    aligned = [photo for photo in photos if photo.faces]
    embeddings: list[list[Embedding]] = []
    for number, photo in enumerate(aligned, 1):
        picture = photo.read()
        embeddings.append([identity.embed_face(picture, face) for face in photo.faces])
        report(("Comparing the faces of photo", number, len(aligned)))
    chosen = faces_of_person(embeddings) if aligned else []
    shown: list[Shown] = [(photo, None, None) for photo in photos if not photo.faces]
    others = []
    for photo, faces, which in zip(aligned, embeddings, chosen, strict=True):
        if which is None:
            others.append(photo.name)
        else:
            shown.append((photo, photo.faces[which], faces[which]))
    if len(shown) < LEAST_PHOTOS:
        raise InputError(f"A person's model needs {LEAST_PHOTOS} photos or more, and there are {len(shown)}.")
    return shown, others


def _keep(visit: Visit, name: str, person: Person, photos: list[Photo], quality: str) -> KeptPerson:
    # Another one may have been opened under this name meanwhile.
    kept_as = free_name(name, visit.people)
    path = visit.files.new_path(kept_as, PERSON_SUFFIX)
    person.save(path)
    words = ["invert", *(photo.name for photo in photos), "--together", "--name", name, "--quality", quality]
    words += [] if visit.studio.steps is None else ["--steps", str(visit.studio.steps)]
    words += [] if any(photo.faces for photo in photos) else ["--no-align"]
    visit.people[kept_as] = kept = KeptPerson(kept_as, path, visit.studio.command_line(words))
    visit.version += 1
    return kept


def _check_room(visit: Visit) -> None:
    if len(visit.people) >= MOST_PEOPLE:
        raise InputError(f"{MOST_PEOPLE} people's models are kept already; {ANEW}")


def open_person(visit: Visit, upload: str) -> KeptPerson:
    """Keep an uploaded model of a person.

    Raises:
        InputError: it is no such file, belongs to another generator, or there is no room.
    """
    _check_room(visit)
    taken = visit.take(upload)
    try:
        with visit.computing():  # a copy of the model takes memory
            person = Person.load(taken)
            person.generator(visit.studio.G)
        name = free_name(clean_name(Path(upload).name.removesuffix(PERSON_SUFFIX)), visit.people)
        path = visit.files.new_path(name, PERSON_SUFFIX)
        taken.rename(path)
    finally:
        taken.unlink(missing_ok=True)
    visit.people[name] = kept = KeptPerson(name, path)
    visit.version += 1
    return kept
