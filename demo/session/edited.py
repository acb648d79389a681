"""Edited faces as faces, and the list of faces: an edit is kept, a face renamed or deleted."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.files import clean_name
from stylegan_latents.demo.session.view import camera_of, camera_words, is_view, options_of
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.editing.directions.apply import apply_edits, edit_name
from stylegan_latents.editing.records.codes import changed_record
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.run_settings import camera_settings

if TYPE_CHECKING:
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.generator.json_values import JSON

MOST_EDITED = 32
"""More than a film has key frames."""


def edits_of(visit: Visit, strengths: Mapping[str, float]) -> "list[tuple[Direction, float]]":
    """Directions with their strengths other than 0; the camera is none.

    Raises:
        InputError: a direction is not known.
    """
    known = visit.all_directions
    strengths = {name: strength for name, strength in strengths.items() if not is_view(name)}
    unknown = [name for name in strengths if name not in known]
    if unknown:
        raise InputError(f"There is no direction '{unknown[0]}'; reload the page.")
    return [(known[name], strength) for name, strength in strengths.items() if strength]


def direction_words(visit: Visit, strengths: Mapping[str, float]) -> list[str]:
    """The options of a command line for these edits; a kept direction is a file that Discover offers.

    Raises:
        InputError: a direction is not known.
    """
    words = []
    for direction, strength in edits_of(visit, strengths):
        own = direction.name in visit.studio.directions
        words += ["--direction", direction.name if own else f"{direction.name}.safetensors"]
        words += ["--strength", f"{strength:g}"]
    return words


def edit_words(visit: Visit, face: Face, strengths: Mapping[str, float]) -> list[str]:
    """As ``direction_words``, with the regions of the face to which the edits are limited, and the camera."""
    words = direction_words(visit, strengths)
    if words:
        for region in face.regions.chosen:
            words += ["--region", Path(region).name]
    return [*words, *camera_words(face, strengths)]


def look_name(face: Face, strengths: Mapping[str, float]) -> str:
    """A face's name with its camera, as ``edit`` begins a file's."""
    return ".".join([face.name, *options_of(face, strengths).camera_label()])


def edited_face(visit: Visit, name: str | None, *, drawn: bool = True) -> Face:
    """The face of this name with its edits in its code; the face itself if it has none. It is not listed.

    The last ``MOST_EDITED`` are kept; older ones are made again.

    Args:
        visit: with the face.
        name: of the face.
        drawn: whether its picture ``before`` is needed.

    Raises:
        InputError: there is no such face, or an edit is not one of codes.
    """
    face = visit.face(name)
    key = (face.path, tuple(sorted(face.history.current.items())))
    if not key[1]:
        return face
    made = visit.edited.pop(key, None)
    if made is None or not made.path.exists():
        made = _make(visit, face, _stem(visit, face), listed=False)
    visit.edited[key] = made
    if not visit.busy:  # long work may read them
        for old in list(visit.edited)[:-MOST_EDITED]:
            if (gone := visit.edited.pop(old, None)) is not None:
                gone.path.unlink(missing_ok=True)
    if drawn:
        visit.draw_before(made)
    return made


def keep_edit(visit: Visit, name: str | None, new_name: str = "") -> Face:
    """Add the edited face to the visit as a face of its own.

    Args:
        visit: with the face.
        name: of the face.
        new_name: of the new one; made of the edits by default.

    Raises:
        InputError: as ``edited_face``; there is no edit, or no room for another face.
    """
    face = visit.face(name)
    if not face.history.current:
        raise InputError("There is no edit to keep yet: move a slider first.")
    visit.check_room()
    if new_name.strip():
        return _make(visit, face, new_name, listed=True)
    made = edited_face(visit, name)
    visit.edited = {key: one for key, one in visit.edited.items() if one is not made}
    visit.faces[made.name] = made
    visit.version += 1
    return made


def rename(visit: Visit, name: str | None, new_name: str) -> Face:
    """Give a face another name; its record is then downloaded under that name.

    Raises:
        InputError: there is no such face, or the name is empty or taken.
    """
    face = visit.face(name)
    if not new_name.strip():
        raise InputError("Give the face a name first.")
    new = clean_name(new_name)
    if new == face.name:
        return face
    if new in visit.faces:
        raise InputError(f"There is a face '{new}' already; give this one another name.")
    # Long work may still read the former file.
    path = visit.files.new_path(new, "".join(face.path.suffixes[-2:]))
    if face.photo is not None:
        path = face.photo.with_name(path.name)
    shutil.copyfile(face.path, path)
    renamed = replace(face, name=new, path=path, made_by="")
    visit.faces = {renamed.name if one is face else one.name: renamed if one is face else one
                   for one in visit.faces.values()}  # fmt: skip
    visit.current = new if visit.current == face.name else visit.current
    visit.version += 1
    return renamed


def delete(visit: Visit, name: str | None) -> None:
    """Delete a face of the visit, and its files unless long work may read them.

    Raises:
        InputError: there is no such face.
    """
    face = visit.face(name)
    del visit.faces[face.name]
    if not visit.busy:
        face.path.unlink(missing_ok=True)
    visit.version += 1


def in_order(visit: Visit) -> list[Face]:
    """The faces, the current one first, then in the order of making."""
    return sorted(visit.faces.values(), key=lambda face: face.name != visit.current)


def _stem(visit: Visit, face: Face) -> str:
    edits = edits_of(visit, face.history.current)
    edit = edit_name([(direction.name, strength) for direction, strength in edits]) if edits else "view"
    return f"{look_name(face, face.history.current)}.{edit}"


def _make(visit: Visit, face: Face, stem: str, *, listed: bool) -> Face:
    edits = edits_of(visit, face.history.current)
    beyond = [direction.name for direction, _ in edits if direction.space != "w"]
    if beyond:
        raise InputError(
            f"{beyond[0]} moves styles, which a face's code does not hold; set it to 0 to use the other edits."
        )
    opened = face.record
    ws = apply_edits(opened.ws, edits).cpu()
    told: dict[str, JSON] = {direction.name: strength for direction, strength in edits}
    settings: dict[str, JSON] = {"edited_from": opened.inversion.method, "edits": told}
    record = changed_record(opened.inversion, visit.studio.G, ws, "edit", settings)
    if (camera := camera_of(face, face.history.current)) is not None:
        lens = [] if camera.fov is None else [camera.fov]
        record = replace(record, settings={**record.settings, **camera_settings([[*camera.angles, *lens]])})
    return visit.add(record, stem, photo=face.photo, listed=listed)
