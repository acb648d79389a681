"""Where in a picture a person's hair, face, neck and clothes are, from a coarse guess and the picture's pixels.

The guess separates person and background by GrabCut (Rother, Kolmogorov & Blake, "GrabCut: Interactive Foreground
Extraction using Iterated Graph Cuts", 2004). The person is divided by the colours of each class, and all edges
follow the picture's by a guided filter (He, Sun & Tang, "Guided Image Filtering", 2010).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

CLASSES = ("background", "hair", "face", "neck", "clothes")
"""What a picture of a person is divided into."""

SIDE = 256
"""The side at which a mask is made."""

# Shares of the guess that are taken for certain; the rest is decided by colours.
_SURELY_BACKGROUND, _SURELY_PERSON = 0.02, 0.98
_ROUNDS = 3
# The spread of values, of 255, below which colours tell nothing.
_PLAIN = 2
# The guided filter's radius as a fraction of the side, and the variance of colours, of 1, that it takes for flat.
_RADIUS, _FLAT = 0.016, 1e-4
# The weight of the probability against the colours of the whole picture.
_VOTE = np.float32(0.65)
# Radii over which colours nearby decide, as fractions of the side.
_NEARBY = (0.03, 0.02)
# Components of a class's colours, the weight of colours beside the guess, and pixels that a class needs.
_COLOURS, _COLOUR_WEIGHT, _FEWEST = 3, 0.5, 40
# The share from which places hang together as clothes, and how many of the lowest rows they reach.
_CLOTHES, _LOWEST = 0.25, 8


@dataclass(frozen=True, eq=False)
class PersonMask:
    """What each place of a picture shows.

    Attributes:
        shares: float32 ``[len(CLASSES), side, side]`` in 0 to 1, in the order of ``CLASSES``; their sum is 1.
    """

    shares: Array

    def of(self, *classes: str) -> Array:
        """The share of some of ``CLASSES`` together, ``[side, side]``."""
        return np.asarray(self.shares[[CLASSES.index(name) for name in classes]].sum(axis=0))

    @property
    def person(self) -> Array:
        """The share of all but the background, ``[side, side]``."""
        return np.asarray(1 - self.shares[0])

    def mixed(self, other: "PersonMask", weight: float) -> "PersonMask":
        """The mean of two masks, with the weight of ``other`` in 0 to 1."""
        return PersonMask(self.shares + np.float32(weight) * (other.shares - self.shares))


def person_mask(picture: Image.Image, guess: Array) -> PersonMask:
    """Divide a square picture of a person.

    Args:
        picture: RGB, a square.
        guess: float32 ``[len(CLASSES), side, side]`` of any side: the probability of each class, with sum 1.

    Returns:
        The mask, of side ``SIDE``.
    """
    import cv2

    pixels = np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))
    planes = [cv2.resize(plane, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for plane in guess]
    likely = np.stack(planes).astype(np.float32).clip(0, 1)
    person = matte(pixels, 1 - likely[0])
    within = _by_colour(pixels, likely[1:], person > 0.5)
    within = np.stack([guided(pixels, plane) for plane in within]).clip(0, 1)
    within /= within.sum(axis=0).clip(1e-6)
    return with_clothes_below(np.concatenate([1 - person[None], person * within]).astype(np.float32))


def with_clothes_below(shares: Array) -> PersonMask:
    """A mask of ``shares`` in which what hangs together with the lower edge alone is clothes: the rest is hair."""
    from scipy.ndimage import label

    hair, clothes = CLASSES.index("hair"), CLASSES.index("clothes")
    shares = shares.copy()
    for taken, given in ((clothes, hair), (hair, clothes)):
        groups, count = label(shares[taken] > _CLOTHES)
        below = np.isin(groups, groups[-_LOWEST:])
        if taken == hair and count:  # a collar beside the head, or a sleeve, is no hair
            other = below & (groups != 1 + int(np.argmax(np.bincount(groups.ravel())[1:])))
        else:
            other = ~below
        other &= groups > 0
        shares[given] += other * shares[taken]
        shares[taken] *= ~other
    return PersonMask(shares)


def matte(pixels: Pixels, likely: Array) -> Array:
    """The share of the foreground, ``[height, width]`` in 0 to 1, of a picture; its arguments are ``foreground``'s.

    Both the probability and the colours of the whole picture have a vote; then colours nearby decide.
    """
    share = _VOTE * likely + (1 - _VOTE) * foreground(pixels, likely).astype(np.float32)
    for radius in _NEARBY:
        share = ((guided(pixels, share, radius) - 0.25) / 0.5).clip(0, 1)
        share = np.where(likely >= _SURELY_PERSON, 1, np.where(likely <= _SURELY_BACKGROUND, 0, share))
        share = np.asarray(share * share * (3 - 2 * share), dtype=np.float32)
    return guided(pixels, share).clip(0, 1)


def foreground(pixels: Pixels, likely: Array) -> Mask:
    """The foreground of a picture ``[height, width, 3]`` by GrabCut.

    Args:
        pixels: the picture, RGB.
        likely: ``[height, width]``, the probability of foreground; next to 0 and 1 it stays.

    Returns:
        ``[height, width]``: the largest connected part, without holes that nothing speaks for.
    """
    import cv2
    from scipy.ndimage import label

    known = np.where(likely > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    known[likely <= _SURELY_BACKGROUND], known[likely >= _SURELY_PERSON] = cv2.GC_BGD, cv2.GC_FGD
    plain = pixels.std(axis=(0, 1)).max() < _PLAIN
    if plain or not (likely > 0.5).any() or not (likely <= 0.5).any():
        return np.asarray(likely > 0.5)
    cv2.setRNGSeed(0)
    empty = np.zeros((1, 65), np.float64)
    # Among large areas of one colour GrabCut may never end; the noise of a camera makes it sure to.
    noise = np.random.default_rng(0).integers(-2, 3, pixels.shape)
    cv2.grabCut(
        (pixels + noise).clip(0, 255).astype(np.uint8),
        known,
        (0, 0, 0, 0),
        empty,
        empty.copy(),
        _ROUNDS,
        cv2.GC_INIT_WITH_MASK,
    )
    found = (known == cv2.GC_FGD) | (known == cv2.GC_PR_FGD)
    parts, count = label(found)
    if count > 1:
        found = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    holes, count = label(~found)
    if count > 1:
        sizes = np.bincount(holes.ravel())
        small = [index for index in range(1, count + 1) if likely[holes == index].mean() > 0.5 or sizes[index] < 30]
        found = found | np.isin(holes, small)
    return np.asarray(found)


def guided(pixels: Pixels, plane: Array, radius: float = _RADIUS) -> Array:
    """A plane ``[height, width]`` smoothed so that its edges are those of an RGB picture, by the guided filter."""
    import cv2

    size = (2 * max(1, round(radius * max(plane.shape))) + 1,) * 2
    guide = pixels.astype(np.float32) / np.float32(255)

    def mean(values: Array) -> Array:
        return np.asarray(cv2.blur(values, size), dtype=np.float32)

    middle = mean(guide)
    products = (guide[:, :, :, None] * guide[:, :, None, :]).reshape(*plane.shape, 9)
    spread = np.concatenate([mean(products[:, :, start : start + 3]) for start in (0, 3, 6)], axis=2)
    spread = spread.reshape(*plane.shape, 3, 3) - middle[:, :, :, None] * middle[:, :, None, :]
    shared = mean(guide * plane[:, :, None]) - middle * mean(plane)[:, :, None]
    slope = np.linalg.solve(spread + np.float32(_FLAT) * np.eye(3, dtype=np.float32), shared[..., None])[..., 0]
    offset = mean(plane) - (slope * middle).sum(axis=2)
    return np.asarray((mean(slope.astype(np.float32)) * guide).sum(axis=2) + mean(offset), dtype=np.float32)


def _by_colour(pixels: Pixels, likely: Array, person: Mask) -> Array:
    """The probability of each class but the background, ``[4, height, width]``, by its guess and its colours."""
    import cv2
    from sklearn.mixture import GaussianMixture

    colours = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2LAB).astype(np.float32)
    chances = likely / likely.sum(axis=0).clip(1e-6)
    fitted = []
    for chance in chances[:2]:  # hair and face, whose guess is sure in places
        chosen = colours[person & (chance > 0.8)]
        count = min(_COLOURS, len(np.unique(chosen, axis=0)))
        enough = len(chosen) >= _FEWEST
        fitted.append(GaussianMixture(count, reg_covar=20.0, random_state=0).fit(chosen) if enough else None)
    flat = colours.reshape(-1, 3)
    floor = -3 * np.log(100.0)  # clothes have any colour
    scores = [
        np.maximum(np.full(len(flat), floor) if one is None else one.score_samples(flat), 2 * floor)
        for one in fitted
    ]
    hair, skin, any_colour = scores[0], scores[1], np.full(len(flat), floor)
    logs = np.stack([hair, skin, skin, any_colour]).reshape(4, *person.shape)
    chances = (chances + 1e-3) * np.exp(_COLOUR_WEIGHT * (logs - logs.max(axis=0)))
    return np.asarray(chances / chances.sum(axis=0), dtype=np.float32)
