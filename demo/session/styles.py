"""The styles of a visit: those that come with the model, and the visitor's own; faces drawn in them."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.session.edited import edit_words, edits_of
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.files import ANEW, clean_name, free_name
from stylegan_latents.demo.session.shared import KeptStyle
from stylegan_latents.demo.session.view import seen
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.styles.style import SUFFIX, Style, read_style

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_STYLES = 6


def known_styles(visit: Visit) -> dict[str, KeptStyle]:
    """The styles that a visit can draw in, by name."""
    return visit.studio.styles | visit.styles


def find_style(visit: Visit, name: str | None) -> KeptStyle:
    """The style of this name; InputError if there is none."""
    known = known_styles(visit)
    if not name:
        raise InputError("Choose a style first, or make one from a picture.")
    if name not in known:
        raise InputError(f"There is no style '{name}' in this visit; choose another one.")
    return known[name]


def style_name(visit: Visit, wanted: str) -> str:
    """A free name for a new style.

    Raises:
        InputError: there is no room for another style.
    """
    if len(visit.styles) >= MOST_STYLES:
        raise InputError(f"{MOST_STYLES} styles are kept already; {ANEW}")
    return free_name(clean_name(wanted), known_styles(visit))


def keep_style(visit: Visit, style: Style, made_by: str = "") -> KeptStyle:
    """Keep a style of the studio's model; the caller has asked ``style_name`` for room and a name.

    Raises:
        InputError: it belongs to another model.
    """
    style.check_generator(visit.studio.G)
    if (name := free_name(style.name, known_styles(visit))) != style.name:  # taken since
        style = replace(style, name=name)
    path = visit.files.new_path(style.name, SUFFIX)
    style.save(path)
    visit.styles[style.name] = kept = KeptStyle(style.name, path, made_by)
    visit.version += 1
    return kept


def open_style(visit: Visit, upload: str) -> KeptStyle:
    """Keep an uploaded style's file.

    Raises:
        InputError: as ``keep_style``, it is no style's file, or there is no room.
    """
    path = visit.take(upload)
    try:
        style = read_style(path)
    finally:
        path.unlink(missing_ok=True)
    name = style_name(visit, Path(upload).name.removesuffix(SUFFIX))
    return keep_style(visit, replace(style, name=name))


def draw_in_style(visit: Visit, face: Face, kept: KeptStyle, strength: float, *, preview: bool) -> "Image":
    """A face with its edits, within its regions, in a style, in preview size or at full resolution.

    Raises:
        InputError: the strength is out of range, or a region is not found.
    """
    from stylegan_latents.editing.records.opened import OpenRecord

    studio = visit.studio
    G = kept.style.apply(studio.preview_G if preview else studio.G, strength)
    now = face.history.current
    opened = seen(OpenRecord(face.path, generator=G, inversion=face.record.inversion), face, now)
    edits, size = edits_of(visit, now), studio.preview_size if preview else None
    return opened.edited(edits, size=size, regions=face.regions.chosen).picture


def style_commands(visit: Visit, face: Face, kept: KeptStyle, strength: float) -> str:
    """The command lines that draw a face with its edits in a style."""
    words = ["edit", face.path.name, *edit_words(visit, face, face.history.current), "--style", kept.word]
    words += [] if strength == 1 else ["--style-strength", f"{strength:g}"]
    return "\n".join(line for line in (face.made_by, kept.made_by, visit.studio.command_line(words)) if line)
