"""Pictures of mixes: of one receiver, and the style mixing matrix."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.mixing.by_part import PartDonor
    from stylegan_latents.editing.mixing.mixing import Donor
    from stylegan_latents.editing.records.codes import Code
    from stylegan_latents.editing.regions.regions import Blend
    from stylegan_latents.generator.generator import Generator

_MOST_CELLS, _CELL = 400, 256


def mixed_picture(
    G: "Generator",
    receiver: "Code",
    donors: "Sequence[Donor]",
    *,
    parts: "Sequence[PartDonor]" = (),
    regions: Sequence[str] = (),
    blend: "Blend" = "image",
    size: int | None = None,
) -> "Image.Image":
    """The receiver's picture with what the donors give.

    Args:
        G: the generator of all codes; weights tuned to the receiver's photo are used.
        receiver: the code to change, with its noise and tuned weights.
        donors: see ``mix``.
        parts: donors of parts, applied after the others, see ``mix_parts``.
        regions: limit the mix to these, see ``region_masks``; everywhere when empty.
        blend: how a region is joined.
        size: side in pixels, see ``Generator.synthesize``.

    Raises:
        InputError: a strength is not between 0 and 1, or there is no such region.
        ValueError: a size, or parts, come with a blend of features.
    """
    import torch

    from stylegan_latents.editing.mixing.by_part import mix_parts
    from stylegan_latents.editing.mixing.mixing import mix
    from stylegan_latents.invert.photos.files import to_picture

    if size is not None and blend == "features":
        raise ValueError("features are blended at full resolution")
    if parts and blend == "features":
        raise ValueError("parts are drawn whole, not blended in the features")
    noise = receiver.noise_or_const
    mixed = mix(receiver.ws, donors)
    G = receiver.own_generator(G)
    with torch.inference_mode():
        after = to_picture(G.synthesize_styles(mix_parts(G, mixed, parts), noise, size=size))[0]
        if not regions:
            return after
        before = to_picture(G.synthesize(receiver.ws, noise, size=size))[0]
    from stylegan_latents.editing.regions.blending import blend_pictures, synthesize_blended
    from stylegan_latents.editing.regions.regions import WITHIN_SKIN, region_masks, to_mask_tensor

    mask = region_masks(regions, [before, after], name=receiver.name)
    if blend == "image":
        skin = all(one.strip().lower() in WITHIN_SKIN for one in regions)
        return blend_pictures(before, after, mask, match_colours=skin)
    blended = synthesize_blended(G, receiver.ws, mixed, to_mask_tensor(mask, mixed), noise)
    return to_picture(blended)[0]


def matrix_figure(
    G: "Generator",
    receivers: "Sequence[Code]",
    donors: "Sequence[Code]",
    rows: Sequence[int],
    strength: float = 1.0,
    *,
    cell: int = _CELL,
    on_picture: Callable[[], None] | None = None,
) -> "Image.Image":
    """The mixing matrix: receivers down the left side, donors along the top, mixes where they meet; see ``Donor``.

    Raises:
        InputError: there would be too many pictures, or the strength is not between 0 and 1.
    """
    import torch
    from PIL import Image

    from stylegan_latents.editing.mixing.mixing import mix_matrix
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import to_picture

    check_cells(len(receivers), len(donors))
    side = min(cell, G.resolution)

    def picture_of(ws: "Tensor", code: "Code", own: "Generator") -> "Image.Image":
        with torch.inference_mode():
            picture = to_picture(own.synthesize(ws, code.noise_or_const, size=side))[0]
        if on_picture is not None:
            on_picture()
        return picture

    mixed = mix_matrix(
        torch.cat([code.ws for code in receivers]), torch.cat([code.ws for code in donors]), rows, strength
    )
    blank = Image.new("RGB", (side, side), "white")
    figure = [[blank, *(picture_of(code.ws, code, code.own_generator(G)) for code in donors)]]
    for code, line in zip(receivers, mixed, strict=True):
        own = code.own_generator(G)
        figure.append([picture_of(ws[None], code, own) for ws in (code.ws[0], *line)])
    titles = ["", *(code.name for code in donors)]
    return contact_sheet(figure, titles, ["", *(code.name for code in receivers)], cell=side)


def check_cells(receivers: int, donors: int) -> int:
    """The number of pictures in a matrix, or InputError if it is above 400."""
    cells = (receivers + 1) * (donors + 1) - 1
    if cells > _MOST_CELLS:
        raise InputError(f"This matrix has {cells} pictures, more than {_MOST_CELLS}; name fewer sources.")
    return cells
