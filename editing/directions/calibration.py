"""Calibrated directions: strength 1 is one standard deviation of W along the direction."""

from dataclasses import replace
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.direction import Direction

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.statistics import WStatistics

# They give the standard deviation along an axis to 1 %, in under a second.
_SAMPLES = 5000


def w_statistics(G: "Generator") -> "WStatistics":
    """Mean and covariance of W, exact enough for a scale."""
    from stylegan_latents.generator.statistics import WStatistics

    return WStatistics.of(G, _SAMPLES)


def calibrated(direction: Direction, G: "Generator", statistics: "WStatistics | None" = None) -> Direction:
    """The direction with the scale that makes strength 1 one standard deviation over samples of W.

    In W that is the standard deviation along the vector, or the root mean square over rows with vectors of their
    own; in StyleSpace that of the chosen channels' styles.

    Args:
        direction: bound to ``G``; its own scale is ignored.
        statistics: of ``G``; computed when None.

    Raises:
        ValueError: the direction is not bound, or moves nothing in its layers.
    """
    import torch

    if direction.rows is None or direction.by_group:
        raise ValueError(f"the direction '{direction.name}' has to be bound to a generator first")
    statistics = statistics or w_statistics(G)
    vector = direction.moving(G).cpu().double()
    length = float(vector.square().sum())
    if not length:
        raise ValueError(f"the direction '{direction.name}' moves nothing in the layers {direction.layers}")
    if direction.space == "s":
        spread = style_deviations(G, statistics).cpu().double()
        variance = float((spread * vector[0]).square().sum())
        moving = 1
    else:
        spread = torch.linalg.vector_norm(
            vector @ statistics.axes.cpu().double() * statistics.deviations.cpu().double(), dim=1
        )
        variance = float(spread.square().sum())
        moving = int((vector.abs().sum(dim=1) > 0).sum())
    return replace(direction, scale=(variance * moving) ** 0.5 / length)


def style_deviations(G: "Generator", statistics: "WStatistics | None" = None) -> "Tensor":
    """The standard deviation of every style channel over samples of W, ``[channels of all layers]``."""
    import torch

    from stylegan_latents.generator.features import style_weights

    statistics = statistics or w_statistics(G)
    along_axes = torch.cat(style_weights(G)) @ (statistics.axes * statistics.deviations)
    deviations: Tensor = torch.linalg.vector_norm(along_axes, dim=1)
    return deviations
