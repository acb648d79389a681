"""Cutting a face, or a photo's middle, out of its photo: what a search looks at."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from stylegan_latents.invert.commands.settings import Prepared, Settings, Target

if TYPE_CHECKING:
    from PIL import Image
    from stylegan_latents.invert.faces.align import Alignment
    from stylegan_latents.invert.faces.identity import Embedding
    from torch import Tensor


def prepared(
    target: Target,
    settings: Settings,
    resolution: int,
    identity: "Callable[[Image.Image], Embedding | None] | None",
) -> Prepared:
    """Cut a target out of its photo.

    Args:
        target: what to cut out.
        settings: of the run.
        resolution: of the crop, the generator's.
        identity: sees who is in a crop; None where nobody is to be seen.

    Raises:
        InputError: the photo cannot be read any more, or its mask cannot be used.
    """
    from stylegan_latents.invert.faces.align import align_face, no_align
    from stylegan_latents.invert.record.source import Source

    if target.face is None:
        crop, alignment = no_align(target.image, resolution)
    else:
        crop, alignment = align_face(target.image, target.face, resolution)
    return Prepared(
        target.photo,
        target.label,
        target.outputs,
        Source.of(target.photo),
        crop,
        alignment,
        _masks(target, settings, alignment),
        None if identity is None else identity(crop),
        target.face,
    )


def reduced(images: "Tensor", low_resolution: int | None) -> "Tensor":
    """Images as the inverter sees them: averaged to the side that the user says holds all there is, if any."""
    if low_resolution is None:
        return images
    from stylegan_latents.generator.perceptual import area_resize

    return area_resize(images, low_resolution)


def _masks(target: Target, settings: Settings, alignment: "Alignment") -> "dict[str, Tensor]":
    """What the inverter is told of the photo's masks, by its argument."""
    from stylegan_latents.invert.photos.mask import compared, read_mask

    masks: dict[str, Tensor] = {}
    for name, path in (("mask", settings.mask), ("unchanged", settings.keep_unchanged)):
        if path is not None:
            counts = compared(read_mask(path, target.image, target.photo.name), alignment)
            masks[name] = reduced(counts if name == "mask" else 1 - counts, settings.low_resolution)
    return masks
