"""Another's hair laid on a portrait by masks, with its seams."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylegan_latents.editing.mixing.collage import (
    BAND,
    SIDE,
    Array,
    Laid,
    Portrait,
    above_edge,
    blurred,
    picture_of,
)
from stylegan_latents.invert.faces.landmarks import Landmarks

HAIR = "hair"
"""The part that ``lay_hair`` is for."""

# Shares of hair: what is surely hair, what may belong to it, and where it begins and ends to be seen.
_SURE, _LIKELY, _FROM, _TO = 0.9, 0.4, 0.2, 0.5
# Pieces of hair: pixels to the next, the least deviation of a colour of Lab, and deviations from the hair's mean.
_GAP, _LEAST_SPREAD, _FARTHEST_COLOUR = 45, 6.0, 1.5
# Loose strands: pixels to the hair, their greatest width, and the side of the surroundings that they differ from.
_REACH, _STRAND, _AROUND = 90, 25, 61
_INSET, _HANGING = 0.08, 0.2  # of a beard: how far inside of the jaw, and below the chin in heights of the outline
_PLAIN = 6.0  # the median deviation of a plain background from its surroundings, of 255
_CONTRAST = 60.0  # the least distance of the hair's colour from the background's at which strands are told
_THERE, _OTHER_COLOUR = 0.15, 40.0  # the share of hair that is a strand; how far mixed colours may lie from it
_ENDS, _BROW = 22, 6  # pixels from a fringe to the ends of its hair, and from those to the brows
_CUT = 121  # the side of the surroundings of hair that is cut off above
_BACKGROUND_SIDE = 128  # at which what hair uncovers is filled


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
    gone = (old - new).clip(0, 1)
    uncovered = (cv2.dilate(gone, np.ones((9, 9))) > 0.3) | _fringe(base, gone)
    gaps, strands = _gaps(base, new), _strands(base, old)
    freed = blurred(uncovered | gaps | strands, 2)
    background, face, neck = theirs.of("background"), theirs.of("face"), theirs.of("neck")
    skin = (face + neck)[:, :, None]
    filling = (
        background[:, :, None] * _background(base, strands)
        + skin * _recoloured(theirs, base)
        + (1 - background[:, :, None] - skin) * theirs.pixels
    )
    pixels = np.asarray(collage, dtype=np.float32)
    pixels = pixels + freed[:, :, None] * (filling - pixels)
    # Not the donor's own pixels, whose skin and background shine through the edge of the hair.
    pixels = pixels + new[:, :, None] * (filling - pixels)
    # What the donor's picture cuts off above is for the search to draw.
    cut = above_edge(matrix) * (cv2.dilate(new, np.ones((_CUT, _CUT))) > 0.5)
    affected = (np.maximum.reduce([new, old, freed, cut]) > 0.3).astype(np.uint8)
    changed = blurred(cv2.dilate(affected, np.ones((13, 13))) > 0, 4)
    # Strands leave no seam that would matter.
    edges = _edges(blurred(uncovered | gaps, 2))
    seams = np.maximum.reduce([_edges(new), edges, gaps.astype(np.float32), cut])
    return picture_of(pixels), changed, seams, np.zeros_like(changed)


def _edges(mask: Array) -> Array:
    """A band along the edges of a mask, 0 or 1."""
    import cv2

    band = cv2.morphologyEx((mask > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((BAND, BAND)))
    return np.asarray(band, dtype=np.float32)


def _gaps(portrait: Portrait, hair: Array) -> npt.NDArray[np.bool_]:
    """Background that new hair would shut in between itself and the person, with a margin."""
    import cv2
    from scipy.ndimage import label

    pieces, _ = label((portrait.of("background") > 0.5) & (hair < 0.5))
    border = np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])
    shut_in = (pieces > 0) & ~np.isin(pieces, border)
    return np.asarray(cv2.dilate(shut_in.astype(np.uint8), np.ones((BAND, BAND))) > 0)


def _hair(portrait: Portrait) -> Array:
    """The hair, 0 to 1: what hangs together with its surest part, and pieces of its colour near that; no beard.

    Clothes of a colour near the hair's are taken for hair in places, below the hair and apart from it.
    """
    import cv2
    from scipy.ndimage import label

    share = portrait.of(HAIR) * (1 - _beard(portrait.landmarks))
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


def _beard(landmarks: Landmarks) -> Array:
    """Where a beard is or would be, 0 to 1: the jaw below the nose, and what hangs from the chin."""
    import cv2

    jaw = landmarks.outline[3:-3]
    inner = jaw + _INSET * (jaw.mean(0) - jaw)
    hanging = landmarks.outline[6:-6] + np.array([0, _HANGING * np.ptp(landmarks.outline[:, 1])])
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(np.concatenate([inner, hanging])).astype(np.int32)), 1)
    return blurred(mask > 0, 3)


def _fringe(portrait: Portrait, hair: Array) -> npt.NDArray[np.bool_]:
    """The forehead about hair, over which the ends of a fringe are too thin for the masks."""
    import cv2

    near = cv2.dilate(hair, np.ones((2 * _ENDS + 1,) * 2)) > 0.3
    near[max(round(float(portrait.landmarks.brows[:, 1].min())) - _BROW, 0) :] = False
    return np.asarray(near & (portrait.of("background") < 0.5))


def _strands(portrait: Portrait, hair: Array) -> npt.NDArray[np.bool_]:
    """Loose strands of hair, which are too thin for the masks, before a plain background."""
    import cv2

    sure = hair > _SURE
    if not sure.any():
        return np.zeros_like(sure)
    behind = portrait.of("background")[:, :, None]
    plain = behind * portrait.pixels + (1 - behind) * _background(portrait, sure)
    plain = cv2.medianBlur(plain.clip(0, 255).astype(np.uint8), _AROUND).astype(np.float32)
    there, seen = portrait.pixels - plain, behind[:, :, 0] > 0.9
    if not seen.any() or np.median(np.linalg.norm(there[seen], axis=1)) > _PLAIN:
        return np.zeros_like(sure)
    # A strand's colour is mixed of the hair's and of what is behind it.
    towards = np.median(portrait.pixels[sure], axis=0) - plain
    share = (towards * there).sum(axis=2) / np.maximum(np.square(towards).sum(axis=2), _CONTRAST**2)
    rest = np.linalg.norm(there - share[:, :, None] * towards, axis=2)
    near = cv2.dilate((hair > 0.5).astype(np.uint8), np.ones((2 * _REACH + 1,) * 2)) > 0
    found = ((share > _THERE) & (rest < _OTHER_COLOUR) & near & (behind[:, :, 0] > 0.5)).astype(np.uint8)
    found -= cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((_STRAND, _STRAND)))
    return np.asarray(cv2.dilate(found, np.ones((7, 7))) > 0)


def _background(portrait: Portrait, strands: npt.NDArray[np.bool_]) -> Array:
    """The background as it may go on behind the person and loose strands of hair, ``[side, side, 3]``."""
    import cv2

    size = (_BACKGROUND_SIDE, _BACKGROUND_SIDE)
    small = cv2.resize(portrait.pixels, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(portrait.of("background") * (1 - strands), size, interpolation=cv2.INTER_AREA)
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
