"""The pictures of the tab Edit: previews while a slider moves, the whole resolution when it rests."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.photos import shown
from demo.visit import Face, Visit
from editing.edit import edit_name
from generator.errors import InputError
from invert.paste import paste_back
from invert.photo import read_photo

if TYPE_CHECKING:
    from editing.edit import Edit

Pair = tuple[str, str]
"""Paths of two pictures, before and after."""


@dataclass(frozen=True)
class Result:
    """An edit at full resolution.

    Attributes:
        pair: for the page.
        picture: the file to download, a PNG.
        command: the command lines that make it.
    """

    pair: Pair
    picture: str
    command: str


def edits_of(visit: Visit, strengths: Mapping[str, float]) -> "list[Edit]":
    """Directions with their strengths; those of strength 0 are left out.

    Raises:
        InputError: a direction is not known here.
    """
    known = visit.all_directions
    unknown = [name for name in strengths if name not in known]
    if unknown:
        raise InputError(f"There is no direction '{unknown[0]}' here any more; reload the page.")
    return [(known[name], strength) for name, strength in strengths.items() if strength]


def preview(visit: Visit, face: Face, strengths: Mapping[str, float]) -> Pair:
    """The inversion and the edit at the preview's size, in the preview's precision."""
    edits = edits_of(visit, strengths)
    with visit.studio.turns:
        after = face.preview.edited(edits, size=visit.studio.preview_size)
    return str(face.before), visit.store(after, "preview")


def finished(visit: Visit, face: Face, strengths: Mapping[str, float], *, whole: bool = False) -> Result:
    """The edit at full resolution, in float32.

    Args:
        visit, face: what is edited.
        strengths: by the directions' names.
        whole: paste the face back into its photo.

    Raises:
        InputError: there is no photo to paste into.
    """
    edits = edits_of(visit, strengths)
    if whole and face.photo is None:
        raise InputError("This face has no photo to be put back into; choose one that was found in a photo.")
    with visit.studio.turns:
        after = face.record.edited(edits)
        before = face.record.picture() if whole or not face.full.exists() else None
        if whole and face.photo is not None and before is not None:
            photo = read_photo(face.photo)
            after = paste_back(photo, after, face.record.alignment(), reference=before)
            before = photo
    named = [(direction.name, strength) for direction, strength in edits]
    stem = f"{face.name}.{edit_name(named)}" if named else f"{face.name}.inverted"
    picture = visit.store(after, "result", suffix=".png", stem=f"{stem}{'.pasted' if whole else ''}")
    if whole and before is not None:
        first = visit.store(shown(before), "whole-before")
    else:
        if before is not None:  # it is the same for all edits of this face
            before.save(face.full, quality=92)
        first = str(face.full)
    return Result(
        (first, visit.store(shown(after), "after")), picture, commands(visit, face, strengths, whole=whole)
    )


def commands(visit: Visit, face: Face, strengths: Mapping[str, float], *, whole: bool = False) -> str:
    """The command lines that make the same picture; the second line edits the record of the first."""
    words = ["edit", face.path.name]
    for direction, strength in edits_of(visit, strengths):
        own = direction.name in visit.studio.directions
        # A kept direction is a file that Discover offers for download.
        name = direction.name if own else f"{direction.name}.safetensors"
        words += ["--direction", name, "--strength", f"{strength:g}"]
    words += ["--paste-back"] if whole else []
    lines = [face.made_by] if face.made_by else []
    lines += [shlex.join(words)] if len(words) > 2 else []
    return "\n".join(lines)
