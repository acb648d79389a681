"""Tells codes of W from an encoder's rows, so that an encoder learns to stay where the generator was trained.

Tov et al., "Designing an Encoder for StyleGAN Image Manipulation", 2021, section 4.2 (after Nitzan et al. 2020).
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LAYERS = 4


class LatentCritic(nn.Module):
    """A perceptron on single rows: above 0 for w, below 0 for what an encoder made."""

    def __init__(self, w_dim: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(_LAYERS - 1):
            layers += [nn.Linear(w_dim, w_dim), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Linear(w_dim, 1))

    def forward(self, w: Tensor) -> Tensor:
        """``[..., w_dim]`` to scores ``[...]``."""
        return cast(Tensor, self.layers(w)).squeeze(-1)


def encoder_loss(critic: nn.Module, ws: Tensor) -> Tensor:
    """How surely the critic knows the encoder's codes ``[N, num_ws, w_dim]``, as a scalar (non-saturating loss)."""
    return F.softplus(-critic(ws)).mean()


def critic_loss(critic: nn.Module, real: Tensor, made: Tensor, penalty: float) -> Tensor:
    """How badly the critic tells them apart, with R1's penalty (Mescheder et al. 2018) where it is above 0.

    Args:
        critic: a ``LatentCritic``.
        real: ``[M, w_dim]``, codes of W.
        made: ``[N, w_dim]``, rows of an encoder's codes; no gradient goes to them.
        penalty: R1's factor.
    """
    real = real.detach().requires_grad_(penalty > 0)
    scores = critic(real)
    loss = F.softplus(-scores).mean() + F.softplus(critic(made.detach())).mean()
    if penalty > 0:
        (slope,) = torch.autograd.grad(scores.sum(), real, create_graph=True)
        loss = loss + 0.5 * penalty * slope.square().sum(dim=1).mean()
    return loss
