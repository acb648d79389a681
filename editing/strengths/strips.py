"""What directions do: for each a row of pictures, from a negative strength to a positive one."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.generator.generator import Generator, Noise

STRENGTHS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""The columns of a sheet."""
CHANNEL_STRENGTHS = tuple(5 * strength for strength in STRENGTHS)
"""The same for single style channels, one of thousands, of which few deviations are hardly seen."""

_CELL = 256


def strips(
    G: "Generator",
    ws: "Tensor",
    noise: "Noise",
    directions: "Sequence[Direction]",
    progress: Callable[[int, int], None] | None = None,
    *,
    strengths: Sequence[float] | None = None,
    cell: int = _CELL,
    named: bool = True,
) -> "Image.Image":
    """One row of pictures for each direction.

    Args:
        G: what draws them.
        ws: the code to show them on, ``[1, num_ws, w_dim]``.
        noise: as for ``Generator.synthesize``.
        directions: for this model.
        progress: called with the number of directions done and in all.
        strengths: the columns; None for ``STRENGTHS``, or ``CHANNEL_STRENGTHS`` for single style channels.
        cell: side of a picture in pixels, where the model's is larger.
        named: whether the directions' names stand on the left.

    Raises:
        InputError: a strength carries the code too far.
    """
    import torch

    from stylegan_latents.editing.directions.apply import edited_styles
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import to_picture

    if strengths is None:
        channels = all(one.is_channel for one in directions)
        strengths = CHANNEL_STRENGTHS if channels else STRENGTHS
    size = G.resolution
    while size > cell:
        size //= 2
    rows = []
    with torch.inference_mode():
        # The middle of every row is the same picture.
        middle = to_picture(G.synthesize(ws, noise, size=size))[0]
        for index, direction in enumerate(one.bind(G) for one in directions):
            row = []
            for strength in strengths:
                if not strength:
                    row.append(middle)
                    continue
                styles = edited_styles(G, ws, [(direction, strength)])
                row.append(to_picture(G.synthesize_styles(styles, noise, size=size))[0])
            rows.append(row)
            if progress is not None:
                progress(index + 1, len(directions))
    titles = [f"{strength:+g}" if strength else "0" for strength in strengths]
    names = [direction.name for direction in directions] if named else []
    return contact_sheet(rows, titles, names, cell=cell)
