"""Everything of a visit in one ZIP file: records, pictures, sheets, directions, styles, people, commands."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.session.edited import edited_face, edits_of
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.shared import KeptPerson, KeptStyle
from stylegan_latents.demo.session.view import seen
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.invert.photos.contact_sheet import contact_sheet

if TYPE_CHECKING:
    from PIL.Image import Image

_SHEET_SIDE = 1024


def pack(visit: Visit, on_face: Callable[[int], None] | None = None) -> Path:
    """Write the ZIP file.

    Args:
        visit: with the faces.
        on_face: called with the number of faces done.

    Returns:
        The file, in the visit's folder.

    Raises:
        InputError: there is nothing yet.
    """
    faces = list(visit.faces.values())
    others: list[KeptStyle | KeptPerson] = [*visit.styles.values(), *visit.people.values()]
    if not faces and not visit.directions and not others:
        raise InputError("There is nothing to pack yet: find a face, or click an example.")
    path = visit.files.new_path("faces", ".zip")
    commands = [one.made_by for one in (*others, *faces) if one.made_by]
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as packed:
        for number, face in enumerate(faces, 1):
            for name, content in _files_of(visit, face):
                packed.writestr(name, content)
            if on_face is not None:
                on_face(number)
        for direction in visit.directions.values():
            file = visit.files.new_path(direction.name, ".safetensors")
            direction.save(file)
            packed.write(file, file.name)
            visit.files.hold(file, "packed", 1)
        for other in others:
            packed.write(other.path, other.path.name)
        if commands:
            packed.writestr("commands.txt", "\n".join(commands) + "\n")
    return Path(visit.files.hold(path, "everything", 1))


def _files_of(visit: Visit, face: Face) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a face's files."""
    yield face.path.name, face.path.read_bytes()
    before = face.record.picture()
    yield f"{face.name}.png", _encoded(before, "PNG")
    now = face.history.current
    edits = edits_of(visit, now)
    if not now:
        return
    after = seen(face.record, face, now).edited(edits, regions=face.regions.chosen).picture
    if all(direction.space == "w" for direction, _ in edits):
        edited = edited_face(visit, face.name, drawn=False)
        yield edited.path.name, edited.path.read_bytes()
    yield f"{face.name}.edited.png", _encoded(after, "PNG")
    sheet = contact_sheet([[before, after]], ["before", "after"], cell=min(_SHEET_SIDE, before.height))
    yield f"{face.name}.before-after.jpg", _encoded(sheet, "JPEG")


def _encoded(picture: "Image", kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=92)
    return buffer.getvalue()
