"""The photo that a record was made from."""

from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.invert.record.inversion import Inversion

# The likeness of a record's photo and its inversion (0.95 at least for drafts of twelve portraits, 0.64 at most for
# other photos), and the side at which they are compared.
_ALIKE, _COARSE = 0.5, 32


def find_photo(inversion: "Inversion", folder: Path, named: Path | None, name: str) -> Path:
    """The path of the photo that was inverted.

    Args:
        inversion: the record.
        folder: in which the record is.
        named: the given path; None for the one in the record, or a file of that name in ``folder`` or here.
        name: what messages call the record.

    Raises:
        InputError: it is not found.
    """
    sources = inversion.sources
    if not sources and not inversion.alignments:
        raise InputError(f"No photo belongs to {name}, so there is none to show or to paste into.")
    path = sources[0].find(folder, Path.cwd()) if named is None and sources else named
    if path is None:
        what = f"The photo {sources[0].name}" if sources else "This record's photo"
        raise InputError(f"{what} was moved or changed since it was inverted; name it with --photo.")
    return path


def looks_like(first: "Image", second: "Image") -> bool:
    """Whether a crop of a photo and a picture of its inversion can be of the same photo."""
    return _likeness(first, second) >= _ALIKE


def _likeness(first: "Image", second: "Image") -> float:
    """How alike two pictures are where they are coarse: the correlation of their colours, at most 1."""
    import numpy as np

    one, other = (
        np.asarray(picture.convert("RGB").resize((_COARSE,) * 2), np.float32).reshape(-1, 3)
        for picture in (first, second)
    )
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    lengths = np.linalg.norm(one, axis=0) * np.linalg.norm(other, axis=0)
    return float(((one * other).sum(axis=0) / np.maximum(lengths, 1e-6)).mean())
