"""What a record looks like, and how near that comes to the photo."""

from typing import TYPE_CHECKING

import torch

from stylegan_latents.invert.photos.files import to_picture

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator, Noise
    from stylegan_latents.invert.record.inversion import Inversion


def drawn_by(G: "Generator", record: "Inversion") -> "Generator":
    """The generator, with the record's tuned weights where it has some."""
    if record.weights is None:
        return G
    from stylegan_latents.invert.record.tuned_weights import tuned_generator

    return tuned_generator(G, record)


def noise_of(G: "Generator", record: "Inversion") -> "Noise":
    """The record's noise maps, or the model's own."""
    maps = record.noise
    return "const" if maps is None else [one.to(G.device) for one in maps]


def picture_of(G: "Generator", record: "Inversion") -> "Image.Image":
    """What the generator makes of a record's first code, at full resolution."""
    tuned = drawn_by(G, record)
    with torch.inference_mode():
        return to_picture(tuned.synthesize(record.for_generator(tuned)[:1], noise_of(tuned, record)))[0]


def measured(G: "Generator", record: "Inversion", images: "Tensor", *, full: bool) -> dict[str, list[float]]:
    """The record's metrics and those of ``measure``, both taken in float32.

    Args:
        G: the generator without the record's weights.
        record: of N images.
        images: their photos' crops, ``[N, 3, H, W]`` in [-1, 1].
        full: measure what takes longer, too.
    """
    from stylegan_latents.invert.record.metrics import measure

    tuned = drawn_by(G, record)
    noise = noise_of(G, record)
    return record.metrics | measure(tuned, record.for_generator(G), images, noise=noise, full=full)
