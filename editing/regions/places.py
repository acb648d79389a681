"""Where in the pictures of codes a finder is to look: the same place of all, or a part of each one's face."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from stylegan_latents.editing.regions.regions import is_named, region_masks
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

_SIDE = 512  # at which landmarks are read


def masks_of_codes(
    G: "Generator", ws: "Tensor", places: Sequence[str], progress: Callable[[int, int], None] | None = None
) -> "tuple[Tensor, Tensor]":
    """Masks of the pictures of codes; those of faces by landmarks, so that each has its own.

    Args:
        G: the generator.
        ws: codes ``[N, num_ws, w_dim]``.
        places: each one of ``REGIONS``, or a mask's file, white where to look.
        progress: called with the number of codes done and in all.

    Returns:
        The codes in whose pictures the places are, ``[M, num_ws, w_dim]``, and float32 ``[1 or M, 1, S, S]`` in
        [0, 1] with hard edges.

    Raises:
        InputError: no picture has the places, or a file cannot be read.
    """
    import torch
    from PIL import Image

    from stylegan_latents.invert.photos.files import to_picture

    side = min(_SIDE, G.resolution)
    if not any(is_named(place) for place in places):
        blank = Image.new("RGB", (side, side))
        return ws, torch.from_numpy(region_masks(places, [blank], feather=0.0))[None, None]
    kept, masks, missing = [], [], None
    for index in range(len(ws)):
        with torch.inference_mode():
            picture = to_picture(G.synthesize(ws[index : index + 1], size=side))[0]
        try:
            masks.append(torch.from_numpy(region_masks(places, [picture], feather=0.0, name="the samples")))
            kept.append(index)
        except InputError as error:  # a sample without a face; others may have one
            missing = error
        if progress is not None:
            progress(index + 1, len(ws))
    if not kept:
        raise missing or InputError("A place needs a code to look at.")
    return ws[kept], torch.stack(masks)[:, None]
