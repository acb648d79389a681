"""StyleFlow's network: a conditional continuous normalising flow between w and a standard normal (Abdal et al.,
"StyleFlow: Attribute-conditioned Exploration of StyleGAN-Generated Images using Conditional Continuous Normalizing
Flows", 2021; Chen et al., "Neural Ordinary Differential Equations", 2018).

Integrators of the ordinary differential equation, one or more, alternate with normalisations. The velocity at a
point is an MLP of tanh whose linear layers are gated and shifted by the time and the attributes.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

STEPS = 24
"""Runge-Kutta steps of an edit; on random networks the result agrees with adaptive ones of 1e-5 to 1e-5."""

_VARIANCE_FLOOR = 1e-4


class ConditionedLinear(nn.Module):
    """A linear layer, multiplied by a gate in 0 to 1 and shifted, by linear layers of time and attributes."""

    def __init__(self, width: int, out: int, conditions: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, out)
        self.gate = nn.Linear(1 + conditions, out)
        self.shift = nn.Linear(1 + conditions, out, bias=False)

    def forward(self, x: Tensor, condition: Tensor, tangent: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """The layer's output, and its change along a tangent if there is one."""
        gate = torch.sigmoid(self.gate(condition))
        moved = None if tangent is None else nn.functional.linear(tangent, self.linear.weight) * gate
        return self.linear(x) * gate + self.shift(condition), moved


class Velocity(nn.Module):
    """The velocity of points, and the time that they move for.

    Args:
        width: of a point.
        conditions: number of attributes.
        hidden: widths of the hidden layers.
    """

    def __init__(self, width: int, conditions: int, hidden: Sequence[int]) -> None:
        super().__init__()
        widths = [width, *hidden, width]
        self.layers = nn.ModuleList(
            ConditionedLinear(first, second, conditions) for first, second in pairwise(widths)
        )
        self.sqrt_time = nn.Parameter(torch.ones(()))

    def forward(
        self, x: Tensor, attributes: Tensor, time: Tensor, noise: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The velocity ``[N, width]``, and with ``noise`` Hutchinson's estimate of its divergence ``[N]``."""
        condition = torch.cat([time.expand(len(x), 1), attributes], dim=1)
        tangent = noise
        for index, layer in enumerate(self.layers):
            x, tangent = layer(x, condition, tangent)
            if index < len(self.layers) - 1:
                x = torch.tanh(x)
                tangent = None if tangent is None else tangent * (1 - x.square())
        return x, None if tangent is None or noise is None else (tangent * noise).sum(dim=1)

    def integrate(
        self, x: Tensor, attributes: Tensor, *, reverse: bool, steps: int, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The points at the other end of the time, and the integral of the divergence, by Runge-Kutta steps."""
        end = self.sqrt_time.square()
        step, time = (-end / steps, end) if reverse else (end / steps, torch.zeros_like(end))
        volume = x.new_zeros(len(x))
        for _ in range(steps):
            slope = gain = None
            moved, grown = torch.zeros_like(x), torch.zeros_like(volume)
            for fraction, weight in ((0.0, 1 / 6), (0.5, 1 / 3), (0.5, 1 / 3), (1.0, 1 / 6)):
                start = x if slope is None else x + fraction * step * slope
                slope, gain = self(start, attributes, time + fraction * step, noise)
                moved = moved + weight * slope
                grown = grown if gain is None else grown + weight * gain
            x, volume, time = x + step * moved, volume + step * grown, time + step
        return x, volume


class Normalisation(nn.Module):
    """A fixed mean and variance of each value, and a learned scale and shift."""

    mean: Tensor
    variance: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.log_scale, self.shift = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))

    def forward(self, x: Tensor, *, reverse: bool) -> tuple[Tensor, Tensor]:
        """The points, and the logarithm of the volume's growth, which is the same for all, ``[]``."""
        deviation = (self.variance + _VARIANCE_FLOOR).sqrt()
        volume = (self.log_scale - deviation.log()).sum()
        if reverse:
            return (x - self.shift) * torch.exp(-self.log_scale) * deviation + self.mean, -volume
        return (x - self.mean) / deviation * torch.exp(self.log_scale) + self.shift, volume


class FlowNetwork(nn.Module):
    """Maps w with given attributes to a standard normal, and back.

    Args:
        width: of w.
        conditions: number of attributes.
        hidden: widths of the velocity's hidden layers; the published ones have five of 512.
        blocks: number of integrations; the published ones have 1.
    """

    def __init__(self, width: int, conditions: int, hidden: Sequence[int], blocks: int = 1) -> None:
        super().__init__()
        self.width, self.conditions, self.hidden = width, conditions, tuple(hidden)
        self.velocities = nn.ModuleList(Velocity(width, conditions, hidden) for _ in range(blocks))
        self.normalisations = nn.ModuleList(Normalisation(width) for _ in range(blocks + 1))

    def forward(
        self,
        x: Tensor,
        attributes: Tensor,
        *,
        reverse: bool = False,
        steps: int = STEPS,
        noise: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Map points.

        Args:
            x: ``[N, width]``.
            attributes: ``[N, conditions]``.
            reverse: from the normal distribution to w.
            steps: Runge-Kutta steps of each integration.
            noise: random vectors ``[N, width]`` of mean 0 and variance 1, for the volume of integrations.

        Returns:
            Points ``[N, width]``, and the logarithm of the volume's growth ``[N]``, without ``noise`` that of the
            normalisations alone.
        """
        norms = cast("list[Normalisation]", list(self.normalisations))
        velocities = cast("list[Velocity]", list(self.velocities))
        if reverse:
            norms, velocities = norms[::-1], velocities[::-1]
        x, total = norms[0](x, reverse=reverse)
        for velocity, norm in zip(velocities, norms[1:], strict=True):
            x, grown = velocity.integrate(x, attributes, reverse=reverse, steps=steps, noise=noise)
            x, scaled = norm(x, reverse=reverse)
            total = total + grown + scaled
        return x, total
