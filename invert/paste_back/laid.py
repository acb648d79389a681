"""Colours and texture for a part of the generator's picture that is laid over the photo."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from stylegan_latents.invert.paste_back.fields import Array, blur, coordinates, eroded, smoothstep
from stylegan_latents.invert.paste_back.flow import continued, followed, sampled, trusted_flow
from stylegan_latents.invert.photos.crop import Alignment
from stylegan_latents.invert.photos.person_mask import PersonMask

# Of the crop's side: the widths of colour corrections, and of those that make colours meet at the cut.
_SHADE_WIDTH, _MEETING = 0.08, ((0.06, 1.0), (0.1, 0.2))
# Levels of 255: differences that are other content rather than shade, and the largest that meets at the cut.
_OTHER, _MEETS = 30.0, 25.0
# In the face: pixels of its edge, and the trust in its flow, at which the photo's texture is left out.
_FACE_EDGE, _SURE = 6, np.float32(0.15)


class Laid(NamedTuple):
    """A part of the generator's picture, laid over the photo.

    Attributes:
        picture: the generator's picture after the edit, warped.
        alignment: where in the photo it lies.
        inside: ``[SIDE, SIDE, 1]``, its share, 0 at its edge.
        shift: ``[SIDE, SIDE, 3]``, what is added to its levels.
        visible: the length of the cut, in sides of the crop, through hair, neck or clothes that differ clearly.
        guessed: how much background that becomes free has a pattern, from ``patterned``.
        reference: the picture before the edit with its face turned as after it.
        source: ``[SIDE, SIDE, 2]``, from each place of the face to where it is in the photo, in sides.
        same: ``[SIDE, SIDE, 1]``, where the photo's texture goes along.
    """

    picture: Image.Image
    alignment: Alignment
    inside: Array
    shift: Array
    visible: float
    guessed: float
    reference: Image.Image
    source: Array
    same: Array


def shades(off: Array, before: PersonMask, then: PersonMask, grid: Array) -> Array:
    """The photo's shades against the generator's before the edit, by layer, where the layers are after it."""
    alike: Array = 1 / (1 + (np.abs(off).max(axis=2) / _OTHER) ** 2)
    shift = np.zeros_like(off)
    for layer in (("background",), ("hair",), ("face", "neck"), ("clothes",)):
        weight = (alike * before.of(*layer) + 1e-5).astype(np.float32)
        level = blur(weight[:, :, None] * off, _SHADE_WIDTH) / blur(weight, _SHADE_WIDTH)[:, :, None]
        shift += sampled(np.asarray(level, np.float32), grid) * blur(then.of(*layer), 0.008)[:, :, None]
    return shift


def meeting(error: Array, inside: Array, was: PersonMask, then: PersonMask, person: Array) -> Array:
    """The colour difference along the cut, spread from it and fading away, each layer by itself.

    Where the two show something else, such as hair and skin, colours do not have to meet.
    """
    alike = 1 / (1 + (np.abs(error).max(axis=2) / _OTHER) ** 4)
    error = np.clip(error, -_MEETS, _MEETS)
    seam, total = inside * (1 - inside), np.zeros_like(error)
    for layer in (("background",), ("clothes",), ("hair",), ("face", "neck")):
        old = 1 - person if layer == ("background",) else person * was.of(*layer) / was.person.clip(0.1)
        new = then.of(*layer)
        weight = alike * seam * smoothstep(2 * old - 1) * smoothstep(2 * new - 1)
        weight = weight.astype(np.float32) + np.float32(1e-7)
        known = np.dstack([weight[:, :, None] * error, weight])
        spread = np.sum([np.float32(share) * blur(known, width) for width, share in _MEETING], axis=0)
        amount = new * smoothstep(spread[:, :, 3] / np.float32(0.004))
        total += amount[:, :, None] * spread[:, :, :3] / (spread[:, :, 3:] + np.float32(1e-5))
    return np.asarray(total, np.float32)


def texture(
    pictures: tuple[Image.Image, Image.Image], people: tuple[PersonMask, PersonMask], move: Array
) -> tuple[Image.Image, Array, Array]:
    """``Laid.reference``, ``source`` and ``same``: the face's, where its flow is sure.

    Args:
        pictures, people: before and after the edit.
        move: ``[2]``, where the picture after it is laid, x and y, in sides.
    """
    faces = tuple(one.of("face") for one in people)
    flow, _, sure = trusted_flow(pictures[1], pictures[0], faces[1], faces[0])
    flow = continued(flow, sure)
    reference, same = followed(pictures[0], pictures[1], flow, people[1].of("hair"))
    within: Array = blur(eroded(faces[1], _FACE_EDGE), 0.01) * smoothstep(blur(sure, 0.03) / _SURE)
    return reference, flow - move, same * within[:, :, None]


def unchanged_person(was: PersonMask, then: PersonMask) -> Array:
    """The share of hair, face, neck and clothes that are the same before and after the edit."""
    return np.asarray(np.minimum(was.shares[1:], then.shares[1:]).sum(axis=0), np.float32)


def inset() -> Array:
    """How far inside the crop, with rounded corners, each place is, in its sides."""
    along = coordinates() - np.float32(0.5)
    return np.asarray(
        np.float32(0.5) - (along[None, :] ** 8 + along[:, None] ** 8) ** np.float32(0.125), np.float32
    )
