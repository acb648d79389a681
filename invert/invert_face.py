"""From a face in a photo to its record: align, search, draw once, measure.

``invert_face`` does all of it for one face. The command ``invert`` and films call its steps, to search several
crops at once or to draw later.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.invert.inverters.base import identity_loss_for
from stylegan_latents.invert.photos.files import to_picture, to_tensor
from stylegan_latents.invert.record.metrics import draw, measured
from stylegan_latents.invert.record.run_settings import COMPARED_AT, FACE, LANDMARKS, MASK
from stylegan_latents.invert.record.source import Source

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.faces.detector import Face
    from stylegan_latents.invert.faces.identity import Embedding, Identity
    from stylegan_latents.invert.faces.landmarks import Landmarks
    from stylegan_latents.invert.inverters.base import Inverter, Progress
    from stylegan_latents.invert.photos.crop import Alignment
    from stylegan_latents.invert.record.inversion import Inversion
    from stylegan_latents.invert.search.loss import IdentityLoss


SMALL_FACE = 100
"""Pixels of a face in its photo, below which it is compared at a lower resolution."""

_SHARP = 0.75
"""Of a photo's resolution: finer detail is mostly the camera's and JPEG's, and makes a code's picture harsh."""


@dataclass(frozen=True, eq=False)
class Crop:
    """The square of a photo that is inverted.

    Attributes:
        picture: of the alignment's size.
        alignment: where it lies in the photo.
        face: in the photo; None for a crop that was not aligned.
        source: the photo's file; None for a photo from memory.
        person: the face's embedding; None if identity is not measured.
        masks: arguments ``mask`` and ``unchanged`` of ``invert``, ``[1, 1, H, H]`` each.
        in_photo: how far each pixel shows the photo, ``[1, 1, H, H]``; None for a crop inside the photo.
        compared_at: the side in pixels at which it is compared; None for its own.
    """

    picture: "Image.Image"
    alignment: "Alignment"
    face: "Face | None" = None
    source: "Source | None" = None
    person: "Embedding | None" = None
    masks: "Mapping[str, Tensor]" = field(default_factory=dict)
    in_photo: "Tensor | None" = None
    compared_at: int | None = None


@dataclass(frozen=True, eq=False)
class Portrait:
    """The inversion of one face.

    Attributes:
        inversion: its record, with source, alignment and metrics.
        picture: the generator's picture of the code, drawn in float32 at full resolution.
        crop: the aligned photo, of the same size.
    """

    inversion: "Inversion"
    picture: "Image.Image"
    crop: "Image.Image"


def invert_face(
    inverter: "Inverter",
    photo: "Image.Image",
    face: "Face | None",
    *,
    source: "Source | None" = None,
    which: str | None = "largest",
    identity: "Identity | None" = None,
    landmarks: "Sequence[Landmarks]" = (),
    mask: "Path | None" = None,
    on_step: "Callable[[Progress], None] | None" = None,
    keep_partial: bool = False,
) -> Portrait:
    """Align a face, find its code, draw it and measure the result.

    Args:
        inverter: of any method, such as from ``make_inverter``.
        photo: upright, from ``read_photo``.
        face: from ``find_faces``; None for the photo's central square.
        source: the photo's file, for the record.
        which: the value of ``--face`` that chooses this face, for the record.
        identity: to measure the identity distance between the photo and the result.
        landmarks: of the photo's faces, for the record, if they were placed by hand.
        mask: a picture of the photo's size, white where the model fills the photo in; see ``read_mask``.
        on_step, keep_partial: as for ``Inverter.invert``.

    Raises:
        InputError: the face lies outside the photo, the mask cannot be used, or the search fails.
        KeyboardInterrupt: the search was interrupted, and ``keep_partial`` is not set.
    """
    G = inverter.G
    crop = cut_out(photo, face, G.resolution, source=source, identity=identity, aspect=G.width / G.resolution)
    if mask is not None:
        from stylegan_latents.invert.photos.crop import compared, read_mask

        white = read_mask(mask, photo, "the photo" if source is None else source.name)
        crop = dataclasses.replace(crop, masks={"mask": compared(white, crop.alignment)})
    found = find_codes(inverter, [crop], on_step=on_step, keep_partial=keep_partial)
    settings: dict[str, JSON] = {FACE: which if face is not None else None}
    if landmarks:
        settings[LANDMARKS] = [one.to_dict() for one in landmarks]
    if mask is not None:
        settings[MASK] = Source.of(mask).sha256
    return portrait(inverter.G, found, crop, settings=settings, identity=identity)


def cut_out(
    photo: "Image.Image",
    face: "Face | None",
    resolution: int,
    *,
    source: "Source | None" = None,
    identity: "Identity | None" = None,
    aspect: float = 1.0,
) -> Crop:
    """Align a face, or take a photo's centre; arguments are as for ``invert_face``.

    A face below ``SMALL_FACE`` is compared at three quarters of its crop's side in the photo, as there is no finer
    detail to imitate. The face is embedded here, so that a failing download of the network costs no search.
    ``resolution`` is the crop's height, ``aspect`` its width over its height.

    Raises:
        InputError: the face lies outside the photo, or is aligned for a generator that draws no squares.
    """
    from stylegan_latents.invert.faces.align import align_face
    from stylegan_latents.invert.photos.crop import no_align, part_in_photo

    if face is None:
        picture, alignment = no_align(photo, resolution, aspect)
        return Crop(picture, alignment, source=source)
    if aspect != 1:
        raise InputError("Faces are aligned to squares, and this model draws none; add --no-align.")
    picture, alignment = align_face(photo, face, resolution)
    person = None if identity is None else identity(picture)
    compared_at = round(_SHARP * alignment.side) if face.size < SMALL_FACE and alignment.side < resolution else None
    return Crop(picture, alignment, face, source, person, {}, part_in_photo(alignment), compared_at)


def find_codes(
    inverter: "Inverter",
    crops: Sequence[Crop],
    *,
    identity_loss: "IdentityLoss | None" = None,
    on_step: "Callable[[Progress], None] | None" = None,
    keep_partial: bool = False,
) -> "Inversion":
    """Invert crops of one size at once; other arguments and errors are as for ``invert_face``.

    The search ignores what of a crop lies outside the photo; an encoder sees the whole crop.

    Args:
        crops: with the same masks and the same ``compared_at`` each.
        identity_loss: of the crops; None to make it from their faces.
    """
    import torch

    from stylegan_latents.generator.perceptual import resize_height

    def compared(images: "Tensor") -> "Tensor":
        return images if crops[0].compared_at is None else resize_height(images, crops[0].compared_at)

    images = torch.cat([to_tensor(crop.picture, device=inverter.G.device) for crop in crops])
    masks = {name: compared(torch.cat([crop.masks[name] for crop in crops])) for name in crops[0].masks}
    if inverter.takes_mask and any(crop.in_photo is not None for crop in crops):
        whole = torch.ones_like(images[:1, :1], device="cpu")
        inside = torch.cat([whole if crop.in_photo is None else crop.in_photo for crop in crops])
        masks["mask"] = compared(inside) * masks.get("mask", 1)
    if identity_loss is None:
        faces, alignments = [crop.face for crop in crops], [crop.alignment for crop in crops]
        identity_loss = identity_loss_for(inverter, faces, alignments)
    return inverter.invert(
        compared(images), on_step=on_step, keep_partial=keep_partial, identity_loss=identity_loss, **masks
    )


def portrait(
    G: "Generator",
    found: "Inversion",
    crop: Crop,
    *,
    settings: "Mapping[str, JSON]",
    full: bool = False,
    identity: "Identity | None" = None,
) -> Portrait:
    """Draw a code once, at full resolution, and complete its record with metrics.

    Args:
        G: the generator.
        found: the record of one image, from ``find_codes``.
        crop: of that image.
        settings: of the run, kept beside the inverter's.
        full: add the slow metrics of ``measure``.
        identity: as for ``invert_face``.
    """
    drawn = draw(G, found)
    image = to_tensor(crop.picture, device=G.device)
    metrics = measured(G, found, image, full=full, drawn=drawn, mask=crop.in_photo, compared_at=crop.compared_at)
    picture = to_picture(drawn)[0]
    of_face: dict[str, JSON] = {} if crop.compared_at is None else {COMPARED_AT: crop.compared_at}
    if crop.person is not None and identity is not None:
        other = identity(picture)
        metrics["identity"] = [math.nan if other is None else identity.distance(crop.person, other)]
    inversion = dataclasses.replace(
        found,
        settings={**found.settings, **of_face, **settings},
        metrics=metrics,
        sources=[] if crop.source is None else [crop.source],
        alignments=[crop.alignment],
    )
    return Portrait(inversion, picture, crop.picture)
