"""One browser session: its folder, its photo, its faces and its directions."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.files import ENDED, VisitFiles, clean_name, free_name
from stylegan_latents.demo.session.queue import Client, Ticket
from stylegan_latents.demo.session.shared import Shared
from stylegan_latents.demo.session.uploads import Marking, Photo
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.files import RECORD_SUFFIX, record_stem

if TYPE_CHECKING:
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.invert.record.inversion import Inversion

MOST_FACES = 24
MOST_DIRECTIONS = 8
_BUSY = "Something that you started is still running; stop it first, or wait for its end."


class Visit:
    """One browser session.

    Args:
        studio: what all visitors share.
        client: the browser session and the address that it came from.
        folder: where its files go.

    Attributes:
        files: what it has on the disk.
        faces: by name, in the order of making.
        directions: those kept on the tab Discover, bound to the generator, by name; they are sliders on Edit.
        sent: for each tab, by its id, the face that was sent there last.
        photo: the one uploaded last.
        marking: the one uploaded last, where no face was found in it.
        stop: set when the visitor asks to end what runs now, or has gone.
        keep: whether what was found until ``stop`` is wanted.
        seen: when something was last asked for, by ``monotonic``.
        left: when the browser's connection ended; None while it stands.
        moves: counts the sliders' moves, to tell when they rest.
        drawn: the move after which the whole resolution was drawn last.
        version: counts changes of faces and directions, for ``Page``.
    """

    def __init__(self, studio: Shared, client: Client, folder: Path) -> None:
        self.studio = studio
        self.client = client
        self.files = VisitFiles(folder)
        self.faces: dict[str, Face] = {}
        self.directions: dict[str, Direction] = {}
        self.sent: dict[str, str] = {}
        self.photo: Photo | None = None
        self.marking: Marking | None = None
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

    def touch(self) -> None:
        """Note that the visitor is there.

        Raises:
            InputError: the visit has ended.
        """
        if self.closed:
            raise InputError(ENDED)
        self.seen, self.left = time.monotonic(), None

    def computing(self) -> AbstractContextManager[Ticket]:
        """A block that computes: it waits for its turn, which visits take round by round."""
        return self.studio.computing.turn(self.client)

    def get_ready(self) -> None:
        """Forget an earlier wish to stop. From here on such a wish counts, also before the work has begun.

        Raises:
            InputError: something is running that this is not to disturb.
        """
        if self.busy:
            raise InputError(_BUSY)
        self.stop.clear()
        self.keep = False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A block that a visitor can stop: one at a time for each visit.

        Raises:
            InputError: another one is not over yet.
        """
        if not self._busy.acquire(blocking=False):
            raise InputError(_BUSY)
        try:
            yield
        finally:
            self.stop.clear()
            self.keep = False
            self._busy.release()

    @property
    def busy(self) -> bool:
        """Whether something that can be stopped is running."""
        return self._busy.locked()

    def take(self, upload: str) -> Path:
        """Copy an uploaded file into the visit's folder; the upload itself is deleted soon after.

        Raises:
            InputError: it is not there any more, is no file that was uploaded, or as
                ``VisitFiles.take``.
        """
        return self.files.take(self.studio.uploaded(upload))

    def add(self, inversion: "Inversion", stem: str, *, photo: Path | None = None, made_by: str = "") -> Face:
        """Keep a record as a face of this visit.

        Args:
            inversion: of one image, of the studio's model.
            stem: what the face is called; a number is added where that name is taken.
            photo: in the visit's folder.
            made_by: see ``Face``.

        Raises:
            InputError: the record is for another model, or there are too many faces.
        """
        self.check_room()
        name = free_name(clean_name(stem), self.faces)
        # Beside the photo, so that the record says where that is.
        path = (
            self.files.new_path(name, RECORD_SUFFIX) if photo is None else photo.with_name(f"{name}{RECORD_SUFFIX}")
        )
        # Where the model's file lies is the visitor's or the server's affair.
        dataclasses.replace(inversion, model_file=None).save(path, overwrite=True)
        return self._keep(name, path, photo, made_by)

    def check_room(self) -> None:
        """Raise InputError when there are too many faces already."""
        if len(self.faces) >= MOST_FACES:
            raise InputError(f"There are {MOST_FACES} faces in this visit already; reload the page to begin anew.")

    def open(self, record: Path) -> Face:
        """Keep an uploaded record's file, of ``take``, as a face of this visit.

        Raises:
            InputError: as ``add``, or it is no record, or damaged.
        """
        from stylegan_latents.invert.record.inversion import Inversion

        inversion = Inversion.load(record)
        known = [source.sha256 for source in inversion.sources]
        photo = self.photo if self.photo is not None and known == [self.photo.source().sha256] else None
        # With its photo uploaded before, the face can be put back into it.
        return self.add(inversion, record_stem(record), photo=None if photo is None else photo.path)

    def _keep(self, name: str, path: Path, photo: Path | None, made_by: str) -> Face:
        studio = self.studio
        with self.computing():
            picture = studio.records.open(path)[1].picture(size=studio.preview_size)
        before = self.files.new_path(f"{name}-before", ".jpg")
        picture.save(before, quality=92)
        face = Face(name, path, studio.records, before, photo, made_by)
        self.faces[name] = face
        self.version += 1
        return face

    def face(self, name: str | None) -> Face:
        """The face of this name.

        Raises:
            InputError: no face was chosen, or it is not in this visit.
        """
        if not name:
            raise InputError("Choose a face first: upload a photo, or take an example.")
        if name not in self.faces:
            raise InputError(f"There is no face '{name}' in this visit; choose another one.")
        return self.faces[name]

    def send(self, face: Face, tab: str) -> None:
        """Have a tab choose this face; its chooser changes with ``version``."""
        self.sent[tab] = face.name
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
            raise InputError(f"{MOST_DIRECTIONS} directions are kept already; reload the page to begin anew.")
        self.directions[name] = direction
        self.version += 1

    @property
    def all_directions(self) -> "dict[str, Direction]":
        """The model's directions and those kept here, by name."""
        return self.studio.directions | self.directions

    def close(self) -> None:
        """End what runs, and delete everything that this visit has."""
        self.stop.set()
        self.faces.clear()
        self.directions.clear()
        self.files.delete()
