"""Uploaded photos, and the faces in them: detected, or marked by hand."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from stylegan_latents.demo.session.uploads import Marking, Photo
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.align import align_face, choose_faces, find_faces, require_faces
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.faces.landmarks_file import GivenLandmarks
from stylegan_latents.invert.photos.crop import no_align
from stylegan_latents.invert.photos.files import read_photo, read_reduced

MOST_PIXELS = 25_000_000
"""Larger photos are reduced to this, which takes 0.1 GB of memory."""

_THUMBNAIL = 192
_SHOWN_SIDE = 1280
_MOST_FACES = 24


def receive(visit: Visit, upload: str, *, align: bool = True) -> Photo:
    """Take an uploaded photo, find the faces in it, and keep it as ``Visit.photo``; see ``read_upload``."""
    visit.photo = read_upload(visit, _take(visit, upload), Path(upload).name, align=align)
    return visit.photo


def read_upload(
    visit: Visit, path: Path, name: str, *, align: bool = True, slot: str = "found", photos: int = 1
) -> Photo:
    """Read an uploaded photo, and find the faces in it.

    Args:
        visit: that took it.
        path: the file in the visit's folder; deleted if it is refused.
        name: of the visitor's own file.
        align: whether to detect faces; else the central square is taken.
        slot: of the thumbnails, for ``VisitFiles.store``.
        photos: of how many photos it keeps them.

    Raises:
        InputError: it is not a readable photo, or shows no face.
    """
    # Decoding takes memory: one photo at a time.
    with visit.computing():
        try:
            path, photo, reduced = bounded(path)
            faces = find_faces(photo) if align else []
            if align and not faces:
                require_faces(photo, name=name)  # says why
            largest, from_left = 0, faces
            if faces:
                from_left = choose_faces(faces, "all")
                largest = from_left.index(faces[0])
            crops = [align_face(photo, face, _THUMBNAIL)[0] for face in from_left]
            crops = crops or [no_align(photo, _THUMBNAIL)[0]]
        except InputError:
            path.unlink(missing_ok=True)
            raise
    most = photos * _MOST_FACES
    thumbnails = [visit.files.store(crop, slot, most=most) for crop in crops[:_MOST_FACES]]
    reduced_to = photo.size if reduced else None
    return Photo(path, name, from_left, thumbnails, largest, reduced_to=reduced_to)


def bounded(path: Path) -> tuple[Path, Image.Image, bool]:
    """An upload's path and photo, and whether it was reduced; a reduced photo replaces the file.

    Raises:
        InputError: it is not a readable photo.
    """
    photo, reduced = read_reduced(path, MOST_PIXELS)
    if reduced:
        path.unlink()
        path = path.with_suffix(".jpg")
        photo.save(path, quality=95, subsampling=0)
    return path, photo, reduced


def reduction(upload: Photo | Marking) -> str:
    """The message about a reduced photo; empty for others."""
    if upload.reduced_to is None:
        return ""
    width, height = upload.reduced_to
    return f"Reduced to {width}x{height} pixels, as the limit here is {MOST_PIXELS // 10**6} million. "


def _take(visit: Visit, upload: str) -> Path:
    """Copy an upload into the visit, in place of the last one."""
    last = [one.path for one in (visit.photo, visit.marking) if one is not None]
    visit.photo = visit.marking = None
    for path in last:
        # A running search needs its photo.
        if not visit.busy and all(face.photo != path for face in visit.faces.values()):
            path.unlink(missing_ok=True)
    return visit.take(upload)


MARKS = (
    "the left eye, as you see it",
    "the right eye",
    "the left corner of the mouth",
    "the right corner of the mouth",
)
"""Clicked on in this order to mark a face."""

_DOT, _RIM = (255, 220, 60), (20, 20, 20)


def begin_marking(visit: Visit, upload: str) -> Marking:
    """Keep an uploaded photo without a detected face as ``Visit.marking``.

    Raises:
        InputError: it is not a readable photo.
    """
    path = _take(visit, upload)
    with visit.computing():
        try:
            path, photo, reduced = bounded(path)
        except InputError:
            path.unlink(missing_ok=True)
            raise
        copy = Path(visit.files.store(shown(photo), "to-mark"))
    visit.marking = Marking(path, Path(upload).name, photo.size, copy, reduced_to=photo.size if reduced else None)
    return visit.marking


def add_mark(visit: Visit, x: float, y: float) -> None:
    """Add a click; the fourth one makes ``Visit.photo`` with the marked face.

    Args:
        visit: with a ``marking``.
        x, y: in pixels of the small copy.

    Raises:
        InputError: there is nothing to mark, or the four points cannot be eyes and mouth; the last is dropped.
    """
    marking = visit.marking
    if marking is None:
        raise InputError("Upload a photo first.")
    if len(marking.marks) == len(MARKS):
        raise InputError("Eyes and mouth are marked already; undo a click to change it.")
    with Image.open(marking.shown) as copy:
        scale = marking.size[0] / copy.width
        x, y = min(max(x, 0), copy.width - 1), min(max(y, 0), copy.height - 1)
    marking.marks.append((round((x + 0.5) * scale - 0.5, 1), round((y + 0.5) * scale - 0.5, 1)))
    if len(marking.marks) < len(MARKS):
        return
    points = np.array(marking.marks, dtype=np.float64)
    try:
        given = GivenLandmarks(
            [Landmarks(left_eye=points[:1], right_eye=points[1:2], mouth_corners=points[2:])], "These clicks"
        )
        with visit.computing():
            photo = read_photo(marking.path)
            faces = given.find(photo)
            thumbnail = visit.files.store(align_face(photo, faces[0], _THUMBNAIL)[0], "found", most=_MOST_FACES)
    except InputError:
        marking.marks.pop()
        raise
    visit.photo = Photo(marking.path, marking.name, faces, [thumbnail], by_hand=True, reduced_to=marking.reduced_to)


def drop_marks(visit: Visit, count: int) -> None:
    """Drop the last clicks, and the face that four of them made."""
    if visit.marking is not None:
        del visit.marking.marks[max(0, len(visit.marking.marks) - count) :]
        visit.photo = None


def marked_picture(visit: Visit) -> str | None:
    """The file of the small copy with the clicks drawn on it; None if there is nothing to mark."""
    marking = visit.marking
    if marking is None:
        return None
    with Image.open(marking.shown) as copy:
        picture = copy.convert("RGB")
    draw = ImageDraw.Draw(picture)
    radius, scale = max(3.0, max(picture.size) / 120), picture.width / marking.size[0]
    for mark in marking.marks:
        x, y = ((value + 0.5) * scale - 0.5 for value in mark)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), _DOT, _RIM, max(1, round(radius / 4)))
    return visit.files.store(picture, "marked")


def shown(picture: Image.Image) -> Image.Image:
    """A copy reduced to the size that the page shows."""
    small = picture.copy()
    small.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    return small
