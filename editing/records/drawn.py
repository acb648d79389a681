"""An edit of a code, drawn: everywhere, in some regions, or as a face that is joined to its head."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image
    from torch import Tensor

    from stylegan_latents.editing.directions.apply import Edit
    from stylegan_latents.editing.regions.joining import FaceJoin
    from stylegan_latents.editing.regions.parts import Parts
    from stylegan_latents.editing.regions.regions import Blend
    from stylegan_latents.generator.generator import Generator, Noise
    from stylegan_latents.invert.search.span import Span


@dataclass(frozen=True, eq=False)
class DrawnEdit:
    """A drawn edit, and where in the picture it was taken.

    Attributes:
        picture: the result.
        styles: before and after the edit, of one picture each, as from ``Generator.styles``.
        regions, blend: to which the edit was limited, and how; see ``draw_edit``.
        mask: ``[S, S]`` in 0 to 1, where the edit is; None for everywhere, and for a joined face.
        join: where the face was joined; None where it was not.
    """

    picture: "Image"
    styles: "tuple[Sequence[Tensor], Sequence[Tensor]]"
    regions: tuple[str, ...] = ()
    blend: "Blend" = "image"
    mask: "npt.NDArray[np.float32] | None" = None
    join: "FaceJoin | None" = None


def draw_edit(
    G: "Generator",
    ws: "Tensor",
    noise: "Noise",
    edits: "Sequence[Edit]",
    *,
    rows: Sequence[int] | None = None,
    raw: bool = False,
    size: int | None = None,
    regions: Sequence[str] = (),
    blend: "Blend" = "image",
    span: "Span | None" = None,
    parts: "Parts | None" = None,
    name: str = "the picture",
) -> DrawnEdit:
    """Draw an edited code.

    Args:
        G: the generator.
        ws: the code, ``[1, num_ws, w_dim]``.
        noise: as for ``Generator.synthesize``.
        edits, rows, raw, span: see ``edited_styles``, also for errors.
        size: side in pixels; None, or more than the resolution, for full resolution.
        regions: limit the edit to these, see ``region_masks``; everywhere when empty.
        blend: join a region in the image, outside of which nothing changes, or in the generator's features; the
            face alone then keeps its place on the head, see ``joining``.
        parts: of ``G``, where regions have the outline of a person and faces are joined.
        name: what messages call the picture.
    """
    import torch

    from stylegan_latents.editing.directions.apply import edited_styles
    from stylegan_latents.invert.photos.files import to_picture

    side = None if size is None or size >= G.resolution else size
    with torch.inference_mode():
        styles = (G.styles(ws), edited_styles(G, ws, edits, rows=rows, raw=raw, span=span))
        after = to_picture(G.synthesize_styles(styles[1], noise, size=side))[0]
    if not regions or not edits:
        return DrawnEdit(after, styles)
    from stylegan_latents.editing.regions.blending import blend_pictures, synthesize_blended_styles
    from stylegan_latents.editing.regions.joining import can_join, find_join, joins_face
    from stylegan_latents.editing.regions.person import people_of_edit
    from stylegan_latents.editing.regions.regions import BY_PERSON, region_masks, to_mask_tensor

    where = tuple(regions)
    with torch.inference_mode():
        before = to_picture(G.synthesize_styles(styles[0], noise, size=side))[0]
        if joins_face(regions, blend) and parts is not None and can_join(G, parts):
            join = find_join(parts, G, styles, (before, after))
            if join is not None:
                joined = to_picture(join.draw(G, styles, noise, size=side))[0]
                return DrawnEdit(joined, styles, where, blend, join=join)
        people = None
        if any(region.strip().lower() in BY_PERSON for region in regions):
            people = people_of_edit(parts, G, styles, (before, after))
        mask = region_masks(regions, [before, after], name=name, people=people)
        if blend == "image":
            return DrawnEdit(blend_pictures(before, after, mask), styles, where, blend, mask)
        share = to_mask_tensor(mask, ws)
        blended = to_picture(synthesize_blended_styles(G, *styles, share, noise, size=side))[0]
        return DrawnEdit(blended, styles, where, blend, mask)
