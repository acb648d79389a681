"""The pictures of the tab Edit: previews while a slider moves, full resolution at rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from stylegan_latents.demo.session.edited import edit_words, edits_of, look_name
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.photos import shown
from stylegan_latents.demo.session.view import camera_of, seen
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.editing.commands.options import RegionOptions
from stylegan_latents.editing.directions.apply import edit_name
from stylegan_latents.editing.records.pasted import LOST_FACE, pasted
from stylegan_latents.editing.regions.joining import can_join
from stylegan_latents.editing.regions.parts import stored_parts
from stylegan_latents.editing.regions.regions import Blend, own_region
from stylegan_latents.editing.strengths.guided import guided_name
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.files import read_photo

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.records.opened import OpenRecord

View = Literal["Face", "Photo", "Whole photo"]
Pair = tuple[str, str]
"""Paths of two pictures, before and after."""

_SEAM = (
    "The edit changes or uncovers what reaches beyond the face's crop, so that a seam may show; “Only a part of "
    "the picture” keeps the rest of the photo as it is."
)


@dataclass(frozen=True)
class Result:
    """An edit at full resolution.

    Attributes:
        pair: for the page.
        picture: the PNG file to download.
        command: the command lines that make it.
        warning: a sentence about a fault that may show; empty for none.
    """

    pair: Pair
    picture: str
    command: str
    warning: str = ""


def preview(visit: Visit, face: Face, strengths: Mapping[str, float], *, photo: bool = False) -> Pair:
    """The edit in preview size and precision, beside the unedited face or the photo's crop."""
    edits = edits_of(visit, strengths)
    before = _crop(face) if photo else str(face.before)
    with visit.computing():
        opened = seen(face.preview, face, strengths)
        after = opened.edited(edits, size=visit.studio.preview_size).picture
        if edits and (regions := face.regions.chosen):
            after = _limited(face, opened, after, regions)
    return before, visit.files.store(after, "preview")


def _limited(face: Face, opened: "OpenRecord", after: "Image", regions: tuple[str, ...]) -> "Image":
    """A preview limited to regions of the face; they are read from the unedited picture alone, which is quick."""
    from PIL import Image

    from stylegan_latents.editing.regions.blending import blend_pictures
    from stylegan_latents.editing.regions.regions import region_masks

    if opened is not face.preview:  # another view, whose masks are of this picture alone
        before = opened.picture(size=after.height)
        return blend_pictures(before, after, region_masks(regions, [before], name=face.name))
    with Image.open(face.before) as file:
        before = file.convert("RGB")
    masks = face.regions.masks
    if regions not in masks:
        masks[regions] = region_masks(regions, [before], name=face.name)
    return blend_pictures(before, after, masks[regions])


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
    regions = face.regions.chosen
    blend: Blend = "image"
    told: list[str] = []
    with visit.computing():
        if whole and not regions and camera_of(face, strengths) is None:
            regions, blend = _own_region(face, edits)
        opened = seen(face.record, face, strengths)
        drawn = opened.edited(edits, regions=regions, blend=blend)
        after = drawn.picture
        if whole:
            photo = _photo(face)
            after = pasted(opened, photo, drawn, told.append)
            before = visit.files.store(shown(photo), "whole")
        elif view == "Photo":
            before = _crop(face)
        else:
            before = _unedited(face)
    named = [(direction.name, strength) for direction, strength in edits]
    edit = guided_name(edit_name(named), (), None, RegionOptions(list(regions)).names)
    name = look_name(face, strengths)
    stem = f"{name}.{edit if named else 'inverted' if name == face.name else 'view'}"
    picture = visit.files.store(after, "result", suffix=".png", stem=f"{stem}{'.pasted' if whole else ''}")
    command = commands(visit, face, strengths, whole=whole)
    return Result((before, visit.files.store(shown(after), "after")), picture, command, _warning(told))


def _warning(told: Sequence[str]) -> str:
    """What ``pasted`` told, in the words of the page."""
    if LOST_FACE in told:
        return "No face is found in the edited picture; smaller strengths look better."
    return _SEAM if told else ""


def _own_region(face: Face, edits: "Sequence[tuple[Direction, float]]") -> tuple[tuple[str, ...], Blend]:
    """The region of edits that are pasted back, and how it is joined, as ``edit`` chooses them."""
    record = face.record
    scores = [str(direction.provenance.get("score", "")) for direction, _ in edits]
    own = own_region(
        scores,
        lambda side: record.picture(size=side),
        lambda: can_join(record.generator, stored_parts(record.unstyled)),
    )
    return ((), "image") if own is None else ((own[0],), own[1])


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
    words = ["edit", face.path.name, *edit_words(visit, face, strengths)]
    if edited := len(words) > 2:
        words += ["--paste-back"] if whole else []
    lines = [face.made_by] if face.made_by else []
    lines += [visit.studio.command_line(words)] if edited else []
    return "\n".join(lines)
