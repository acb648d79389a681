"""Pictures of mixes: one face with the styles of others, and the figure of each with the styles of each."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.mixing.by_part import PartDonor
    from stylegan_latents.editing.mixing.mixing import Donor
    from stylegan_latents.editing.records.codes import Code
    from stylegan_latents.generator.generator import Generator

Blend = Literal["image", "features"]
"""Where a region is joined: in the pictures, or in the network's features."""

MOST_CELLS = 400
"""Pictures of one figure."""

_CELL = 256


def mixed_picture(
    G: "Generator",
    receiver: "Code",
    donors: "Sequence[Donor]",
    *,
    parts: "Sequence[PartDonor]" = (),
    regions: Sequence[str] = (),
    blend: Blend = "image",
    size: int | None = None,
) -> "Image.Image":
    """The receiver's picture with what the donors give.

    Args:
        G: the generator of all codes. What was tuned to the receiver's photo is the receiver's, and draws.
        receiver: whose rows, noise and tuned weights these are.
        donors: as ``mix`` takes them.
        parts: what is given by style channels, after the donors, as ``mix_parts`` takes it.
        regions: only there, as ``region_masks`` reads them; everywhere when empty.
        blend: how a region is joined.
        size: side in pixels, as ``Generator.synthesize`` takes it.

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
    G = receiver.drawn_by(G)
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
    givers: "Sequence[Code]",
    rows: Sequence[int],
    strength: float = 1.0,
    *,
    cell: int = _CELL,
    on_picture: Callable[[], None] | None = None,
) -> "Image.Image":
    """Receivers down the left side, givers along the top, each mix where they meet.

    Args:
        G: the generator of all codes.
        receivers, givers: one at least of each.
        rows: the rows that are given.
        strength: as in ``Donor``.
        cell: side of each picture in pixels, where the model's is larger.
        on_picture: called after each picture.

    Raises:
        InputError: the figure would have too many pictures, or the strength is not between 0 and 1.
    """
    import torch
    from PIL import Image

    from stylegan_latents.editing.mixing.mixing import mix_matrix
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import to_picture

    check_cells(len(receivers), len(givers))
    side = min(cell, G.resolution)

    def drawn(drawer: "Generator", ws: "Tensor", code: "Code") -> "Image.Image":
        with torch.inference_mode():
            picture = to_picture(drawer.synthesize(ws, code.noise_or_const, size=side))[0]
        if on_picture is not None:
            on_picture()
        return picture

    mixed = mix_matrix(
        torch.cat([code.ws for code in receivers]), torch.cat([code.ws for code in givers]), rows, strength
    )
    blank = Image.new("RGB", (side, side), "white")
    figure = [[blank, *(drawn(code.drawn_by(G), code.ws, code) for code in givers)]]
    for code, line in zip(receivers, mixed, strict=True):
        drawer = code.drawn_by(G)
        figure.append([drawn(drawer, ws[None], code) for ws in (code.ws[0], *line)])
    titles = ["", *(code.name for code in givers)]
    return contact_sheet(figure, titles, ["", *(code.name for code in receivers)], cell=side)


def check_cells(receivers: int, givers: int) -> int:
    """How many pictures a figure has.

    Raises:
        InputError: too many.
    """
    cells = (receivers + 1) * (givers + 1) - 1
    if cells > MOST_CELLS:
        raise InputError(f"This matrix has {cells} pictures, more than {MOST_CELLS}; name fewer sources.")
    return cells
