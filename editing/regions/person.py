"""The people in a generator's pictures, by the parts of its feature maps; no other network is needed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stylegan_latents.editing.regions.parts import Parts
from stylegan_latents.invert.photos.person_mask import CLASSES, PersonMask, person_mask

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

Array = npt.NDArray[np.float32]

# The classes of what a part covers; neck, clothes and hair beside the neck are one part of the catalogues.
_SHARES: dict[str, dict[str, float]] = {
    "background": {"background": 1.0},
    "hair": {"hair": 1.0},
    "skin": {"face": 0.9, "neck": 0.1},
    "eyes": {"face": 1.0},
    "nose": {"face": 1.0},
    "mouth": {"face": 1.0},
    "body": {"background": 0.1, "hair": 0.25, "neck": 0.3, "clothes": 0.35},
}
_NEEDED = {"background", "hair", "skin"}
# Standard deviation in pixels of the feature maps by which the parts' edges are uncertain.
_UNSURE = 0.7


def shows_people(parts: Parts) -> bool:
    """Whether the parts of a catalogue are those of people."""
    return _NEEDED <= set(parts.names) <= set(_SHARES)


def person_guess(parts: Parts, G: "Generator", codes: "Tensor | Sequence[Tensor]") -> Array:
    """The probability of each of ``CLASSES`` in the pictures of codes, for ``person_mask``.

    Args:
        parts: of ``G``, with ``shows_people``.
        codes: ws ``[N, num_ws, w_dim]``, or their styles.

    Returns:
        ``[N, len(CLASSES), side, side]`` with sum 1.
    """
    from scipy.ndimage import gaussian_filter

    shares = np.array([[_SHARES[name].get(one, 0.0) for one in CLASSES] for name in parts.names], np.float32)
    masks = parts.masks(G, codes).numpy()
    guess = np.einsum("nphw,pc->nchw", masks, shares)
    return np.asarray(gaussian_filter(guess, (0, 0, _UNSURE, _UNSURE)), dtype=np.float32)


def people_of_edit(
    parts: Parts | None,
    G: "Generator",
    codes: "tuple[Sequence[Tensor], Sequence[Tensor]]",
    pictures: "tuple[Image, Image]",
    changed: Array | None = None,
) -> tuple[PersonMask, PersonMask] | None:
    """The person in the pictures before and after an edit; None without a catalogue of the parts of people.

    Args:
        parts: of ``G``, if there are some.
        G: the generator.
        codes, pictures: the styles before and after the edit, of one picture each, and those pictures.
        changed: ``[S, S]`` in 0 to 1, the mask that the edit was limited to.
    """
    import cv2

    if parts is None or not shows_people(parts):
        return None
    before, after = (person_guess(parts, G, one)[0] for one in codes)
    if changed is not None:
        share = cv2.resize(changed, before.shape[1:], interpolation=cv2.INTER_AREA)
        after = before + share * (after - before)
    return person_mask(pictures[0], before), person_mask(pictures[1], after)
