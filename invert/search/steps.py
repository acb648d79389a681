"""What every search asks of its settings."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON

if TYPE_CHECKING:
    from stylegan_latents.invert.record.inversion import Inversion


def check_search(what: str, steps: int, learning_rate: float, weights: Mapping[str, float]) -> None:
    """Check what is the same for all searches.

    Args:
        what: the search's name, as a sentence begins with it.
        steps: of Adam.
        learning_rate: in the search's own unit.
        weights: of the terms of the loss, by their names.

    Raises:
        InputError: a value is out of its range or not finite; the message names it.
    """
    if steps < 1:
        raise InputError(f"{what} needs at least 1 step, not {steps}.")
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise InputError(f"The learning rate has to be above 0, not {learning_rate}.")
    for name, weight in weights.items():
        if not (math.isfinite(weight) and weight >= 0):
            raise InputError(f"The {name} weight has to be 0 or above, not {weight}.")


def search_side(size: int, G: Generator) -> int:
    """The side in pixels at which images are compared: ``size``, but at most the generator's resolution.

    Raises:
        InputError: the generator's picture cannot be halved down to that side.
    """
    side = min(size, G.resolution)
    if side < 1 or G.resolution % side or (G.resolution // side).bit_count() != 1:
        raise InputError(f"The search size is {G.resolution} divided by a power of two, not {size}.")
    return side


def check_untuned(pivot: "Inversion") -> None:
    """Refuse codes that were found together with weights, which what follows would leave out.

    Raises:
        InputError: the record has tuned weights.
    """
    if pivot.weights is not None:
        raise InputError(f"The pivot's method is {pivot.method}, which tunes weights; take a search or an encoder.")


def inverter_settings(inverter: object) -> dict[str, JSON]:
    """Every setting of an inverter, with its method, for a record; empty for one that tells none."""
    tell = getattr(inverter, "settings", None)
    settings: dict[str, JSON] = tell() if tell is not None else {}
    return {"method": getattr(inverter, "method", type(inverter).__name__), **settings}


def schedule(t: float) -> float:
    """The learning rate's factor at ``t`` of the search, 0 to 1: a short ramp, level, then a cosine to 0."""
    ramp = min(1.0, t / 0.05)
    return ramp if t < 0.5 else ramp * (0.5 + 0.5 * math.cos(math.pi * (t - 0.5) / 0.5))


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
