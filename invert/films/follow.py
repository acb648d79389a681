"""Search the code of a frame, starting from the code of the frame before.

The search of ``invert.inverters.optimize``, in the same whitened coordinates and with fewer steps, changed against
flicker: rows of W+ finer than the side of the comparison are fixed, the distance from the start is penalised, and
Adam's epsilon is the RMS of the first gradient. Without that, Adam moves coordinates that hardly matter as far as
the others; with it the code moves a third as far for the same loss.
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
    """What the searches of all frames share.

    Attributes:
        G: the generator in the precision of the search.
        size: side at which it draws.
        moves: whether each row of a code changes, ``[1, rows, 1]``.
    """

    G: Generator
    lpips: LPIPS
    statistics: WStatistics
    size: int
    moves: Tensor


@dataclass(frozen=True, kw_only=True)
class FollowSettings(OptimizerSettings):
    """Settings of the search of a frame, beside those of ``OptimizerSettings``.

    Attributes:
        space: ``w+``, or ``w`` for codes of equal rows.
        learning_rate: in standard deviations of W.
        still_weight: weight of the mean squared distance from the start, in whitened coordinates.
        seed: of the samples for the statistics of W.

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
    """Searches the codes of successive frames.

    Args:
        G: the generator; not changed.
        settings: of the search; None for the defaults.

    Raises:
        InputError: a setting does not fit the generator.
    """

    def __init__(self, G: Generator, settings: FollowSettings | None = None) -> None:
        self.G, self.search = G, (settings or FollowSettings()).for_generator(G)

    def follow(
        self,
        image: Tensor,
        ws: Tensor,
        mask: Tensor | None = None,
        on_divergence: Callable[[int], None] = lambda _step: None,
    ) -> Tensor:
        """Search the code of a frame.

        Args:
            image: ``[1, 3, H, H]`` in [-1, 1].
            ws: the code of a frame near it, ``[1, num_ws, w_dim]``.
            mask: ``[1, 1, H, H]`` in 0 to 1, 0 where nothing is compared; None compares everything.
            on_divergence: called with the step at which the loss was not finite; the best code before it is
                returned.

        Returns:
            ws ``[1, num_ws, w_dim]`` with the lowest loss; the start's if no step is better.

        Raises:
            InputError: the loss is not finite from the first step.
        """
        tools = self._tools
        with keep_freed_memory(keep=not self.G.synthesis.saves_memory):
            compare = Comparison(
                image,
                self.search.search_size,
                self.search.search_size,
                tools.lpips,
                pixel_weight=self.search.pixel_weight,
                detail_weight=0,
                mask=mask,
            )
            ws = ws.to(self.G.device)
            start = tools.statistics.whiten(ws[:, :1] if self.search.space == "w" else ws)
            offset = torch.zeros_like(start, requires_grad=True)
            adam = torch.optim.Adam([offset], lr=self.search.learning_rate, betas=(0.9, 0.99))
            best, best_loss = torch.zeros_like(start), math.inf
            for step in range(self.search.steps + 1):
                code = tools.statistics.unwhiten(start + offset).expand(-1, self.G.num_ws, -1)
                losses, _ = compare(as_colour(tools.G.synthesize(code, size=tools.size)))
                loss = losses.sum() + self.search.still_weight * offset.square().mean()
                value = float(loss.detach())
                if not math.isfinite(value):
                    if step:
                        on_divergence(step)
                    break
                if value < best_loss:
                    best_loss, best = value, offset.detach().clone()
                if step == self.search.steps:
                    break
                adam.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                assert offset.grad is not None
                offset.grad *= tools.moves
                if not step:
                    adam.param_groups[0]["eps"] = max(float(offset.grad.square().mean().sqrt()), 1e-12)
                adam.param_groups[0]["lr"] = self.search.learning_rate * schedule(
                    0.05 + 0.95 * step / self.search.steps
                )
                adam.step()
        if not math.isfinite(best_loss):
            raise InputError("The search diverged at its first step; check the film, or use --precision float32.")
        moved = tools.statistics.unwhiten(start + best)
        # Rows that did not move are the start's exactly, without the rounding of the coordinates.
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
