"""The photos of the tab Album: taken together, and the face of each found one after the other."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.page.page import sentence
from stylegan_latents.demo.page.running import Stage
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.photos import read_upload
from stylegan_latents.demo.session.shared import KeptPerson
from stylegan_latents.demo.session.uploads import Photo
from stylegan_latents.demo.session.visit import MOST_FACES, Visit
from stylegan_latents.demo.tabs.edit import searching
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.invert.inverters.options import Quality

MOST_PHOTOS = 24


def add_photos(visit: Visit, uploads: Sequence[str], *, align: bool = True) -> Iterator[Stage | list[str]]:
    """Add uploaded photos to the visit's album.

    Args:
        visit: with the album.
        uploads: the paths that Gradio gives.
        align: whether to look for faces.

    Yields:
        Stages; finally the reasons why photos were refused, each with the photo's name.

    Raises:
        InputError: there are too many.
    """
    if len(visit.album) + len(uploads) > MOST_PHOTOS:
        raise InputError(f"An album here has up to {MOST_PHOTOS} photos; remove some first.")
    refused: list[str] = []
    known = {photo.source().sha256 for photo in visit.album}
    for number, upload in enumerate(uploads, 1):
        yield Stage(f"Looking for faces in photo {number} of {len(uploads)}", (number - 1) / len(uploads))
        name = Path(upload).name
        try:
            photo = read_upload(visit, visit.take(upload), name, align=align, slot="album", photos=MOST_PHOTOS)
        except InputError as error:
            refused.append(f"{name}: {sentence(error, visit)}")
            continue
        if (digest := photo.source().sha256) in known:
            photo.path.unlink()
            continue
        known.add(digest)
        visit.album.append(photo)
    yield refused


def remove_photos(visit: Visit) -> None:
    """Empty the album; photos that a face belongs to stay in the visit's folder."""
    for photo in visit.album:
        if not visit.busy and all(face.photo != photo.path for face in visit.faces.values()):
            photo.path.unlink(missing_ok=True)
    visit.album.clear()


def find_each(
    visit: Visit, *, quality: "Quality" = "good", person: KeptPerson | None = None, every: bool = False
) -> Iterator[Stage | list[str]]:
    """Search the codes of the photos' faces, one after the other; each becomes a face of the visit.

    A stop ends the search that runs, whose result is kept or not, and the rest.

    Args:
        visit: with the album.
        quality: as for ``make_inverter``.
        person: whose model is searched; None for anybody.
        every: every face of a photo; else the largest.

    Yields:
        Stages; finally the reasons why faces were not found, each with the photo's name.

    Raises:
        InputError: there is no photo.
        StoppedError: the visitor stopped it without keeping the result.
    """
    if not visit.album:
        raise InputError("Drop some photos first.")
    chosen = [
        (photo, number)
        for photo in visit.album
        for number in (range(len(photo.faces)) if every and photo.faces else [photo.largest])
    ]
    failed: list[str] = []
    for place, (photo, number) in enumerate(chosen):
        if len(visit.faces) >= MOST_FACES:
            left_over = len(chosen) - place
            words = "1 face was" if left_over == 1 else f"{left_over} faces were"
            failed.append(f"{words} left out, as this visit has {MOST_FACES}; delete some first")
            break
        what = f"Face {place + 1} of {len(chosen)}, {photo.name}"
        try:
            for now in searching.search(visit, photo, number, quality=quality, person=person):
                if isinstance(now, Face):
                    visit.choose(now, ["edit"])
                    break
                # Searches of one album take about the same time.
                left = now.seconds_left
                if left is not None:
                    left += (now.seconds_another or 0.0) * (len(chosen) - place - 1)
                part = (place + now.step / now.steps) / len(chosen)
                yield Stage(what, part, now.now, left)
        except InputError as error:
            failed.append(f"{photo.name}: {sentence(error, visit)}")
        if visit.stop.is_set():
            break
    yield failed


def command_of_faces(visit: Visit, names: Sequence[str]) -> str:
    """The command lines that made these faces."""
    return "\n".join(visit.faces[name].made_by for name in names if name in visit.faces)


def faces_of(photos: Sequence[Photo]) -> str:
    """How many photos there are, in words."""
    several = sum(len(photo.faces) > 1 for photo in photos)
    words = f"{len(photos)} photo{'' if len(photos) == 1 else 's'}"
    return f"{words}, {several} of them with several faces" if several else words
