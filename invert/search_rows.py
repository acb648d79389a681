"""How large a search draws, and which rows of ws it can see there."""

from stylegan_latents.generator.generator import Generator


def size_to_draw(size: int, G: Generator) -> int:
    """The smallest side that the generator draws at and that is not below ``size``."""
    drawn = G.resolution
    while drawn % 2 == 0 and drawn // 2 >= size:
        drawn //= 2
    return drawn


def rows_finer_than(size: int, G: Generator) -> list[int]:
    """The rows of ws that keep W's code in W+: those that draw finer than ``size`` alone, unseen by the search."""
    coarsest: dict[int, int] = {}
    for layer in G.layers:
        coarsest[layer.ws_index] = min(layer.resolution, coarsest.get(layer.ws_index, layer.resolution))
    return sorted(row for row, resolution in coarsest.items() if resolution > size)
