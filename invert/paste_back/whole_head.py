"""A turned head, taken whole from the generator's picture and laid over the photo.

FFHQ's crops hold the face in their middle, so that a head that turns seems to move the other way. Laid where hair
and neck agree with the photo's, the face turns and the head stays: little background becomes free, and hair goes on
beyond the crop where it did. What is left of the difference is taken by a smooth warp outside the face, colour
corrections of each layer, and a minimum cut around the head that follows where picture and photo agree.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylegan_latents.invert.paste_back.bend import smooth_displacement
from stylegan_latents.invert.paste_back.cut import CHIN, best_seam, face_oval, in_one_piece, visible_length
from stylegan_latents.invert.paste_back.fields import (
    SIDE,
    Array,
    blur,
    coordinates,
    dilated,
    eroded,
    small,
    smoothstep,
)
from stylegan_latents.invert.paste_back.fill import patterned
from stylegan_latents.invert.paste_back.flow import sampled
from stylegan_latents.invert.paste_back.laid import Laid, inset, meeting, shades, texture, unchanged_person
from stylegan_latents.invert.paste_back.outline import MARGIN, person_in, square_of, wider
from stylegan_latents.invert.photos.crop import Alignment, crop_of
from stylegan_latents.invert.photos.person_mask import PersonMask, Pixels

# The side at which the place is looked for, and how far, in its pixels: up and down, left and right.
_COARSE, _DOWN, _ACROSS = 64, 5, 10
# What a move of one pixel must gain, in the mean difference of features, and moves that are no turn.
_GAIN, _STILL = 0.15, 1.5
# How much a share of person, hair, clothes and skin tells, against levels of 255.
_TELLS = np.array([160.0, 100.0, 60.0, 60.0], np.float32)
# The same for the outline and clothes in the warp, the weight of colours, and the height from which these tell.
_OUTLINE, _CLOTHES, _COLOURS, _LOW = np.float32(95), np.float32(60), np.float32(0.35), (0.6, 0.85)
_STIFFNESS, _FARTHEST = 375.0, 0.08
# Of the crop's side: its rim, which stays the photo's, how near it added hair is not drawn, and the cut's softness,
# the latter for hair.
_RIM, _CUT_OFF, _SOFTNESS, _SOFT_HAIR = 0.012, 0.12, 0.006, 0.025
# What it costs to leave the head out, and to take other things in, against a seam through them.
_HEAD, _REST = 0.6, 2.0
# The same for what lies in the shadow of a jaw, and how many pixels that reaches.
_BELOW, _SHADOW = 0.3, 8


class HeadMove(NamedTuple):
    """How a head is moved from the generator's picture of an edit to the photo.

    Attributes:
        place: ``[2]``, x and y, in sides of the crop.
        turned: whether it is so far that the head is taken whole.
    """

    place: Array
    turned: bool


def whole_head(
    photo: Image.Image,
    alignment: Alignment,
    pictures: tuple[Image.Image, Image.Image],
    people: tuple[PersonMask, PersonMask],
    head: HeadMove | None = None,
) -> Laid | None:
    """Lay the generator's picture of a turned head over the photo.

    Args:
        photo: RGB.
        alignment: of the crop.
        pictures: the generator's before and after the edit, squares of one size.
        people: in them.
        head: from ``head_move``, by default of ``people``.

    Returns:
        None if the edit does not turn the head.
    """
    before, edited = (small(one) for one in pictures)
    move, turned = head_move(people) if head is None else head
    if not turned or not (people[0].of("face") > 0.5).any():
        return None
    across, down = alignment.quad[3] - alignment.quad[0], alignment.quad[1] - alignment.quad[0]
    place = replace(alignment, quad=alignment.quad + float(move[0]) * across + float(move[1]) * down)
    crop = small(crop_of(photo, place, SIDE))
    grid = np.indices((SIDE, SIDE), np.float32)[::-1].transpose(1, 2, 0) + move * np.float32(SIDE)
    covered = np.asarray(((grid > 0) & (grid < SIDE - 1)).all(axis=2), np.float32)
    known = eroded(covered, 2)
    was = PersonMask(np.stack([sampled(share, grid) for share in people[0].shares]))
    matte = sampled(person_in(square_of(photo, wider(alignment)), people[0])[0], grid + np.float32(MARGIN * SIDE))
    person = np.where((known > 0.5) & (was.person > 0.02), matte, 0).astype(np.float32)

    field = _warp((edited, crop), (people[1], was), known)
    picture = _warped(np.asarray(pictures[1].convert("RGB")), field)
    then = PersonMask(np.stack([_warped(share, field) for share in people[1].shares]))
    result = Image.fromarray(np.rint(picture.clip(0, 255)).astype(np.uint8))
    shift = shades(small(crop_of(photo, alignment, SIDE)) - before, people[0], then, grid)
    error = crop - small(result) - shift
    heads = (sampled(_head(people[0]), grid), _warped(_head(people[1]), field))
    region = _region(error, heads, was, then, person, known)
    # Background that both show is the photo's.
    either = blur(dilated(np.maximum(then.person, person), 3), 0.012)
    share = region * smoothstep(np.float32(1.6) * either - np.float32(0.1))
    # Sharp hair fades into the generator's soft hair.
    hair = blur(np.minimum(was.of("hair"), then.of("hair")) * smoothstep(2 * person - 1), 0.01)
    inside = blur(share, _SOFTNESS)
    inside += hair * (blur(share, _SOFT_HAIR) * smoothstep(inset() / np.float32(_SOFT_HAIR)) - inside)
    visible = visible_length(error, inside[:, :, None], unchanged_person(was, then))
    freed = inside * np.maximum(person - then.person, 0)
    guessed = patterned(crop, freed, known * (1 - dilated(np.maximum(person, was.person), 2)))
    shift += meeting(error, inside, was, then, person)
    return Laid(result, place, inside[:, :, None], shift, visible, guessed, *texture(pictures, people, move))


def head_move(people: tuple[PersonMask, PersonMask]) -> HeadMove:
    """Where the picture after an edit lies best, by the people before and after it."""
    import cv2

    def reduced(values: Array) -> Array:
        return np.asarray(cv2.resize(values, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA), np.float32)

    planes = [
        reduced(np.dstack([one.person, one.of("hair"), one.of("clothes"), one.of("face", "neck")]) * _TELLS)
        for one in people
    ]
    # The face turns; hair and neck tell the place.
    faces = np.maximum(*(one.of("face") for one in people))
    weight = reduced(1 - np.float32(0.9) * blur(eroded(faces, 4), 0.02))
    costs = np.full((2 * _DOWN + 1, 2 * _ACROSS + 1), np.inf)
    for down, across in np.ndindex(*costs.shape):
        y, x = down - _DOWN, across - _ACROSS
        to = (slice(max(y, 0), _COARSE + min(y, 0)), slice(max(x, 0), _COARSE + min(x, 0)))
        of = (slice(max(-y, 0), _COARSE - max(y, 0)), slice(max(-x, 0), _COARSE - max(x, 0)))
        unlike = np.abs(planes[1][of] - planes[0][to]).sum(axis=2)
        costs[down, across] = (unlike * weight[to]).sum() / weight[to].sum() + _GAIN * np.hypot(y, x)
    row, column = divmod(int(np.argmin(costs)), costs.shape[1])
    found = (column - _ACROSS + _lowest(costs[row], column), row - _DOWN + _lowest(costs[:, column], row))
    return HeadMove(np.array(found, np.float32) / np.float32(_COARSE), bool(np.hypot(*found) >= _STILL))


def _lowest(costs: npt.NDArray[np.float64], index: int) -> float:
    """Where beside the lowest of some costs the parabola through it and its neighbours is lowest."""
    if not 0 < index < len(costs) - 1:
        return 0.0
    before, here, after = costs[index - 1 : index + 2]
    return float((before - after) / max(2 * (before - 2 * here + after), 1e-9))


def _warp(pictures: tuple[Array, Array], people: tuple[PersonMask, PersonMask], known: Array) -> Array:
    """The displacement ``[2, SIDE, SIDE]`` that leads outline and neck to the photo's, 0 in the face."""
    low = smoothstep(((coordinates() - _LOW[0]) / (_LOW[1] - _LOW[0])).astype(np.float32))[:, None, None]
    planes = [
        np.dstack([one.person * _OUTLINE, one.of("clothes") * _CLOTHES, low * picture * _COLOURS])
        for picture, one in zip(pictures, people, strict=True)
    ]
    face = people[0].of("face")
    core = blur(eroded(face, 2), 0.02) ** 4
    field = smooth_displacement(planes[0], planes[1], known, core, _STIFFNESS, _FARTHEST)
    return np.asarray(field * (1 - smoothstep(np.float32(1.2) * blur(eroded(face, 1), 0.03))), np.float32)


def _warped(values: Array | Pixels, field: Array) -> Array:
    """A plane or picture of any side, warped by a displacement in sides."""
    import cv2

    side = values.shape[0]
    fine = np.dstack([cv2.resize(plane, (side, side), interpolation=cv2.INTER_LINEAR) for plane in field])
    places = np.indices((side, side), np.float32)[::-1].transpose(1, 2, 0) + fine * np.float32(side)
    return sampled(
        values, np.asarray(places, np.float32), cv2.INTER_CUBIC if values.ndim == 3 else cv2.INTER_LINEAR
    )


def _head(mask: PersonMask) -> Array:
    """Hair and face; what looks like a face beneath the chin is neck."""
    allowed = face_oval() | (coordinates()[:, None] < CHIN)
    return np.maximum(mask.of("hair"), mask.of("face") * allowed)


def _region(
    error: Array, heads: tuple[Array, Array], was: PersonMask, then: PersonMask, person: Array, known: Array
) -> Array:
    """1 where the generator's picture is taken: its head and what covers the photo's, in one piece."""
    unlike = dilated(blur(np.abs(error).max(axis=2), 0.004), 1)
    slopes = sum(np.abs(np.gradient(error, axis=axis)).max(axis=2) for axis in (0, 1))
    depth = inset()
    old, head = heads
    left = (person - then.person > 0.5) & (dilated(old, 7) > 0.4)
    left = dilated(dilated(eroded(left, 1), 1), 4) > 0
    within = (eroded(np.minimum(then.of("face"), head), 1) > 0.6) | left
    wish = np.where((head > 0.5) | (old * known > 0.5), np.where(head < 0.5, 1, 2 * head - 1), -1)
    # Hair that the crop's edge would cut off does not grow; clothes and background are the photo's.
    wish[(head > 0.3) & (person < 0.5) & (depth < _CUT_OFF)] = -1
    weight = np.where(wish > 0, _HEAD * smoothstep(depth / np.float32(0.08)), _REST)
    # Between jaw and collar skin meets skin where it shows least, below the jaw's shadow; the old jaw may go. Hair
    # that both have is the photo's, which is sharp, away from faces and ears.
    neck = (then.of("face", "neck") > 0.5) & (person > 0.5) & (head < 0.5) & (wish < 0)
    shadow = neck & (was.of("face", "neck") > 0.5) & (dilated(then.of("face"), _SHADOW) > 0.5)
    wish[shadow] = 1
    weight[neck] = 0
    weight[shadow] = _BELOW
    faces = dilated(np.maximum(was.of("face"), then.of("face")), 2 * _SHADOW)
    weight[(np.minimum(then.of("hair"), was.of("hair")) > 0.5) & (person > 0.5) & (faces < 0.5)] = 0
    region = best_seam(
        (unlike + slopes + 1.5) * (1 + 2 * depth), within & (depth > 0.02), depth < _RIM, unlike * wish * weight
    )
    return in_one_piece(region).astype(np.float32)
