"""A sheet of directions: for each a row of pictures, from negative to positive strengths."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.generator.generator import Generator, Noise

STRENGTHS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""The columns of a sheet; single style channels get five times as much, as they change little."""

_CELL = 256


def strips(
    G: "Generator",
    ws: "Tensor",
    noise: "Noise",
    directions: "Sequence[Direction]",
    progress: Callable[[int, int], None] | None = None,
    *,
    strengths: Sequence[float] | None = None,
    rows: Sequence[int] | None = None,
    raw: bool = False,
    cell: int = _CELL,
    named: bool = True,
) -> "Image.Image":
    """One row of pictures for each direction.

    Args:
        G, ws, noise: for ``Generator.synthesize``; the code is ``[1, num_ws, w_dim]``.
        directions: for this model.
        progress: called with the number of directions done and in all.
        strengths: the columns; None for ``STRENGTHS``, or for single style channels five times these.
        rows, raw: see ``edited_styles``, also for errors.
        cell: largest side of a picture in pixels.
        named: whether the directions' names stand on the left.
    """
    import torch

    from stylegan_latents.editing.directions.apply import edited_styles
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import to_picture

    if strengths is None:
        scale = 5 if all(one.is_channel for one in directions) else 1
        strengths = [scale * strength for strength in STRENGTHS]
    size = G.resolution
    while size > cell:
        size //= 2
    sheet = []
    with torch.inference_mode():
        unedited = to_picture(G.synthesize(ws, noise, size=size))[0]
        for index, direction in enumerate(one.bind(G) for one in directions):
            row = [unedited] * len(strengths)
            for column, strength in enumerate(strengths):
                if strength:
                    styles = edited_styles(G, ws, [(direction, strength)], rows=rows, raw=raw)
                    row[column] = to_picture(G.synthesize_styles(styles, noise, size=size))[0]
            sheet.append(row)
            if progress is not None:
                progress(index + 1, len(directions))
    titles = [f"{strength:+.3g}" if strength else "0" for strength in strengths]
    names = [direction.name for direction in directions] if named else []
    return contact_sheet(sheet, titles, names, cell=cell)
