"""An edit of a record, pasted back into its photo."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from stylegan_latents.invert.paste_back.paste import paste_back

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.editing.directions.apply import Edit
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.editing.regions.joining import FaceJoin
    from stylegan_latents.editing.regions.regions import Blend
    from stylegan_latents.invert.photos.person_mask import PersonMask
    from stylegan_latents.invert.search.span import Span

_VISIBLE_SEAM = (
    "The edit changes something that reaches beyond the face's crop, so that a seam may show; --region face, or "
    "another region, leaves it as it is."
)
_CUT_FACE = (
    "The face goes on beyond its crop, where the edit ends, so that a seam may show; a smaller --strength shows "
    "less."
)
_GUESSED_BACKGROUND = (
    "The edit uncovers a background with a pattern, which can only be guessed; --region face, or another region, "
    "leaves the background as it is."
)
_GUESSED_BESIDE_FACE = (
    "The face uncovers a background with a pattern, which can only be guessed; a smaller --strength uncovers less."
)
# Pixels of a person's mask that an edited face goes beyond its outline, and the softness there, of the side.
_BEYOND, _EDGE = 1, 0.006
LOST_FACE = (
    "No face is found in the edited picture: the edit goes farther than the model draws faces; a smaller "
    "--strength looks better."
)
"""What ``pasted`` tells where the model draws no face any more."""


def pasted(
    opened: "OpenRecord",
    photo: "Image",
    after: "Image",
    edits: "Sequence[Edit]",
    *,
    rows: Sequence[int] | None = None,
    raw: bool = False,
    regions: Sequence[str] = (),
    blend: "Blend" = "image",
    span: "Span | None" = None,
    tell: Callable[[str], None] | None = None,
) -> "Image":
    """Paste an edited picture back into the record's photo, with what moves outside the crop.

    In a style or from another camera than the photo's nothing outside the crop changes.

    Args:
        opened: the record.
        photo: from ``OpenRecord.photo``.
        after: from ``OpenRecord.edited`` with the other arguments.
        edits, rows, raw, regions, blend, span: as for ``OpenRecord.edited``.
        tell: called with a sentence if the seam shows, if background is guessed, or if the face is lost.
    """
    from stylegan_latents.editing.regions.joining import joins_face
    from stylegan_latents.editing.regions.regions import of_face

    before = opened.picture(G=opened.plain)
    if opened.alignment().method != "ffhq" or opened.plain is not opened.generator:
        return paste_back(photo, after, opened.alignment(), reference=before)
    join = _join_of(opened, before, edits, rows, raw, span) if joins_face(regions, blend) else None
    if join is None:
        people = people_of(opened, (before, after), edits, rows=rows, raw=raw, regions=regions, span=span)
        if people is not None and blend == "image" and of_face(regions):
            after, people = _in_face((before, after), people)
    else:
        people = join.people_in(after)
        if tell is not None and not join.seen:
            tell(LOST_FACE)
    words = (_VISIBLE_SEAM, _GUESSED_BACKGROUND) if join is None else (_CUT_FACE, _GUESSED_BESIDE_FACE)
    seam, guess = (None if tell is None else partial(tell, one) for one in words)
    return paste_back(
        photo, after, opened.alignment(), reference=before, people=people,
        face=None if join is None else join.face, on_visible_seam=seam, on_guessed_background=guess,
    )  # fmt: skip


def _in_face(
    pictures: "tuple[Image, Image]", people: "tuple[PersonMask, PersonMask]"
) -> "tuple[Image, tuple[PersonMask, PersonMask]]":
    """The picture after an edit of a face's regions with what is around the face as it was, and the people.

    Shapes around landmarks reach beyond a face's outline, where the generator draws another background.
    """
    import numpy as np
    from PIL import Image

    from stylegan_latents.editing.regions.blending import blend_pictures
    from stylegan_latents.invert.paste_back.fields import blur, dilated
    from stylegan_latents.invert.photos.person_mask import PersonMask

    before, after = people
    share = blur(dilated(np.maximum(before.of("face"), after.of("face")), _BEYOND), _EDGE)
    large = Image.fromarray(share).resize(pictures[1].size, Image.Resampling.BILINEAR)
    person = PersonMask(before.shares + share * (after.shares - before.shares))
    return blend_pictures(*pictures, np.asarray(large)), (before, person)


def _join_of(
    opened: "OpenRecord",
    before: "Image",
    edits: "Sequence[Edit]",
    rows: Sequence[int] | None,
    raw: bool,
    span: "Span | None",
) -> "FaceJoin | None":
    """How ``OpenRecord.edited`` joins the face."""
    import torch

    from stylegan_latents.editing.directions.apply import edited_styles
    from stylegan_latents.editing.regions.joining import can_join, find_join
    from stylegan_latents.editing.regions.parts import stored_parts

    G, parts = opened.generator, stored_parts(opened.unstyled)
    if parts is None or not edits or not can_join(G, parts):
        return None
    edited = opened.edited(edits, rows=rows, raw=raw, span=span)
    with torch.inference_mode():
        styles = (G.styles(opened.ws), edited_styles(G, opened.ws, edits, rows=rows, raw=raw, span=span))
        return find_join(parts, G, styles, (before, edited))


def people_of(
    opened: "OpenRecord",
    pictures: "tuple[Image, Image]",
    edits: "Sequence[Edit]",
    *,
    rows: Sequence[int] | None = None,
    raw: bool = False,
    regions: Sequence[str] = (),
    span: "Span | None" = None,
) -> "tuple[PersonMask, PersonMask] | None":
    """The person in the pictures before and after an edit; None for a model without a catalogue of people's parts.

    Args:
        pictures: before and after.
        edits, rows, raw, regions, span: as for ``OpenRecord.edited``.
    """
    import torch

    from stylegan_latents.editing.directions.apply import edited_styles
    from stylegan_latents.editing.regions.parts import stored_parts
    from stylegan_latents.editing.regions.person import people_of_edit
    from stylegan_latents.editing.regions.regions import region_masks

    G, parts = opened.generator, stored_parts(opened.unstyled)
    with torch.inference_mode():
        styles = (G.styles(opened.ws), edited_styles(G, opened.ws, edits, rows=rows, raw=raw, span=span))
    people = people_of_edit(parts, G, styles, pictures)
    if people is None or not regions or not edits:
        return people
    changed = region_masks(regions, pictures, name=opened.stem, people=people)
    return people_of_edit(parts, G, styles, pictures, changed)
