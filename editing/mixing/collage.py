"""A portrait with another's eyes, nose, mouth or hair laid over it by masks and landmarks, with its seams."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylegan_latents.editing.regions.blending import blend_pictures
from stylegan_latents.editing.regions.regions import FEATHER, face_region, soften
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.person_mask import CLASSES

Array = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

SIDE = 512
"""The side of a collage in pixels."""

HAIR = "hair"
"""The part that ``lay_hair`` is for."""

# Shares of hair: what is surely hair, what may belong to it, and where it begins and ends to be seen.
_SURE, _LIKELY, _FROM, _TO = 0.9, 0.4, 0.2, 0.5
# Pieces of hair: pixels to the next, the least deviation of a colour of Lab, and deviations from the hair's mean.
_GAP, _LEAST_SPREAD, _FARTHEST_COLOUR = 45, 6.0, 1.5
_BAND, _EDGE = 15, 0.8  # a seam's width in pixels; how near to its middle a soft one counts
_LID = 2.0  # standard deviation of an open eye's soft edge, in pixels
_BROW = 0.2  # a brow's height, as a fraction of the distance of the eyes
_DETAIL = 2.0  # standard deviation of finer details than colours, in pixels
_WHITE, _LIGHT = 85, (0.6, 1.4)  # percentile of open eyes that is white; bounds of its change
_BACKGROUND_SIDE = 128  # at which what hair uncovers is filled


Laid = tuple[Image.Image, Array, Array, Array]
"""A collage, where it changed, where its seams are, and where its colours have to stay, as a search may not draw
them: 0 to 1, ``[side, side]``.
"""


@dataclass(frozen=True, eq=False)
class Portrait:
    """A picture of ``SIDE`` pixels, its landmarks in pixels, and the share of each of ``CLASSES`` in it."""

    pixels: Array
    landmarks: Landmarks
    shares: Array

    @property
    def picture(self) -> Image.Image:
        return _picture(self.pixels)

    def of(self, name: str) -> Array:
        """The share of one of ``CLASSES``, ``[SIDE, SIDE]``."""
        return np.asarray(self.shares[CLASSES.index(name)])

    def warped(self, matrix: Array, landmarks: Landmarks) -> "Portrait":
        """Moved by an affine map ``[2, 3]`` of pixels."""
        return Portrait(
            _warp(self.pixels, matrix), landmarks, np.stack([_warp(one, matrix) for one in self.shares])
        )


def lay_hair(collage: Image.Image, base: Portrait, donor: Portrait, name: str) -> Laid:
    """The donor's hair on the head of a collage.

    What the receiver's own hair uncovers shows what the donor has there, skin and background in the receiver's
    colours.
    """
    import cv2

    del name
    points = np.concatenate([donor.landmarks.outline, donor.landmarks.brows])
    goal = np.concatenate([base.landmarks.outline, base.landmarks.brows])
    lifted = np.hstack([points, np.ones((len(points), 1))])
    matrix = np.linalg.lstsq(lifted, goal, rcond=None)[0].T.astype(np.float32)
    theirs = donor.warped(matrix, base.landmarks)
    new, old = _hair(theirs), _hair(base)
    uncovered = cv2.dilate((old - new).clip(0, 1), np.ones((9, 9))) > 0.3
    gaps = _gaps(base, new)
    freed = _blurred(uncovered | gaps, 2)
    background, face, neck = theirs.of("background"), theirs.of("face"), theirs.of("neck")
    skin = (face + neck)[:, :, None]
    filling = (
        background[:, :, None] * _background(base)
        + skin * _recoloured(theirs, base)
        + (1 - background[:, :, None] - skin) * theirs.pixels
    )
    pixels = np.asarray(collage, dtype=np.float32)
    pixels = pixels + freed[:, :, None] * (filling - pixels)
    # Not the donor's own pixels, whose skin and background shine through the edge of the hair.
    pixels = pixels + new[:, :, None] * (filling - pixels)
    affected = (np.maximum(np.maximum(new, old), freed) > 0.3).astype(np.uint8)
    changed = _blurred(cv2.dilate(affected, np.ones((13, 13))) > 0, 4)
    seams = np.maximum.reduce([_edges(new), _edges(freed), gaps.astype(np.float32)])
    return _picture(pixels), changed, seams, np.zeros_like(changed)


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
    laid = blend_pictures(collage, _picture(_reskinned(theirs, base, mask)), mask, match_colours=True)
    eyes = np.zeros_like(mask)
    if name == "eyes":
        # Between the lids the donor's own colours, as irises are not skin, in the receiver's light.
        eyes = _between_lids(moved)
        light = _whites(base, _between_lids(base.landmarks)) / max(_whites(theirs, eyes), 1.0)
        eyes = eyes * mask
        laid = blend_pictures(laid, _picture(theirs.pixels * np.clip(light, *_LIGHT)), eyes)
    return laid, mask, (4 * mask * (1 - mask) > _EDGE).astype(np.float32), eyes


def in_colours_of(drawn: Image.Image, collage: Image.Image, where: Array) -> Image.Image:
    """A drawn picture with a collage's colours, but its own details.

    Args:
        drawn: of any size.
        collage: of ``SIDE`` pixels.
        where: 0 to 1, ``[SIDE, SIDE]``.
    """
    import cv2

    small = np.asarray(drawn.convert("RGB").resize(collage.size, Image.Resampling.BOX), dtype=np.float32)
    weighted = where[:, :, None] * (np.asarray(collage.convert("RGB"), dtype=np.float32) - small)
    weight = cv2.GaussianBlur(where, (0, 0), _DETAIL)[:, :, None] + np.float32(1e-3)
    shift = where[:, :, None] * cv2.GaussianBlur(weighted, (0, 0), _DETAIL) / weight
    # Half of the lightness, as pupils and whites that the search has moved would turn grey.
    shift -= shift.mean(axis=2, keepdims=True) / 2
    return _picture(np.asarray(drawn.convert("RGB"), dtype=np.float32) + cv2.resize(shift, drawn.size))


def _blurred(mask: npt.NDArray[np.bool_], sigma: float) -> Array:
    import cv2

    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma), dtype=np.float32)


def _edges(mask: Array) -> Array:
    """A band along the edges of a mask, 0 or 1."""
    import cv2

    band = cv2.morphologyEx((mask > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((_BAND, _BAND)))
    return np.asarray(band, dtype=np.float32)


def _between_lids(landmarks: Landmarks) -> Array:
    """The open eyes, 0 to 1."""
    import cv2

    mask = np.zeros((SIDE, SIDE), np.uint8)
    for eye in (landmarks.left_eye, landmarks.right_eye):
        cv2.fillConvexPoly(mask, np.rint(eye).astype(np.int32), 1)
    return _blurred(mask > 0, _LID)


def _brows(landmarks: Landmarks) -> Array:
    """The brows, 0 to 1."""
    import cv2

    mask = np.zeros((SIDE, SIDE), np.uint8)
    width = round(_BROW * float(np.linalg.norm(landmarks.left_eye.mean(0) - landmarks.right_eye.mean(0))))
    for brow in (landmarks.left_brow, landmarks.right_brow):
        cv2.polylines(mask, [np.rint(brow).astype(np.int32)], False, 1, width)
    return _blurred(mask > 0, _LID)


def _whites(portrait: Portrait, eyes: Array) -> float:
    """How bright the whites of open eyes are, 0 to 255."""
    return float(np.percentile(portrait.pixels.mean(axis=2)[eyes >= min(0.5, float(eyes.max()))], _WHITE))


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


def _gaps(portrait: Portrait, hair: Array) -> npt.NDArray[np.bool_]:
    """Background that new hair would shut in between itself and the person, with a margin."""
    import cv2
    from scipy.ndimage import label

    pieces, _ = label((portrait.of("background") > 0.5) & (hair < 0.5))
    border = np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])
    shut_in = (pieces > 0) & ~np.isin(pieces, border)
    return np.asarray(cv2.dilate(shut_in.astype(np.uint8), np.ones((_BAND, _BAND))) > 0)


def _hair(portrait: Portrait) -> Array:
    """The hair, 0 to 1: what hangs together with its surest part, and pieces of its colour near that.

    Clothes of a colour near the hair's are taken for hair in places, below the hair and apart from it.
    """
    import cv2
    from scipy.ndimage import label

    share = portrait.of(HAIR)
    sure, count = label(share > _SURE)
    if not count:
        return np.zeros_like(share)
    core = sure == 1 + int(np.argmax(np.bincount(sure.ravel())[1:]))
    lab = cv2.cvtColor((portrait.pixels / 255).clip(0, 1), cv2.COLOR_RGB2LAB)
    colour, spread = lab[core].mean(0), lab[core].std(0).clip(_LEAST_SPREAD)
    pieces, count = label(share > _LIKELY)
    kept = np.isin(pieces, np.unique(pieces[core]))
    near = cv2.dilate(kept.astype(np.uint8), np.ones((2 * _GAP + 1,) * 2)) > 0
    for piece in np.setdiff1d(np.unique(pieces[near]), np.unique(pieces[kept])):
        there = pieces == piece
        # What goes on beyond the sides is rather clothes or background.
        aside = there[:, [0, -1]].any()
        if piece and not aside and np.abs((lab[there].mean(0) - colour) / spread).max() < _FARTHEST_COLOUR:
            kept |= there
    seen = ((share - _FROM) / (_TO - _FROM)).clip(0, 1)
    return np.asarray(seen * cv2.dilate(kept.astype(np.float32), np.ones((9, 9))), dtype=np.float32)


def _background(portrait: Portrait) -> Array:
    """The background as it may go on behind the person, ``[side, side, 3]``."""
    import cv2

    size = (_BACKGROUND_SIDE, _BACKGROUND_SIDE)
    small = cv2.resize(portrait.pixels, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(portrait.of("background"), size, interpolation=cv2.INTER_AREA)
    hidden = cv2.dilate((share < 0.9).astype(np.uint8), np.ones((3, 3)))
    filled = cv2.inpaint(small.clip(0, 255).astype(np.uint8), hidden, 5, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(filled, (SIDE, SIDE)), dtype=np.float32)


def _recoloured(portrait: Portrait, like: Portrait) -> Array:
    """The pixels of a portrait with another's mean colour of the skin above the mouth, ``[side, side, 3]``."""
    import cv2

    labs, means = [], []
    for one in (portrait, like):
        lab = cv2.cvtColor((one.pixels / 255).clip(0, 1), cv2.COLOR_RGB2LAB)
        labs.append(lab)
        # Not of the chin, which may be bearded.
        share = one.of("face")[: round(float(one.landmarks.nose_base[:, 1].mean()))] + np.float32(1e-6)
        upper = lab[: len(share)]
        means.append(np.average(upper, axis=(0, 1), weights=np.broadcast_to(share[:, :, None], upper.shape)))
    # Brows, lashes and pupils stay as dark beside the skin as they are.
    share = (labs[0][:, :, :1] / max(float(means[0][0]), 1.0)).clip(0, 1)
    shifted = (labs[0] + share * (means[1] - means[0])).astype(np.float32)
    return np.asarray(255 * cv2.cvtColor(shifted, cv2.COLOR_LAB2RGB), dtype=np.float32)


def _reskinned(portrait: Portrait, like: Portrait, mask: Array) -> Array:
    """The pixels of a portrait in the shade of another's skin about a mask, ``[side, side, 3]``.

    Shading multiplies the light that skin reflects, and sheen is added to it, on dark skin as on pale. Hues are the
    other's, as the greys of dark skin would be blue on a pale one.
    """
    import cv2

    about = cv2.dilate(mask, np.ones((2 * _BAND + 1,) * 2))
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


def _picture(pixels: Array) -> Image.Image:
    return Image.fromarray(np.rint(pixels).clip(0, 255).astype(np.uint8))


def _warp(values: Array, matrix: Array) -> Array:
    import cv2

    size = (values.shape[1], values.shape[0])
    warped = cv2.warpAffine(values, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.float32)
