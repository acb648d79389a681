"""A face of the generator's that is joined to an unedited head, laid over the photo.

Hair, neck, clothes and background stay the photo's: the generator drew how they meet the face, so that a minimum
cut near it finds a way where both show the same.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from stylegan_latents.invert.paste_back.cut import best_seam, in_one_piece
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
from stylegan_latents.invert.paste_back.fill import patterned
from stylegan_latents.invert.paste_back.flow import sampled
from stylegan_latents.invert.paste_back.laid import Laid, inset, meeting, shades, texture
from stylegan_latents.invert.paste_back.outline import INNER, person_in, square_of, wider
from stylegan_latents.invert.photos.crop import Alignment, crop_of
from stylegan_latents.invert.photos.person_mask import Mask, PersonMask

# Pixels by which what a face uncovers reaches beyond its mask.
_HALO = 4
# The height in FFHQ's crop above which skin beside the face is an ear's.
_LOBES = 0.62
# Levels of 255 from which the edit has changed a place.
_CHANGED = np.float32(12.0)
# The share of the joined features below which a place is the photo's, and from which a person whose head turns is
# the joined picture's; and the crop's rim, of its side, which is the photo's.
_LEAST, _WHOLE, _RIM = 0.25, 0.6, 0.012
# The halves of a crop by its rims, and along which axis each rim is crossed.
_HALF = SIDE // 2
_RIMS = ((np.s_[:_HALF], 0), (np.s_[_HALF:], 0), (np.s_[:, :_HALF], 1), (np.s_[:, _HALF:], 1))
# What it costs to leave out what changed, against a seam through it, and to take in hair and neck that both show,
# hair over a wall, and what else lies over a wall or clothes. In the shadow of a jaw, and how many pixels that
# reaches.
_LEFT_OUT, _HAIR, _NECK, _ADDED, _BESIDE = 0.6, 0.3, 0.3, 0.6, 2.0
_BELOW, _SHADOW = 0.3, 8
# Of the crop's side: the cut's softness, and that in hair.
_SOFTNESS, _SOFT_HAIR = 0.006, 0.012
# Of the crop's side: the width over which the photo's texture is no detail any more; levels of 255 up to which it
# may differ there, and from which it is another place's.
_BROAD, _SHADED, _ELSEWHERE = 0.012, np.float32(8.0), np.float32(20.0)


class JoinedFace(NamedTuple):
    """What is known of a face that was joined.

    Attributes:
        edited: the picture after the edit as a whole, a square.
        person: in it.
        move: how far the face was moved in the joined picture, to the right and down, in sides; whole pixels of
            both pictures.
        share: ``[SIDE, SIDE]`` in 0 to 1, where the joined picture's features are the edited ones.
        shape: ``[SIDE, SIDE]`` in 0 to 1, where forehead, cheeks and jaw are in ``edited``; what looks like a face
            beside it is an ear, or neck.
    """

    edited: Image.Image
    person: PersonMask
    move: tuple[float, float]
    share: Array
    shape: Array

    @property
    def turns(self) -> bool:
        """Whether the head turns to a side, so that its outline changes."""
        return self.move[0] != 0


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
    freed = inside * np.maximum(person - then.person, 0)
    guessed = patterned(crop, freed, 1 - dilated(np.maximum(person, was.person), 2))

    move = np.array(face.move, np.float32)
    reference, source, same = texture((pictures[0], face.edited), (was, face.person), move)
    steps = tuple(round(one * SIDE) for one in face.move)
    large = tuple(round(one * reference.width) for one in face.move)
    turned = Image.fromarray(moved(np.asarray(reference), *large))
    source, same = moved(source, *steps), moved(same, *steps)
    if face.turns:
        # Where the flow errs, brows, hair and shadows of the photo would become spots.
        broad = blur(sampled(crop, here + source * np.float32(SIDE)) - small(turned) - shift, _BROAD)
        unlike = (np.abs(broad).max(axis=2, keepdims=True) - _SHADED) / (_ELSEWHERE - _SHADED)
        same = same * (1 - smoothstep(unlike))
    return Laid(
        pictures[1],
        alignment,
        inside[:, :, None],
        shift,
        _cut_by_crop(joined - before, inside, was),
        guessed,
        turned,
        source,
        same,
    )


def _cut_by_crop(change: Array, inside: Array, was: PersonMask) -> float:
    """How much of a rim of the crop cuts what an edit of the face clearly changes, as a fraction of the side.

    Args:
        change: ``[SIDE, SIDE, 3]``, by which the joined picture differs from the one before the edit, in levels.
        inside: ``[SIDE, SIDE]`` in 0 to 1, where the joined picture is taken.
        was: the person before the edit.
    """
    rim = (inset() > _RIM) & (inset() < 2.5 * _RIM)
    cut = rim & (inside > 0.5) & (was.person > 0.5) & (blur(np.abs(change).max(axis=2), _SOFTNESS) > 2 * _CHANGED)
    return float(max(cut[part].any(axis=axis).mean() for part, axis in _RIMS))


def _region(
    error: Array,
    changed: Mask,
    people: tuple[PersonMask, PersonMask],
    person: Array,
    face: JoinedFace,
) -> Array:
    """1 where the joined picture is taken: its face and what the edit changes beside it, in one piece."""
    was, then = people
    unlike = dilated(blur(np.abs(error).max(axis=2), 0.004), 1)
    slopes = sum(np.abs(np.gradient(error, axis=axis)).max(axis=2) for axis in (0, 1))
    steps = tuple(round(one * SIDE) for one in face.move)
    shape = dilated(moved(face.shape, *steps), 1)
    above = np.broadcast_to(coordinates()[:, None] < _LOBES + face.move[1], shape.shape)
    shown = then.of("face") * np.maximum(shape, above)
    # From the ears to the photo's neck skin may go on behind the jaw.
    skin = then.of("face") * _hull((shown > 0.5) | (was.of("face", "neck") > 0.5) & ~above)
    left = eroded((was.of("face") - then.of("face") > 0.5) & changed, 1)
    # The photo's ear may be larger than the generator's.
    bare = (person > 0.5) & (then.person < 0.5) & (dilated(left, 2 * _HALO) > 0)
    within = (eroded(shown, 2) > 0.6) | (dilated(np.maximum(left, bare), _HALO) > 0)

    def both(*kinds: str) -> Mask:
        return np.asarray(np.minimum(was.of(*kinds), then.of(*kinds)) > 0.5)

    if face.turns:
        # The generator drew what changed here as one picture: a cut through it would show, but in hair and clothes.
        people_stay = np.minimum(np.minimum(then.person, was.person), person) > 0.5
        within |= (face.share > _WHOLE) & changed & people_stay & ~both("hair", "clothes")
    wish, weight = np.where(changed, 1.0, -1.0), np.where(changed, _LEFT_OUT, _BESIDE)
    neck = both("neck")
    shadow = neck & changed & (dilated(then.of("face"), _SHADOW) > 0.5)
    wall = (was.of("background") > 0.5) & (person < 0.5)
    # What the edit lays over a wall or clothes beside the face would end where the joined features do.
    beside = (skin < 0.5) & (then.of("hair") < 0.5) & (was.of("hair", "face") < 0.5)
    for places, cost in (
        (both("hair") & (person > 0.5), _HAIR),
        ((then.of("hair") > 0.5) & wall, _ADDED),
        (beside, _BESIDE),
        (neck, _NECK),
    ):
        wish[places], weight[places] = -1, cost
    wish[shadow], weight[shadow] = 1, _BELOW
    outside = (inset() < _RIM) | (face.share < _LEAST)
    region = best_seam(unlike + slopes + 1.5, within, outside, unlike * wish * weight)
    return in_one_piece(region).astype(np.float32)


def _hull(places: Mask) -> Mask:
    """The convex hull."""
    import cv2

    hull = np.zeros(places.shape, np.uint8)
    found = cv2.findNonZero(places.astype(np.uint8))
    if found is not None:
        cv2.fillConvexPoly(hull, cv2.convexHull(found), 1)
    return hull > 0
