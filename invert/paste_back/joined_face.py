"""A face of the generator's that is joined to an unedited head, laid over the photo.

Hair, neck, clothes and background stay the photo's: the generator drew how they meet the face, so that a minimum
cut near it finds a way where both show the same.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from stylegan_latents.invert.paste_back.cut import CHIN, best_seam, face_oval, visible_length
from stylegan_latents.invert.paste_back.fields import (
    SIDE,
    Array,
    blur,
    coordinates,
    dilated,
    eroded,
    moved,
    small,
    smoothstep,
)
from stylegan_latents.invert.paste_back.laid import Laid, inset, meeting, shades, texture, unchanged_person
from stylegan_latents.invert.paste_back.outline import INNER, person_in, square_of, wider
from stylegan_latents.invert.photos.crop import Alignment, crop_of
from stylegan_latents.invert.photos.person_mask import Mask, PersonMask

# Levels of 255 from which the edit has changed a place.
_CHANGED = np.float32(12.0)
# The share of the joined features below which a place is the photo's, and the crop's rim, of its side, which is.
_LEAST, _RIM = 0.25, 0.012
# What it costs to leave out what changed, against a seam through it, and to take in what both show: hair, neck,
# clothes and background; and hair that is added. In the shadow of a jaw, and how many pixels that reaches.
_LEFT_OUT, _HAIR, _NECK, _CLOTHES, _BACKGROUND, _ADDED = 0.6, 0.3, 0.3, 1.0, 2.0, 0.6
_BELOW, _SHADOW = 0.3, 8
# Of the crop's side: the cut's softness, and that in hair.
_SOFTNESS, _SOFT_HAIR = 0.006, 0.012


class JoinedFace(NamedTuple):
    """What is known of a face that was joined.

    Attributes:
        edited: the picture after the edit as a whole, a square.
        person: in it.
        move: how far the face was moved in the joined picture, to the right and down, in sides; whole pixels of
            both pictures.
        share: ``[SIDE, SIDE]`` in 0 to 1, where the joined picture's features are the edited ones.
    """

    edited: Image.Image
    person: PersonMask
    move: tuple[float, float]
    share: Array


def joined_face(
    photo: Image.Image,
    alignment: Alignment,
    pictures: tuple[Image.Image, Image.Image],
    people: tuple[PersonMask, PersonMask],
    face: JoinedFace,
) -> Laid:
    """Lay a joined face over the photo.

    Args:
        photo: RGB.
        alignment: of the crop.
        pictures: the generator's before the edit and joined, squares of one size.
        people: in them.
        face: that was joined.
    """
    before, joined = (small(one) for one in pictures)
    crop = small(crop_of(photo, alignment, SIDE))
    was, then = people
    opaque = person_in(square_of(photo, wider(alignment)), was)[0][INNER, INNER]
    person = np.where(was.person > 0.02, opaque, 0).astype(np.float32)
    here = np.indices((SIDE, SIDE), np.float32)[::-1].transpose(1, 2, 0)
    shift = shades(crop - before, was, then, here)
    error = crop - joined - shift
    changed = smoothstep(blur(np.abs(joined - before).max(axis=2), _SOFTNESS) / _CHANGED - np.float32(0.5))
    share = _region(error, changed > 0.5, people, person, face)
    inside = blur(share, _SOFTNESS)
    hair = blur(np.minimum(was.of("hair"), then.of("hair")) * smoothstep(2 * person - 1), 0.01)
    inside += hair * (blur(share, _SOFT_HAIR) - inside)
    shift += meeting(error, inside, was, then, person)
    visible = visible_length(error, inside[:, :, None], unchanged_person(was, then))

    move = np.array(face.move, np.float32)
    reference, source, same = texture((pictures[0], face.edited), (was, face.person), move)
    steps = tuple(round(one * SIDE) for one in face.move)
    large = tuple(round(one * reference.width) for one in face.move)
    turned = Image.fromarray(moved(np.asarray(reference), *large))
    return Laid(
        pictures[1],
        alignment,
        inside[:, :, None],
        shift,
        visible,
        0.0,
        turned,
        moved(source, *steps),
        moved(same, *steps),
    )


def _region(
    error: Array,
    changed: Mask,
    people: tuple[PersonMask, PersonMask],
    person: Array,
    face: JoinedFace,
) -> Array:
    """1 where the joined picture is taken: its face and what the edit changes beside it, in one piece."""
    from scipy.ndimage import label

    was, then = people
    unlike = dilated(blur(np.abs(error).max(axis=2), 0.004), 1)
    slopes = sum(np.abs(np.gradient(error, axis=axis)).max(axis=2) for axis in (0, 1))
    steps = tuple(round(one * SIDE) for one in face.move)
    # What looks like a face beneath the chin is neck.
    oval = moved(face_oval().astype(np.float32), *steps) > 0
    shown = then.of("face") * (oval | (coordinates()[:, None] < CHIN))
    left = (was.of("face") - then.of("face") > 0.5) & changed
    within = (eroded(shown, 2) > 0.6) | (dilated(dilated(eroded(left, 1), 1), 2) > 0)
    wish, weight = np.where(changed, 1.0, -1.0), np.where(changed, _LEFT_OUT, _BACKGROUND)

    def both(kind: str) -> Mask:
        return np.asarray(np.minimum(was.of(kind), then.of(kind)) > 0.5)

    neck = both("neck")
    shadow = neck & changed & (dilated(then.of("face"), _SHADOW) > 0.5)
    wall = (was.of("background") > 0.5) & (person < 0.5)
    # Neck and hair that the edit lays over a collar or a wall would end where the joined features do.
    added = (then.of("face", "neck") > 0.5) & (shown < 0.5) & (was.of("background", "clothes") > 0.5)
    for places, cost in (
        (both("hair") & (person > 0.5), _HAIR),
        ((then.of("hair") > 0.5) & wall, _ADDED),
        (both("background") & (person < 0.5), _BACKGROUND),
        (both("clothes") | added, _CLOTHES),
        (neck, _NECK),
    ):
        wish[places], weight[places] = -1, cost
    wish[shadow], weight[shadow] = 1, _BELOW
    outside = (inset() < _RIM) | (face.share < _LEAST)
    region = best_seam(unlike + slopes + 1.5, within, outside, unlike * wish * weight)
    for chosen in (True, False):
        groups, count = label(region == chosen)
        if count > 1:
            region = np.where(groups == 1 + int(np.argmax(np.bincount(groups.ravel())[1:])), chosen, not chosen)
    return region.astype(np.float32)
