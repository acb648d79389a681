"""The photo that a record was made from."""

from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.editing.records.opened import OpenRecord

# The likeness of a record's photo and its inversion (0.95 at least for drafts of twelve portraits, 0.64 at most for
# other photos), and the side at which they are compared.
_ALIKE, _COARSE = 0.5, 32


def photo_of(opened: "OpenRecord", named: Path | None = None) -> "Image":
    """Read the photo that was inverted.

    Args:
        opened: the record.
        named: the photo's path; None for the path in the record, or a file of that name beside it or in this
            folder.

    Raises:
        InputError: it is not found, cannot be read, or is another photo.
    """
    from stylegan_latents.invert.photos.files import read_photo

    sources, path = opened.inversion.sources, named
    if not sources and not opened.inversion.alignments:
        raise InputError(f"No photo belongs to {opened.stem}, so there is none to show or to paste into.")
    if path is None and sources:
        path = sources[0].find(opened.path.absolute().parent, Path.cwd())
    if path is None:
        what = f"The photo {sources[0].name}" if sources else "This record's photo"
        raise InputError(f"{what} was moved or changed since it was inverted; name it with --photo.")
    photo, wanted = read_photo(path), opened.alignment().photo_size
    if photo.size != wanted:
        raise InputError(
            f"{path} is {photo.width}x{photo.height} pixels, the photo of this record was {wanted[0]}x{wanted[1]}; "
            "name that one with --photo."
        )
    is_copy = not sources or sources[0].is_copy(path)
    if not is_copy and _likeness(opened.crop(photo), opened.picture(G=opened.plain)) < _ALIKE:
        raise InputError(f"{path} shows something else than the photo of this record; name that one with --photo.")
    return photo


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
