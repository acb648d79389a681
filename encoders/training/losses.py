"""What an encoder's training makes small."""

from collections.abc import Callable, Mapping

from torch import Tensor

from stylegan_latents.generator.perceptual import area_resize
from stylegan_latents.generator.statistics import WStatistics

Measure = Callable[[Tensor, Tensor], Tensor]
"""Two batches of images ``[N, 3, H, W]`` in [-1, 1] to their distances ``[N]``, with a gradient."""


def reconstruction(drawn: Tensor, target: Tensor, size: int, measures: Mapping[str, Measure]) -> dict[str, Tensor]:
    """How far pictures are from their targets at ``size`` pixels, as scalars: ``pixels`` and each measure."""
    drawn, target = area_resize(drawn, size), area_resize(target, size)
    terms = {"pixels": (drawn - target).square().mean()}
    return terms | {name: measure(drawn, target).mean() for name, measure in measures.items()}


def regularizers(ws: Tensor, known: Tensor, statistics: WStatistics) -> dict[str, Tensor]:
    """What codes are held to, as scalars.

    Args:
        ws: ``[N, num_ws, w_dim]``, the encoder's.
        known: ``[n, num_ws, w_dim]``, the codes that the first images were drawn from.
        statistics: of W.

    Returns:
        ``w``: the mean squared whitened coordinate; ``delta``: the sum over rows of the length of the difference
        from row 0 (Tov et al. 2021, equation 6); ``code``, where codes are known: the mean squared difference from
        them in whitened coordinates.
    """
    white = statistics.whiten(ws)
    terms = {"w": white.square().mean(), "delta": _lengths(ws[:, 1:] - ws[:, :1]).sum(dim=1).mean()}
    if len(known):
        terms["code"] = (white[: len(known)] - statistics.whiten(known)).square().mean()
    return terms


def _lengths(deltas: Tensor) -> Tensor:
    # The length's gradient at nothing, where untrained differences begin, is not a number.
    return (deltas.square().sum(dim=2) + 1e-12).sqrt()
