"""The pictures of the tab Edit: previews while a slider moves, full resolution at rest."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from stylegan_latents.demo.session.edited import direction_words, edits_of
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.photos import shown
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.editing.directions.apply import edit_name
from stylegan_latents.editing.records.pasted import pasted
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.files import read_photo

if TYPE_CHECKING:
    from PIL.Image import Image

View = Literal["Face", "Photo", "Whole photo"]
Pair = tuple[str, str]
"""Paths of two pictures, before and after."""


@dataclass(frozen=True)
class Result:
    """An edit at full resolution.

    Attributes:
        pair: for the page.
        picture: the PNG file to download.
        command: the command lines that make it.
    """

    pair: Pair
    picture: str
    command: str


def preview(visit: Visit, face: Face, strengths: Mapping[str, float], *, photo: bool = False) -> Pair:
    """The edit in preview size and precision, beside the unedited face or the photo's crop."""
    edits = edits_of(visit, strengths)
    before = _crop(face) if photo else str(face.before)
    with visit.computing():
        after = face.preview.edited(edits, size=visit.studio.preview_size)
    return before, visit.files.store(after, "preview")


def finished(visit: Visit, face: Face, strengths: Mapping[str, float], view: View = "Face") -> Result:
    """The edit at full resolution, in float32.

    Args:
        visit, face: the visit and its face.
        strengths: by the directions' names.
        view: beside the unedited face or the photo's crop, or pasted back beside the whole photo.

    Raises:
        InputError: the view needs a photo, and there is none.
    """
    edits = edits_of(visit, strengths)
    whole = view == "Whole photo"
    with visit.computing():
        after = face.record.edited(edits)
        if whole:
            photo = _photo(face)
            after = pasted(face.record, photo, after, edits)
            before = visit.files.store(shown(photo), "whole")
        elif view == "Photo":
            before = _crop(face)
        else:
            before = _unedited(face)
    named = [(direction.name, strength) for direction, strength in edits]
    stem = f"{face.name}.{edit_name(named)}" if named else f"{face.name}.inverted"
    picture = visit.files.store(after, "result", suffix=".png", stem=f"{stem}{'.pasted' if whole else ''}")
    command = commands(visit, face, strengths, whole=whole)
    return Result((before, visit.files.store(shown(after), "after")), picture, command)


def _photo(face: Face) -> "Image":
    if face.photo is None:
        raise InputError("This face has no photo; choose one that was found in a photo.")
    return read_photo(face.photo)


def _unedited(face: Face) -> str:
    """The unedited face at full resolution, drawn once."""
    path = face.before.with_name("full.jpg")
    if not path.exists():
        face.record.picture().save(path, quality=92)
    return str(path)


def _crop(face: Face) -> str:
    """The photo's crop, made once."""
    path = face.before.with_name("crop.jpg")
    if not path.exists():
        face.record.crop(_photo(face)).save(path, quality=92)
    return str(path)


def commands(visit: Visit, face: Face, strengths: Mapping[str, float], *, whole: bool = False) -> str:
    """The command lines that make the same picture: one makes the record, the next edits it."""
    words = ["edit", face.path.name, *direction_words(visit, strengths)]
    words += ["--paste-back"] if whole else []
    lines = [face.made_by] if face.made_by else []
    lines += [shlex.join(words)] if len(words) > 2 else []
    return "\n".join(lines)
