"""One face of a photo, inverted in memory: what `invert` does for a file, as one call."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylegan_latents.invert.faces.align import align_face
from stylegan_latents.invert.inverters.base import resemblance_for
from stylegan_latents.invert.photos.crop import no_align
from stylegan_latents.invert.photos.files import to_tensor
from stylegan_latents.invert.record.pictures import measured, picture_of
from stylegan_latents.invert.record.run_settings import FACE, LANDMARKS

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.invert.faces.detector import Face
    from stylegan_latents.invert.faces.identity import Identity
    from stylegan_latents.invert.faces.landmarks import Landmarks
    from stylegan_latents.invert.inverters.base import Inverter, Progress
    from stylegan_latents.invert.record.inversion import Inversion
    from stylegan_latents.invert.record.source import Source


@dataclass(frozen=True, eq=False)
class Portrait:
    """A face and its code.

    Attributes:
        inversion: the record of one image, with its source, alignment and metrics.
        picture: what the generator makes of it, in float32 and at full resolution.
        crop: the part of the photo that was inverted, as large.
    """

    inversion: "Inversion"
    picture: "Image.Image"
    crop: "Image.Image"


def invert_face(
    inverter: "Inverter",
    photo: "Image.Image",
    face: "Face | None",
    *,
    source: "Source",
    which: str | None = "largest",
    identity: "Identity | None" = None,
    landmarks: "Sequence[Landmarks]" = (),
    on_step: "Callable[[Progress], None] | None" = None,
    keep_partial: bool = False,
) -> Portrait:
    """Align a face, search its code and measure what was found.

    Args:
        inverter: of ``make_inverter``.
        photo: upright, as ``read_photo`` gives it.
        face: one of ``find_faces``; None takes the photo's central square as it is.
        source: the photo's file, for the record.
        which: what the record says of the face, as ``--face`` would have chosen it; left out without a face.
        identity: measures how far the person moved, where that is wanted.
        landmarks: for the record: those of the photo's faces, where they were given by hand.
        on_step, keep_partial: as for ``OptimizationInverter.invert``.

    Raises:
        InputError: the face lies outside the photo, or the search fails.
        KeyboardInterrupt: the search was interrupted, and ``keep_partial`` is not set.
    """
    G = inverter.G
    crop, alignment = no_align(photo, G.resolution) if face is None else align_face(photo, face, G.resolution)
    # Before the search, so that weights which cannot be fetched cost no search.
    person = None if face is None or identity is None else identity(crop)
    images = to_tensor(crop, device=G.device)
    resemblance = resemblance_for(inverter, [face], [alignment])
    inversion = inverter.invert(images, on_step=on_step, keep_partial=keep_partial, resemblance=resemblance)
    settings = inversion.settings | {FACE: which if face is not None else None}
    if landmarks:
        settings[LANDMARKS] = [one.to_dict() for one in landmarks]
    inversion = dataclasses.replace(inversion, settings=settings, sources=[source], alignments=[alignment])
    picture = picture_of(G, inversion)
    metrics = measured(G, inversion, images, full=False)
    if person is not None and identity is not None:
        other = identity(picture)
        metrics["identity"] = [math.nan if other is None else identity.distance(person, other)]
    return Portrait(dataclasses.replace(inversion, metrics=metrics), picture, crop)
