"""One browser session: its files, photo, faces and directions."""

import dataclasses
import secrets
import shlex
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.session.faces import Face, Strengths
from stylegan_latents.demo.session.files import ANEW, ENDED, VisitFiles, clean_name, free_name
from stylegan_latents.demo.session.queue import Client, Ticket
from stylegan_latents.demo.session.shared import KeptFilm, KeptPerson, KeptStyle, Shared
from stylegan_latents.demo.session.uploads import Marking, Photo
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.files import RECORD_SUFFIX, record_stem

if TYPE_CHECKING:
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.invert.record.inversion import Inversion

MOST_FACES = 24
MOST_DIRECTIONS = 8
_BUSY = "Something that you started is still running; stop it first, or wait until it ends."


class Visit:
    """One browser session.

    Args:
        studio: shared by all visitors.
        client: the visitor.
        folder: for its files.

    Attributes:
        token: the secret by which a browser finds the visit again.
        files: its files.
        faces: by name, in the order of making.
        directions: kept on the tab Discover, bound to the generator, by name; sliders on Edit.
        edited: faces with their edits in their codes, which are not listed; by record and strengths.
        looks: the visitor's own looks, by name.
        styles: the visitor's own styles, by name.
        album: photos that were uploaded together.
        people: models of one person each, by name.
        film: the last film that was uploaded.
        sent: the face sent last to each tab, by the tab's id.
        current: name of the face shown last; empty before the first.
        photo: the last upload.
        marking: the last upload, if no face was detected in it.
        refusal: why the last upload was refused; empty if it was not.
        stop: set to stop the running work, or when the visitor has gone.
        keep: whether the stopped work keeps its result so far.
        seen: time of the last request, by ``monotonic``.
        left: when the connection was lost; None while it stands.
        moves: counts slider moves, to tell when they rest.
        drawn: value of ``moves`` at the last drawing in full resolution.
        version: counts changes of faces and directions, for ``Page``.
    """

    def __init__(self, studio: Shared, client: Client, folder: Path) -> None:
        self.studio = studio
        self.client = client
        self.token = secrets.token_urlsafe(32)
        self.files = VisitFiles(folder)
        self.faces: dict[str, Face] = {}
        self.directions: dict[str, Direction] = {}
        self.edited: dict[tuple[Path, tuple[tuple[str, float], ...]], Face] = {}
        self.looks: dict[str, Strengths] = {}
        self.styles: dict[str, KeptStyle] = {}
        self.album: list[Photo] = []
        self.people: dict[str, KeptPerson] = {}
        self.film: KeptFilm | None = None
        self.sent: dict[str, str] = {}
        self.current = ""
        self.photo: Photo | None = None
        self.marking: Marking | None = None
        self.refusal = ""
        self.stop = threading.Event()
        self.keep = False
        self.seen = time.monotonic()
        self.left: float | None = None
        self.moves = 0
        self.drawn = -1
        self.version = 0
        self._busy = threading.Lock()

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self.files.closed

    @property
    def empty(self) -> bool:
        """Whether there is nothing to come back for."""
        kept = (self.faces, self.directions, self.styles, self.people, self.photo, self.album, self.film)
        return not any(kept)

    def touch(self) -> None:
        """Note a request of the visitor.

        Raises:
            InputError: the visit has ended.
        """
        if self.closed:
            raise InputError(ENDED)
        self.seen, self.left = time.monotonic(), None

    def computing(self) -> AbstractContextManager[Ticket]:
        """A block that waits for the turn to compute and holds it."""
        return self.studio.computing.turn(self.client)

    def prepare(self) -> None:
        """Clear an earlier stop before new work; a stop from now on counts, even before the work starts.

        Raises:
            InputError: other work is running.
        """
        if self.busy:
            raise InputError(_BUSY)
        self.stop.clear()
        self.keep = False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A block of work that the visitor can stop; one at a time for each visit.

        Raises:
            InputError: other work is running, or the visitor has begun too much within the hour.
        """
        if not self._busy.acquire(blocking=False):
            raise InputError(_BUSY)
        try:
            self.studio.allowance.take(self.client.address)
            yield
        finally:
            self.stop.clear()
            self.keep = False
            self._busy.release()

    @property
    def busy(self) -> bool:
        """Whether work of ``at_work`` is running."""
        return self._busy.locked()

    def take(self, upload: str) -> Path:
        """Copy an uploaded file into the visit's folder.

        Raises:
            InputError: it does not exist or was not uploaded, or as ``VisitFiles.take``.
        """
        return self.files.take(self.studio.uploaded(upload))

    def add(
        self,
        inversion: "Inversion",
        stem: str,
        *,
        photo: Path | None = None,
        made_by: str = "",
        writes: str = "",
        listed: bool = True,
    ) -> Face:
        """Keep a record as a face of this visit.

        Args:
            inversion: of one image with the studio's model.
            stem: the face's name; a number is added if it is taken.
            photo: in the visit's folder.
            made_by: see ``Face``.
            writes: the stem of the record that this command line writes, if it is not the face's name.
            listed: whether it becomes one of ``faces``; another one is kept for a while.

        Raises:
            InputError: the record is for another model, or there are too many faces.
        """
        if listed:
            self.check_room()
        name = free_name(clean_name(stem), {*self.faces, *(face.name for face in self.edited.values())})
        if writes and writes != name:
            made_by += "\n" + shlex.join(["mv", f"{writes}{RECORD_SUFFIX}", f"{name}{RECORD_SUFFIX}"])
        # Beside the photo, so that the photo's name in the record finds it.
        path = (
            self.files.new_path(name, RECORD_SUFFIX) if photo is None else photo.with_name(f"{name}{RECORD_SUFFIX}")
        )
        # The server's path of the model is not the visitor's to know.
        dataclasses.replace(inversion, model_file=None).save(path, overwrite=True)
        return self._keep(name, path, photo, made_by, listed=listed)

    def check_room(self) -> None:
        """Raise InputError if there is no room for another face."""
        if len(self.faces) >= MOST_FACES:
            raise InputError(f"This visit has {MOST_FACES} faces already; delete some first.")

    def open(self, record: Path) -> Face:
        """Add the face of an uploaded record, or of a file with a code for this model; a file of ``take``.

        Raises:
            InputError: as ``add``, or the file holds no record and no code, or is damaged.
        """
        from stylegan_latents.editing.records.code_files import adopted, code_name, is_code_file, read_code
        from stylegan_latents.invert.record.inversion import Inversion

        if is_code_file(record):
            code = adopted(read_code(record)[1], self.studio.G, None)
            return self.add(code, code_name(record, code))
        inversion = Inversion.load(record)
        known = [source.sha256 for source in inversion.sources]
        photo = self.photo if self.photo is not None and known == [self.photo.source().sha256] else None
        # The face can be pasted back if its photo was uploaded, too.
        return self.add(inversion, record_stem(record), photo=None if photo is None else photo.path)

    def _keep(self, name: str, path: Path, photo: Path | None, made_by: str, *, listed: bool) -> Face:
        before = self.files.new_path(f"{name}-before", ".jpg")
        face = Face(name, path, self.studio.records, before, photo, made_by)
        if listed:
            self.draw_before(face)
            self.faces[name] = face
            self.version += 1
        return face

    def draw_before(self, face: Face) -> None:
        """Draw ``Face.before``, if that has not been done."""
        if not face.before.exists():
            with self.computing():
                picture = face.preview.picture(size=self.studio.preview_size)
            picture.save(face.before, quality=92)

    def face(self, name: str | None) -> Face:
        """The face of this name.

        Raises:
            InputError: no name, or no such face.
        """
        if not name:
            raise InputError("Choose a face first: upload a photo, or click an example.")
        if name not in self.faces:
            raise InputError(f"There is no face '{name}' in this visit; choose another one.")
        return self.faces[name]

    def send(self, face: Face, tab: str) -> None:
        """Select this face in a tab."""
        self.choose(face, [tab])

    def choose(self, face: Face, tabs: Iterable[str]) -> None:
        """Make this face the current one, and select it in these tabs."""
        self.current = face.name
        self.sent |= dict.fromkeys(tabs, face.name)
        self.version += 1

    def keep_direction(self, direction: "Direction") -> None:
        """Make a bound direction a slider of the tab Edit.

        Raises:
            InputError: its name is taken, or there are too many.
        """
        name = direction.name
        if name in self.directions or name in self.studio.directions:
            raise InputError(f"There is a direction '{name}' already; give this one another name.")
        if len(self.directions) >= MOST_DIRECTIONS:
            raise InputError(f"{MOST_DIRECTIONS} directions are kept already; {ANEW}")
        self.directions[name] = direction
        self.version += 1

    @property
    def all_directions(self) -> "dict[str, Direction]":
        """The model's and the kept directions by name."""
        return self.studio.directions | self.directions

    def close(self) -> None:
        """Stop its work, and delete everything of this visit."""
        self.stop.set()
        self.faces.clear()
        self.edited.clear()
        self.directions.clear()
        self.styles.clear()
        self.people.clear()
        self.album.clear()
        self.files.delete()
