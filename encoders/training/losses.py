"""The losses of an encoder's training: image distances, regularizers of codes, and an adversarial critic.

The critic separates codes of W from an encoder's rows, so that the encoder stays close to W (Tov et al., "Designing
an Encoder for StyleGAN Image Manipulation", 2021, section 4.2, after Nitzan et al. 2020).
"""

from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.perceptual import area_resize
from stylegan_latents.generator.statistics import WStatistics

Measure = Callable[[Tensor, Tensor], Tensor]
"""Two batches of images ``[N, 3, H, W]`` in [-1, 1] to their distances ``[N]``, with a gradient."""

_CRITIC_LAYERS = 4


def reconstruction(drawn: Tensor, target: Tensor, size: int, measures: Mapping[str, Measure]) -> dict[str, Tensor]:
    """Distances of images from their targets at ``size`` pixels, as scalars: ``pixels`` and each measure."""
    drawn, target = area_resize(drawn, size), area_resize(target, size)
    terms = {"pixels": (drawn - target).square().mean()}
    return terms | {name: measure(drawn, target).mean() for name, measure in measures.items()}


def regularizers(ws: Tensor, known: Tensor, statistics: WStatistics) -> dict[str, Tensor]:
    """The regularization terms of codes, as scalars.

    Args:
        ws: ``[N, num_ws, w_dim]``, the encoder's.
        known: ``[n, num_ws, w_dim]``, the true codes of the first images.
        statistics: of W.

    Returns:
        ``w``: the mean squared whitened coordinate; ``delta``: the sum over rows of the length of the difference
        from row 0 (Tov et al. 2021, equation 6); ``code``, if codes are known: the mean squared difference from
        them in whitened coordinates.
    """
    white = statistics.whiten(ws)
    terms = {"w": white.square().mean(), "delta": _lengths(ws[:, 1:] - ws[:, :1]).sum(dim=1).mean()}
    if len(known):
        terms["code"] = (white[: len(known)] - statistics.whiten(known)).square().mean()
    return terms


def _lengths(deltas: Tensor) -> Tensor:
    # The gradient of a length is undefined at 0, where untrained differences start.
    return (deltas.square().sum(dim=2) + 1e-12).sqrt()


class LatentCritic(nn.Module):
    """A perceptron that scores single rows: above 0 for a w of the generator, below 0 for an encoder's row."""

    def __init__(self, w_dim: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(_CRITIC_LAYERS - 1):
            layers += [nn.Linear(w_dim, w_dim), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Linear(w_dim, 1))

    def forward(self, w: Tensor) -> Tensor:
        """``[..., w_dim]`` to scores ``[...]``."""
        return cast(Tensor, self.layers(w)).squeeze(-1)


def encoder_loss(critic: nn.Module, ws: Tensor) -> Tensor:
    """The non-saturating adversarial loss of an encoder's codes ``[N, num_ws, w_dim]``, a scalar."""
    return F.softplus(-critic(ws)).mean()


def critic_loss(critic: nn.Module, real: Tensor, made: Tensor, penalty: float) -> Tensor:
    """The critic's loss, a scalar, with the R1 penalty (Mescheder et al. 2018) if its factor is above 0.

    Args:
        critic: a ``LatentCritic``.
        real: ``[M, w_dim]``, codes of W.
        made: ``[N, w_dim]``, rows of an encoder's codes, which get no gradient.
        penalty: factor of R1.
    """
    real = real.detach().requires_grad_(penalty > 0)
    scores = critic(real)
    loss = F.softplus(-scores).mean() + F.softplus(critic(made.detach())).mean()
    if penalty > 0:
        (slope,) = torch.autograd.grad(scores.sum(), real, create_graph=True)
        loss = loss + 0.5 * penalty * slope.square().sum(dim=1).mean()
    return loss
