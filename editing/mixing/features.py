"""Another's eyes, nose or mouth laid over a portrait by masks and landmarks, with their seams."""

import numpy as np
from PIL import Image

from stylegan_latents.editing.mixing.collage import (
    BAND,
    SIDE,
    Array,
    Laid,
    Points,
    Portrait,
    blurred,
    picture_of,
)
from stylegan_latents.editing.regions.blending import blend_pictures
from stylegan_latents.editing.regions.regions import FEATHER, face_region, soften
from stylegan_latents.invert.faces.landmarks import Landmarks

_EDGE = 0.8  # how near to its middle a soft seam counts
_LID = 2.0  # standard deviation of an open eye's soft edge, in pixels
_BROW = 0.2  # a brow's height, as a fraction of the distance of the eyes
_WHITE, _LIGHT = 85, (0.6, 1.4)  # percentile of open eyes that is white; bounds of its change
_IRIS = 0.6  # the brightness of irises beside that of whites


def lay_feature(collage: Image.Image, base: Portrait, donor: Portrait, name: str) -> Laid:
    """The donor's eyes, nose or mouth on the face of a collage."""
    matrix = _similarity(*(_anchors(one.landmarks) for one in (donor, base)))
    moved = donor.landmarks.mapped(lambda points: points @ matrix[:, :2].T + matrix[:, 2])
    theirs = donor.warped(matrix, moved)
    sides = [one.landmarks.mapped(lambda points: (points + 0.5) / SIDE) for one in (base, theirs)]
    mask = soften(np.maximum(*(face_region(name, one, SIDE) for one in sides)), FEATHER[name])
    if name == "eyes":
        mask = mask * (1 - np.maximum(_brows(base.landmarks), _brows(moved)))
    # First the skin's shade, then what is left along the edge.
    laid = blend_pictures(collage, picture_of(_reskinned(theirs, base, mask)), mask, match_colours=True)
    eyes = np.zeros_like(mask)
    if name == "eyes":
        # Between the lids the donor's own colours, as irises are not skin, in the receiver's light.
        eyes = _between_lids(moved)
        seen = _in_light_of(theirs.pixels, _whites(theirs, eyes), _whites(base, _between_lids(base.landmarks)))
        eyes = eyes * mask
        laid = blend_pictures(laid, picture_of(seen), eyes)
    return laid, mask, (4 * mask * (1 - mask) > _EDGE).astype(np.float32), eyes


def _between_lids(landmarks: Landmarks) -> Array:
    """The open eyes, 0 to 1."""
    import cv2

    mask = np.zeros((SIDE, SIDE), np.uint8)
    for eye in (landmarks.left_eye, landmarks.right_eye):
        cv2.fillConvexPoly(mask, np.rint(eye).astype(np.int32), 1)
    return blurred(mask > 0, _LID)


def _brows(landmarks: Landmarks) -> Array:
    """The brows, 0 to 1."""
    import cv2

    mask = np.zeros((SIDE, SIDE), np.uint8)
    width = round(_BROW * float(np.linalg.norm(landmarks.left_eye.mean(0) - landmarks.right_eye.mean(0))))
    for brow in (landmarks.left_brow, landmarks.right_brow):
        cv2.polylines(mask, [np.rint(brow).astype(np.int32)], False, 1, width)
    return blurred(mask > 0, _LID)


def _whites(portrait: Portrait, eyes: Array) -> Array:
    """The colour of the whites of open eyes, ``[3]``, 0 to 255."""
    open_eyes = portrait.pixels[eyes >= min(0.5, float(eyes.max()))]
    brightness = open_eyes.mean(axis=1)
    return np.asarray(open_eyes[brightness >= np.percentile(brightness, _WHITE)].mean(axis=0).clip(1.0))


def _in_light_of(pixels: Array, white: Array, goal: Array) -> Array:
    """Pixels of eyes with these whites in the light that gives others; what is nearly white takes their hue."""
    lit = pixels * np.clip(goal.mean() / white.mean(), *_LIGHT)
    brightness = lit.mean(axis=2, keepdims=True)
    whiteness = ((pixels.mean(axis=2, keepdims=True) / white.mean() - _IRIS) / (1 - _IRIS)).clip(0, 1)
    return np.asarray(lit + whiteness * (brightness * goal / goal.mean() - lit), dtype=np.float32)


def _anchors(landmarks: Landmarks) -> Points:
    """Points that stay when lids and lips move, ``[4, 2]``."""
    eyes = [landmarks.left_eye.mean(0), landmarks.right_eye.mean(0)]
    return np.stack([*eyes, landmarks.nose_bridge[-1], landmarks.mouth_corners.mean(0)])


def _similarity(points: Points, goal: Points) -> Array:
    """The rotation, scaling and shift ``[2, 3]`` that moves points nearest to others; shapes stay."""
    centre, end = points.mean(0), goal.mean(0)
    ours, theirs = (points - centre) @ (1, 1j), (goal - end) @ (1, 1j)
    turn = (ours.conj() @ theirs) / (ours.conj() @ ours).real
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, end - linear @ centre]).astype(np.float32)


def _reskinned(portrait: Portrait, like: Portrait, mask: Array) -> Array:
    """The pixels of a portrait in the shade of another's skin about a mask, ``[side, side, 3]``.

    Shading multiplies the light that skin reflects, and sheen is added to it, on dark skin as on pale. Hues are the
    other's, as the greys of dark skin would be blue on a pale one.
    """
    import cv2

    about = cv2.dilate(mask, np.ones((2 * BAND + 1,) * 2))
    shades = []
    for one in (portrait, like):
        lab = cv2.cvtColor((one.pixels / 255).clip(0, 1), cv2.COLOR_RGB2LAB)
        skin = one.of("face") * about
        shades.append((lab, np.median(lab[skin >= min(0.5, float(skin.max()))], axis=0)))
    (lab, mean), (_, goal) = shades
    light, usual, wanted = (_luminance(np.asarray(tone)) for tone in (lab[:, :, 0], mean[0], goal[0]))
    gain = float(wanted) / max(float(usual), 1e-3)
    sheen = (light - usual).clip(0)
    lightness = _lightness(gain * (light - sheen) + min(gain, 1.0) * sheen)
    # Darker tones of one hue: a* and b* fall with the cube root of luminance.
    hue, usual_hue = (
        (((tone + 16) / (shade[0] + 16)).clip(0, 1)[:, :, None] * shade[1:])
        for tone, shade in ((lightness, goal), (lab[:, :, 0], mean))
    )
    hues = hue + min(gain, 1 / gain) * (lab[:, :, 1:] - usual_hue)
    whole = np.concatenate([lightness[:, :, None], hues], axis=2).astype(np.float32)
    return np.asarray(255 * cv2.cvtColor(whole, cv2.COLOR_LAB2RGB), dtype=np.float32)


def _luminance(lightness: Array) -> Array:
    """CIE's L* as luminance, 0 to 1."""
    return np.asarray(np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / 903.3), dtype=np.float32)


def _lightness(luminance: Array) -> Array:
    """Luminance as CIE's L*, 0 to 100."""
    lightness = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    return np.asarray(lightness.clip(0, 100), dtype=np.float32)
