"""From frame to frame of a film: a short search from the code before, in place of a long one from the mean.

The recipe is that of ``invert.inverters.optimize``, in the same coordinates, with three differences. Only what is
coarser than the side of the comparison moves, so that the finest textures stand still. The code is held to where
it came from. And Adam, which divides by each coordinate's slope so that those which hardly matter move as far as
those which do and the picture shimmers, is given the whole code's slope to divide by, too: to the same loss the
code then goes a third of the way.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import in_precision
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.inverters.options import Space
from stylegan_latents.invert.search.loss import LPIPS, Comparison
from stylegan_latents.invert.search.steps import OptimizerSettings, rows_finer_than, schedule, size_to_draw


@dataclass(frozen=True, eq=False)
class _Tools:
    """What a search needs that takes a while to load.

    Attributes:
        G: the generator in the precision of the search.
        size: the side that it draws at.
        moves: which rows of a code do, ``[1, rows, 1]``.
    """

    G: Generator
    lpips: LPIPS
    statistics: WStatistics
    size: int
    moves: Tensor


@dataclass(frozen=True, kw_only=True)
class FollowSettings(OptimizerSettings):
    """Settings of the search from frame to frame: those of ``OptimizerSettings``, and more.

    Attributes:
        space: ``w+``, or ``w`` for codes of equal rows, which stay equal.
        learning_rate: in standard deviations of W.
        still_weight: weight of the mean squared distance from the start, in whitened coordinates.
        seed: of the samples that W's statistics are computed from.

    Raises:
        InputError: a value is out of its range.
    """

    name: ClassVar[str] = "Following"

    space: Space = "w+"
    steps: int = 10
    learning_rate: float = 0.05
    still_weight: float = 0.1
    seed: int = 0


class Follower:
    """Searches the code of one frame after the other.

    Args:
        G: the generator; it is left as it is.
        settings: of the search.

    Raises:
        InputError: a setting does not fit the generator.
    """

    def __init__(self, G: Generator, settings: FollowSettings | None = None) -> None:
        self.G, self.search = G, (settings or FollowSettings()).for_generator(G)

    def follow(
        self, image: Tensor, ws: Tensor, *, on_divergence: Callable[[int], None] = lambda _step: None
    ) -> Tensor:
        """Search the code of a frame.

        Args:
            image: ``[1, 3, H, H]`` in [-1, 1].
            ws: the code of a frame near it, ``[1, num_ws, w_dim]``.
            on_divergence: called with the step at which the loss was not finite any more, where the best code
                before it is what comes back.

        Returns:
            ws ``[1, num_ws, w_dim]``, of the lowest loss seen; the one that it came from where no step is better.

        Raises:
            InputError: the loss is not finite from the first step.
        """
        tools = self._tools
        with keep_freed_memory():
            compare = Comparison(
                image,
                self.search.search_size,
                self.search.search_size,
                tools.lpips,
                pixel_weight=self.search.pixel_weight,
                detail_weight=0,
            )
            ws = ws.to(self.G.device)
            start = tools.statistics.whiten(ws[:, :1] if self.search.space == "w" else ws)
            way = torch.zeros_like(start, requires_grad=True)
            adam = torch.optim.Adam([way], lr=self.search.learning_rate, betas=(0.9, 0.99))
            best, best_loss = torch.zeros_like(start), math.inf
            for step in range(self.search.steps + 1):
                code = tools.statistics.unwhiten(start + way).expand(-1, self.G.num_ws, -1)
                losses, _ = compare(as_colour(tools.G.synthesize(code, size=tools.size)))
                loss = losses.sum() + self.search.still_weight * way.square().mean()
                value = float(loss.detach())
                if not math.isfinite(value):
                    if step:
                        on_divergence(step)
                    break
                if value < best_loss:
                    best_loss, best = value, way.detach().clone()
                if step == self.search.steps:
                    break
                adam.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                assert way.grad is not None
                way.grad *= tools.moves
                if not step:
                    adam.param_groups[0]["eps"] = max(float(way.grad.square().mean().sqrt()), 1e-12)
                adam.param_groups[0]["lr"] = self.search.learning_rate * schedule(
                    0.05 + 0.95 * step / self.search.steps
                )
                adam.step()
        if not math.isfinite(best_loss):
            raise InputError("The search diverged at its first step; check the film, or use --precision float32.")
        moved = tools.statistics.unwhiten(start + best)
        # What stood still keeps its last bit.
        return torch.where((best != 0).any(dim=2, keepdim=True), moved, ws)

    @cached_property
    def _tools(self) -> "_Tools":
        G, dtype = self.G, self.search.dtype
        size = size_to_draw(self.search.search_size, G)
        held = rows_finer_than(size, G) if self.search.space == "w+" else []
        rows = range(G.num_ws if self.search.space == "w+" else 1)
        return _Tools(
            in_precision(G, dtype),
            LPIPS.load("alex").to(G.device).in_precision(dtype),
            WStatistics.of(G, seed=self.search.seed),
            size,
            torch.tensor([row not in held for row in rows], device=G.device)[None, :, None],
        )

    def settings(self) -> dict[str, JSON]:
        """Every setting, for a record."""
        return self.search.values()
