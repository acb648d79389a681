"""Steps whose sizes depend on the code, so that a direction's path differs from face to face."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

_READ = "middle"
# The largest size: predictions beyond those of samples mean little.
_LARGEST = 1.0


@dataclass(frozen=True, eq=False)
class Bend:
    """Steps that are added to a direction, each times a size that is linear in the code.

    What an edit changes besides its own score differs from face to face, and much of that can be told from the
    code. So can the steps that take it back; see ``editing.discovery.finders.way_back``.

    Attributes:
        readings: float32 ``[K, w_dim + 1]``: weights of w, the mean of a code's middle rows, and a number that is
            added. Sizes are limited to -1 to 1.
        steps: float32 ``[K, rows, w_dim]``, each like ``Direction.vector``.
        rows: the middle rows of one generator's ws; None until ``bound``.

    Raises:
        ValueError: shapes or types do not fit each other, or a number is not finite.
    """

    readings: "Tensor"
    steps: "Tensor"
    rows: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        import torch

        shapes = f"{list(self.readings.shape)} and {list(self.steps.shape)}"
        if self.readings.ndim != 2 or self.steps.ndim != 3 or not self.readings.numel():
            raise ValueError(f"a bend needs readings [K, w_dim + 1] and steps [K, rows, w_dim], got {shapes}")
        if self.readings.shape != (len(self.steps), self.steps.shape[2] + 1):
            raise ValueError(f"readings and steps do not fit each other: {shapes}")
        for one in (self.readings, self.steps):
            if one.dtype != torch.float32 or not bool(torch.isfinite(one).all()):
                raise ValueError("a bend's numbers have to be finite and float32")

    def bound(self, G: "Generator", groups: Sequence[int] | None) -> "Bend":
        """This bend for one generator; ``groups`` are the rows of ``steps`` to take for the rows of ws, or None."""
        rows = tuple(index for index, group in enumerate(G.ws_groups) if group == _READ)
        steps = self.steps if groups is None else self.steps[:, list(groups)]
        return replace(self, steps=steps, rows=rows or tuple(range(G.num_ws)))

    def step(self, ws: "Tensor") -> "Tensor":
        """The sum of the steps for each code ``[N, num_ws, w_dim]``: ``[N, rows, w_dim]``."""
        import torch

        if self.rows is None:
            raise ValueError("the bend has to be bound to a generator first")
        readings = self.readings.to(ws.device, ws.dtype)
        sizes = ws[:, list(self.rows)].mean(dim=1) @ readings[:, :-1].T + readings[:, -1]
        steps = self.steps.to(ws.device, ws.dtype)
        return torch.einsum("nk,krw->nrw", sizes.clamp(-_LARGEST, _LARGEST), steps)
