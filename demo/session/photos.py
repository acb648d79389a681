"""What a visitor uploads: photos with the faces in them."""

from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.session.visit import Photo, Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.align import align_face, choose_faces, find_faces, require_faces
from stylegan_latents.invert.photos.crop import no_align
from stylegan_latents.invert.photos.files import read_reduced

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 25_000_000
"""Of a photo here; a larger one is reduced, so that it takes 0.1 GB of memory."""

_THUMBNAIL = 192
_SHOWN_SIDE = 1280
_MOST_FACES = 24


def receive(visit: Visit, upload: str, *, align: bool = True) -> Photo:
    """Take an uploaded photo, find the faces in it, and keep it as ``Visit.photo``.

    Args:
        visit: whose it is.
        upload: the path that Gradio gives.
        align: whether faces are looked for; else the central square is taken as it is.

    Raises:
        InputError: it is no photo that can be read, or shows no face.
    """
    name = Path(upload).name
    before = visit.photo
    visit.photo = None
    # The photo that is being searched becomes a face's.
    if before is not None and not visit.busy and all(face.photo != before.path for face in visit.faces.values()):
        before.path.unlink(missing_ok=True)
    path = visit.take(upload)
    # One photo at a time is decoded, which takes memory.
    with visit.computing():
        try:
            photo, reduced = read_reduced(path, MOST_PIXELS)
            if reduced:
                path = _replaced(path, photo)
            faces = find_faces(photo) if align else []
            if align and not faces:
                require_faces(photo, name=name)  # says why, as far as that can be known
            largest, from_left = 0, faces
            if faces:
                from_left = choose_faces(faces, "all")
                largest = from_left.index(faces[0])
            crops = [align_face(photo, face, _THUMBNAIL)[0] for face in from_left]
            crops = crops or [no_align(photo, _THUMBNAIL)[0]]
        except InputError:
            path.unlink(missing_ok=True)
            raise
    thumbnails = [visit.files.store(crop, "found", most=_MOST_FACES) for crop in crops[:_MOST_FACES]]
    visit.photo = Photo(path, name, from_left, thumbnails, largest, photo.size if reduced else None)
    return visit.photo


def _replaced(path: Path, photo: "Image") -> Path:
    """The reduced photo's file, in the place of the upload."""
    path.unlink()
    path = path.with_suffix(".jpg")
    photo.save(path, quality=95, subsampling=0)
    return path


def shown(picture: "Image") -> "Image":
    """A picture as large as the page shows it."""
    small = picture.copy()
    small.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    return small
