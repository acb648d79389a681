"""The codes that a person's anchors span.

Nitzan et al., "MyStyle: A Personalized Generative Prior", 2022, section 4.1: a code is a sum of anchors whose
coordinates add up to 1 (generalised barycentric coordinates). None is below a small negative number, so that codes
lie in the anchors' convex hull, dilated. Each row of W+ has coordinates of its own.
"""

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError

DILATION = 3.0
"""How many times as large as the convex hull the span is, about its centre. The paper's bound of -0.02 for 100
anchors is this dilation, which suits any number of them."""

_STEPS = 400


class Span:
    """The dilated convex hull of anchors, in each row of W+.

    Args:
        anchors: ``[K, rows, w_dim]``, K at least 2.
        dilation: of the convex hull about the anchors' mean, 1 or above.

    Attributes:
        least: the lowest coordinate, 0 or below.

    Raises:
        InputError: there are too few anchors, or the dilation is below 1.
    """

    def __init__(self, anchors: Tensor, dilation: float = DILATION) -> None:
        if anchors.ndim != 3 or len(anchors) < 2:
            raise InputError(f"A span needs at least 2 anchors [K, rows, w_dim], not {list(anchors.shape)}.")
        if not dilation >= 1:
            raise InputError(f"The dilation of a span is 1 or above, not {dilation}.")
        self.anchors, self.dilation = anchors, dilation
        self.least = (1 - dilation) / len(anchors)

    def coordinates(self, free: Tensor) -> Tensor:
        """Unbounded numbers ``[..., K]`` to coordinates inside the span, differentiably; zeros give the mean."""
        return self.dilation * free.softmax(dim=-1) + self.least

    def codes(self, coordinates: Tensor) -> Tensor:
        """Coordinates ``[N, rows or 1, K]``, which add up to 1, to codes ``[N, rows, w_dim]``."""
        coordinates = coordinates.expand(-1, self.anchors.shape[1], -1)
        return torch.einsum("nrk,krd->nrd", coordinates, self.anchors)

    @torch.no_grad()
    def nearest(self, ws: Tensor) -> Tensor:
        """The coordinates ``[N, rows, K]`` of the codes of the span that are nearest to ``ws``, row by row."""
        anchors = self.anchors.double().transpose(0, 1)
        offsets = anchors - anchors.mean(dim=1, keepdim=True)
        gram = offsets @ offsets.transpose(1, 2)
        wanted = ws.double().transpose(0, 1) - anchors.mean(dim=1, keepdim=True)
        target = (wanted @ offsets.transpose(1, 2)).transpose(0, 1)
        # Nesterov's accelerated gradient, projected onto the span after each step.
        step = 1 / torch.linalg.matrix_norm(gram, ord=2).clamp_min(1e-12)[None, :, None]
        found = ahead = torch.full_like(target, 1 / len(self.anchors))
        momentum = 1.0
        for _ in range(_STEPS):
            slope = torch.einsum("nrk,rkj->nrj", ahead, gram) - target
            after = self._inside(ahead - step * slope)
            following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            ahead = after + (momentum - 1) / following * (after - found)
            found, momentum = after, following
        return found.to(ws.dtype)

    def project(self, ws: Tensor) -> Tensor:
        """The codes of the span that are nearest to ``ws``, ``[N, rows, w_dim]``."""
        return self.codes(self.nearest(ws))

    def _inside(self, coordinates: Tensor) -> Tensor:
        """The nearest coordinates that add up to 1 and are not below ``least``."""
        # Shifted and scaled, they are a point of the simplex; Duchi et al. 2008, figure 1.
        point = (coordinates - self.least) / self.dilation
        ordered = point.sort(dim=-1, descending=True).values
        excess = ordered.cumsum(dim=-1) - 1
        count = torch.arange(1, point.shape[-1] + 1, device=point.device)
        last = (ordered * count > excess).sum(dim=-1, keepdim=True)
        level = excess.gather(-1, last - 1) / last
        return (point - level).clamp_min(0) * self.dilation + self.least
