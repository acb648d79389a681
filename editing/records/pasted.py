"""An edit of a record, pasted back into its photo."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from stylegan_latents.invert.paste_back.paste import paste_back

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.editing.records.drawn import DrawnEdit
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.invert.photos.person_mask import PersonMask

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
# Pixels of a person's mask by which an edited face ends inside its outline, and the softness there, of the side.
_INSIDE, _EDGE = 4, 0.015
LOST_FACE = (
    "No face is found in the edited picture: the edit goes farther than the model draws faces; a smaller "
    "--strength looks better."
)
"""What ``pasted`` tells where the model draws no face any more."""


def pasted(
    opened: "OpenRecord", photo: "Image", drawn: "DrawnEdit", tell: Callable[[str], None] | None = None
) -> "Image":
    """Paste an edited picture back into the record's photo, with what moves outside the crop.

    In a style or from another camera than the photo's nothing outside the crop changes.

    Args:
        opened: the record.
        photo: from ``OpenRecord.photo``.
        drawn: from ``OpenRecord.edited``, in full size.
        tell: called with a sentence if the seam shows, if background is guessed, or if the face is lost.
    """
    from stylegan_latents.editing.regions.regions import of_face

    before, after = opened.picture(G=opened.plain), drawn.picture
    if opened.alignment().method != "ffhq" or opened.plain is not opened.generator:
        return paste_back(photo, after, opened.alignment(), reference=before)
    join, people = drawn.join, people_of(opened, before, drawn)
    if join is None and people is not None and drawn.blend == "image" and of_face(drawn.regions):
        after, people = _in_face((before, after), people)
    if join is not None and not join.seen and tell is not None:
        tell(LOST_FACE)
    words = (_VISIBLE_SEAM, _GUESSED_BACKGROUND) if join is None else (_CUT_FACE, _GUESSED_BESIDE_FACE)
    seam, guess = (None if tell is None else partial(tell, one) for one in words)
    return paste_back(
        photo, after, opened.alignment(), reference=before, people=people,
        face=None if join is None else join.face, on_visible_seam=seam, on_guessed_background=guess,
    )  # fmt: skip


def people_of(opened: "OpenRecord", before: "Image", drawn: "DrawnEdit") -> "tuple[PersonMask, PersonMask] | None":
    """The person before and after an edit; None for a model without a catalogue of the parts of people.

    Args:
        opened: the record.
        before: its unedited picture.
        drawn: the edit.
    """
    if drawn.join is not None:
        return drawn.join.people_in(drawn.picture)
    import torch

    from stylegan_latents.editing.regions.parts import stored_parts
    from stylegan_latents.editing.regions.person import people_of_edit

    with torch.inference_mode():
        return people_of_edit(
            stored_parts(opened.unstyled), opened.generator, drawn.styles, (before, drawn.picture), drawn.mask
        )


def _in_face(
    pictures: "tuple[Image, Image]", people: "tuple[PersonMask, PersonMask]"
) -> "tuple[Image, tuple[PersonMask, PersonMask]]":
    """The picture after an edit of a face's regions, with the outline and all around it as before, and the people.

    Shapes around landmarks reach beyond a face's outline, where the generator draws another background. An outline
    that moves a little would leave the photo's beside it.
    """
    import numpy as np
    from PIL import Image

    from stylegan_latents.editing.regions.blending import blend_pictures
    from stylegan_latents.invert.paste_back.fields import blur, eroded
    from stylegan_latents.invert.photos.person_mask import PersonMask

    before, after = people
    share = blur(eroded(before.of("face"), _INSIDE), _EDGE)
    large = Image.fromarray(share).resize(pictures[1].size, Image.Resampling.BILINEAR)
    person = PersonMask(before.shares + share * (after.shares - before.shares))
    return blend_pictures(*pictures, np.asarray(large)), (before, person)
