"""Pictures of codes at the sizes that encoders see and that training compares, no larger than needed."""

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import area_resize, as_colour
from torch import Tensor


def draw(G: Generator, ws: Tensor, width: int) -> Tensor:
    """Pictures ``[N, 3, S, S]`` of codes, with S the generator's smallest size that is ``width`` or more."""
    size = G.resolution
    while size // 2 >= width and size % 2 == 0:
        size //= 2
    return as_colour(G.synthesize(ws, size=size))


def draw_at(G: Generator, ws: Tensor, size: int) -> Tensor:
    """Pictures of codes, averaged to ``[N, 3, size, size]``."""
    return area_resize(draw(G, ws, size), size)
