"""The photo with its person moved as an edit moved them, also beyond the crop.

The person is a layer over the background: hair that the crop cuts through goes on outside it where the edit took
it, and the background that the person covered is filled.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from stylegan_latents.invert.paste_back.fields import SIDE, Array, blur, dilated, eroded, smoothstep
from stylegan_latents.invert.paste_back.fill import filling
from stylegan_latents.invert.paste_back.flow import continued, lying, sampled, smooth_flow, trusted_flow
from stylegan_latents.invert.paste_back.outline import (
    CANVAS,
    INNER,
    MARGIN,
    beyond,
    outwards,
    person_in,
    square_of,
    wider,
    within_photo,
)
from stylegan_latents.invert.photos.crop import Alignment
from stylegan_latents.invert.photos.person_mask import Mask, PersonMask, Pixels

# Of the crop's side: movements that count as none, and the distance beyond the crop at which none is left.
_STILL, _REACH = 0.002, 0.4
# Height in the crop towards which less and less of the photo is taken away.
_SHOULDERS = 0.97
# Of the crop's side: how far from hair and face an edit takes the person away, and the height down to which it is
# the larger.
_LOOSE, _CHIN = (0.03, 0.12), 0.7
# Heights in the crop between which long hair moves less and less.
_RESTS = (0.35, 0.75)
# Below the chin, the height in which what is taken away near the body fades to nothing, and how near that is.
_FADING, _BODY = 0.08, 0.08
# Of the crop's side: how far stray hair and the person's blurred edge reach into the background.
_HALO = 0.025
# Of the crop's side: the movement from which the background beside the person is filled in full.
_CLEARLY = 0.008
# Of the crop's side: how far inside the person's outline a hole begins.
_DEEP = 0.04
# Of the crop's side: the width beside the face in which hair moves less and less with it.
_ROOTS = 0.04
# Pixels of the square over which pieces of the filled background are blended.
_BLEND = 1.5
# Levels of 255 by which an edge's colour is changed at most when the background is taken out of it.
_UNMIXED = np.float32(25.0)
_STRIP = 256


@dataclass(frozen=True, eq=False)
class PersonLayer:
    """A photo's person and how they move, on a square around the crop.

    Attributes:
        alignment: of the square.
        opaque: ``[S, S]``, the share of the person before the edit: the rest is background that shines through.
        person: ``[S, S]``, the same without clothes, which stay.
        shown: ``[S, S]``, the largest share that the moved person may have.
        movement: ``[S, S, 2]``, from each place after the edit to the same before it, in sides of the square.
        freed: ``[S, S]``, how far the background is filled in, from 0 to 1.
        filling: ``[S, S, 2]``, from each place that is filled to the background that fills it, in sides.
        tone: ``[S, S, 3]``, what is added to the levels there.
    """

    alignment: Alignment
    opaque: Array
    person: Array
    shown: Array
    movement: Array
    freed: Array
    filling: Array
    tone: Array

    @property
    def drawn_share(self) -> Array:
        """The moved person's share in each place of the crop, ``[SIDE, SIDE]``."""
        return np.asarray(np.minimum(_moved(self.person, self.movement), self.shown)[INNER, INNER])

    @property
    def torn(self) -> float:
        """The length of the edge, in sides of the crop, that the edit tears amid hair that stays."""
        inside = eroded(_moved(self.person, self.movement), round(_DEEP * SIDE))
        return float((np.hypot(*np.gradient(self.shown)) * inside).sum()) / SIDE


def person_layer(
    photo: Image.Image,
    alignment: Alignment,
    pictures: tuple[Image.Image, Image.Image],
    people: tuple[PersonMask, PersonMask],
    then: Array,
    change: Array,
) -> PersonLayer:
    """Find the person in the photo around the crop, and how the edit moves them.

    Args:
        photo: RGB.
        alignment: of the crop.
        pictures: the generator's pictures before and after the edit, the latter with neck and shoulders led back.
        people: in the pictures before and after the edit.
        then: the person's share in each place of the latter picture, ``[SIDE, SIDE]``.
        change: how much the edit changes each place of the crop, ``[SIDE, SIDE, 1]``.
    """

    movement = _movement(pictures, people, then, change)
    wide = wider(alignment)
    pixels = square_of(photo, wide)
    opaque, person = person_in(pixels, people[0])
    head = _near_head(people[0])
    # Hair that is half there is a haze, and long hair would be cut off above what stays of it.
    gone = head * (1 - outwards(lying(people[0]))) * (1 - _shown(people[0], then, change))
    shown = _in_one_piece((1 - smoothstep(2 * gone - np.float32(0.5))), _moved(person, movement))
    shown = 1 - outwards(_spread(change)[:, :, 0]) * (1 - shown)
    covered = _covered(person)
    freed = head * _freed(person, shown, movement, covered)
    # Along its edges the person is unmixed from the background.
    edges = eroded(opaque, 1) < 0.99
    hole = covered & (dilated((freed > 1e-3) | edges, 3) > 0)
    away, tone = filling(pixels, hole, within_photo(wide) & ~covered, opaque - person > 0.25)
    return PersonLayer(wide, opaque, person, shown, movement, freed, away / np.float32(CANVAS), tone)


def drawn_photo(photo: Image.Image, layer: PersonLayer) -> Image.Image:
    """A new photo with its person moved."""
    pixels, result = np.asarray(photo), photo.copy()
    low = np.maximum(np.floor(layer.alignment.quad.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(layer.alignment.quad.max(axis=0)) + 1, photo.size).astype(int)
    for top in range(int(low[1]), int(high[1]), _STRIP):
        rows = np.arange(top, min(top + _STRIP, high[1]), dtype=np.float32)
        columns = np.arange(low[0], high[0], dtype=np.float32)
        strip = _drawn(layer, pixels, np.stack(np.meshgrid(columns, rows), axis=2))
        result.paste(Image.fromarray(np.clip(np.rint(strip), 0, 255).astype(np.uint8)), (int(low[0]), top))
    return result


def _drawn(layer: PersonLayer, photo: Pixels, places: Array) -> Array:
    """The photo with its person moved, at places of the photo.

    Args:
        layer: of the photo.
        photo: uint8 ``[height, width, 3]``.
        places: float32 ``[h, w, 2]``, x and y in pixels of the photo.

    Returns:
        float32 ``[h, w, 3]``; exactly the photo where its person neither is nor comes.
    """
    import cv2

    square = layer.alignment
    across, down = square.quad[3] - square.quad[0], square.quad[1] - square.quad[0]
    axes = np.stack([across, down]).astype(np.float32)  # sides of the square to pixels of the photo
    origin = (square.quad[0] + 0.5).astype(np.float32)

    def at(field: Array, points: Array, method: int = cv2.INTER_LINEAR) -> Array:
        inside = (points + np.float32(0.5) - origin) @ (axes.T / np.float32(square.side**2))
        return sampled(field, inside * np.float32(CANVAS) - np.float32(0.5), method)

    def colours(points: Array, method: int) -> Array:
        return sampled(photo, points, method, cv2.BORDER_REFLECT_101)

    def filled(points: Array) -> Array:
        # Pieces are blended over their borders.
        total = np.zeros((*points.shape[:2], 3), np.float32)
        for corner in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
            step = np.array(corner, np.float32) * np.float32(_BLEND / CANVAS)
            near = np.asarray(points + step @ axes, dtype=np.float32)
            away = points + at(layer.filling, near, cv2.INTER_NEAREST) @ axes
            total += (colours(away, cv2.INTER_LINEAR) + at(layer.tone, near, cv2.INTER_NEAREST)) * np.float32(0.25)
        return total

    source = places + at(layer.movement, places) @ axes
    share = at(layer.person, source)
    drawn_share = np.minimum(share, at(layer.shown, places))
    freed = at(layer.freed, places)
    moves = np.abs(source - places).max(axis=2) > 1e-3
    touched = (freed > 1e-3) | (moves & (drawn_share > 1e-3))
    own = colours(places, cv2.INTER_NEAREST)
    if not touched.any():
        return own
    seen = at(layer.opaque, source)[:, :, None]
    person = colours(source, cv2.INTER_CUBIC)
    # Where hardly anything of the person is seen, its own colour is a guess.
    apart = (person - filled(source)) * (1 - seen) / np.maximum(seen, np.float32(0.1))
    person = person + apart.clip(-_UNMIXED, _UNMIXED)
    result = own + freed[:, :, None] * (filled(places).clip(0, 255) - own)
    result += drawn_share[:, :, None] * (person.clip(0, 255) - result)
    return np.where(touched[:, :, None], result, own)


def _movement(
    pictures: tuple[Image.Image, Image.Image], people: tuple[PersonMask, PersonMask], then: Array, change: Array
) -> Array:
    """``PersonLayer.movement``: the optical flow between the pictures, continued beyond the crop."""

    heads = [one.of("hair", "face", "neck") for one in people]
    flow, trust, sure = trusted_flow(pictures[1], pictures[0], heads[1], heads[0])
    length = np.hypot(flow[:, :, 0], flow[:, :, 1])[:, :, None]
    flow = np.asarray(flow * smoothstep(np.asarray(length / _STILL - 1, np.float32)), np.float32)
    flow = flow * _spread(change)
    # Shoulders were led back.
    still = np.maximum(then - heads[1], 0)
    total = trust + still
    face = people[1].of("face")
    near = blur(np.stack([trust, total], axis=2), 0.08)
    others = smooth_flow(flow, trust * (1 - face)) * (near[:, :, :1] / np.maximum(near[:, :, 1:], 1e-4))
    others *= (1 - _held(people[0]))[INNER, INNER, None]
    # Hair goes with the face where it grows from it.
    face = blur(dilated(face, round(_ROOTS * SIDE)), _ROOTS)[:, :, None]
    flow = continued(flow * (sure / np.maximum(sure + still, 1e-6))[:, :, None], sure + still)
    # Away from what the edit changes the photo stays.
    wide = outwards(np.asarray(others + face * (flow - others), np.float32) * _spread(change))
    fading = smoothstep(1 - beyond() / _REACH)[:, :, None]
    return np.asarray(wide * fading / (1 + 2 * MARGIN), dtype=np.float32)


def _held(before: PersonMask) -> Array:
    """1 where long hair stays, 0 elsewhere, ``[CANVAS, CANVAS]``."""
    height = ((np.arange(CANVAS)[:, None] + 0.5) / SIDE - MARGIN - _RESTS[0]) / (_RESTS[1] - _RESTS[0])
    return np.asarray(outwards(lying(before)) * smoothstep(height.astype(np.float32)), np.float32)


def _near_head(before: PersonMask) -> Array:
    """1 where hair and face are and beside them, farther above the shoulders, falling to 0 elsewhere."""

    head = outwards((before.of("hair", "face") > 0.5).astype(np.float32))
    narrow, wide = (dilated(head, round(reach * SIDE), rounded=True) for reach in _LOOSE)
    wide[INNER.start + round(_CHIN * SIDE) :] = 0
    near = blur(np.maximum(narrow, wide), 0.01)
    # Of hair over neck and clothes it is not known what is behind it.
    below = np.arange(CANVAS)[:, None] - (INNER.start + round(_CHIN * SIDE))
    body = dilated(outwards((before.of("neck", "clothes") > 0.6).astype(np.float32)), round(_BODY * SIDE))
    jaw = dilated(outwards(before.of("face")), round(_LOOSE[0] * SIDE))
    over = smoothstep((below / (_FADING * SIDE)).astype(np.float32)) * smoothstep(2 * body) * (1 - jaw)
    return np.asarray(near * (1 - over), dtype=np.float32)


def _shown(before: PersonMask, then: Array, change: Array) -> Array:
    """``PersonLayer.shown``: what the edit takes away is not drawn, nor what grows there."""
    from scipy.ndimage import distance_transform_edt

    gone = np.minimum(_spread(change)[:, :, 0], 1 - then)
    # Hair of the photo that the generator lacks goes with the nearest hair that the generator has.
    core = np.zeros((CANVAS, CANVAS), bool)
    core[INNER, INNER] = eroded(before.person > 0.5, 3) > 0
    if not core.any():
        return np.ones((CANVAS, CANVAS), np.float32)
    rows, columns = distance_transform_edt(~core, return_distances=False, return_indices=True)
    gone = blur(outwards(gone)[rows, columns], 0.008)
    below = (np.arange(CANVAS)[:, None] + 0.5) / SIDE - MARGIN - _SHOULDERS
    gone = gone * smoothstep((1 - beyond() / _REACH).astype(np.float32))
    return np.asarray(1 - gone * smoothstep((-below / 0.2).astype(np.float32)), dtype=np.float32)


def _moved(share: Array, movement: Array) -> Array:
    places = np.indices((CANVAS, CANVAS), np.float32)[::-1].transpose(1, 2, 0)
    return sampled(share, places + movement * np.float32(CANVAS))


def _in_one_piece(shown: Array, moved: Array) -> Array:
    """``shown`` without pieces of the moved person that hang together with nothing."""
    from scipy.ndimage import label

    groups, count = label(np.minimum(moved, shown) > 0.1)
    if count < 2:
        return shown
    other = (groups > 0) & (groups != 1 + int(np.argmax(np.bincount(groups.ravel())[1:])))
    return np.asarray(shown * (1 - dilated(other, 2)), np.float32)


def _freed(person: Array, shown: Array, movement: Array, covered: Mask) -> Array:
    """``PersonLayer.freed``: near the person, where the edit takes them away."""

    length = np.hypot(movement[:, :, 0], movement[:, :, 1]).astype(np.float32) * np.float32(1 + 2 * MARGIN)
    gone = dilated(np.maximum(person - shown, 0), round(_HALO * SIDE))
    return blur(np.maximum(smoothstep(length / np.float32(_CLEARLY)), gone), 0.012) * blur(covered, 0.006)


def _spread(change: Array) -> Array:
    """1 near what the edit changes, 0 elsewhere."""
    return np.minimum(np.float32(3) * blur(change, 0.03), np.float32(1)) if change.any() else change


def _covered(person: Array) -> Mask:
    """Where the person is, with a halo."""
    return np.asarray(blur(dilated(person > 0.02, round(_HALO * SIDE), rounded=True), 0.008) > 0.35)
