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

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import DTYPES, Precision, in_precision, resolve_precision
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.inverters.base import Space
from stylegan_latents.invert.record.inversion import JSON
from stylegan_latents.invert.search.loss import LPIPS, Comparison
from stylegan_latents.invert.search.steps import check_search, rows_finer_than, schedule, search_side, size_to_draw


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


class Follower:
    """Searches the code of one frame after the other.

    Args:
        G: the generator; it is left as it is.
        space: ``w+``, or ``w`` for codes of equal rows, which stay equal.
        steps: for each frame.
        learning_rate: in standard deviations of W.
        pixel_weight: of the mean squared error beside LPIPS.
        still_weight: of the mean squared way from where the search begins, in whitened coordinates.
        search_size: the side at which frames are compared, at most the generator's resolution.
        seed: of the samples that W's statistics come from.
        precision: of the convolutions.

    Raises:
        InputError: a setting is out of its range.
    """

    def __init__(
        self,
        G: Generator,
        *,
        space: Space = "w+",
        steps: int = 10,
        learning_rate: float = 0.05,
        pixel_weight: float = 1.0,
        still_weight: float = 0.1,
        search_size: int = 256,
        seed: int = 0,
        precision: Precision = "auto",
    ) -> None:
        check_search("Following", steps, learning_rate, {"pixel": pixel_weight, "still": still_weight})
        self.G, self.space, self.steps, self.learning_rate = G, space, steps, learning_rate
        self.pixel_weight, self.still_weight = pixel_weight, still_weight
        self.search_size = search_side(search_size, G)
        self.seed = seed
        self.precision = resolve_precision(precision, G.device)

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
                self.search_size,
                self.search_size,
                tools.lpips,
                pixel_weight=self.pixel_weight,
                detail_weight=0,
            )
            ws = ws.to(self.G.device)
            start = tools.statistics.whiten(ws[:, :1] if self.space == "w" else ws)
            way = torch.zeros_like(start, requires_grad=True)
            adam = torch.optim.Adam([way], lr=self.learning_rate, betas=(0.9, 0.99))
            best, best_loss = torch.zeros_like(start), math.inf
            for step in range(self.steps + 1):
                code = tools.statistics.unwhiten(start + way).expand(-1, self.G.num_ws, -1)
                losses, _ = compare(as_colour(tools.G.synthesize(code, size=tools.size)))
                loss = losses.sum() + self.still_weight * way.square().mean()
                value = float(loss.detach())
                if not math.isfinite(value):
                    if step:
                        on_divergence(step)
                    break
                if value < best_loss:
                    best_loss, best = value, way.detach().clone()
                if step == self.steps:
                    break
                adam.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                assert way.grad is not None
                way.grad *= tools.moves
                if not step:
                    adam.param_groups[0]["eps"] = max(float(way.grad.square().mean().sqrt()), 1e-12)
                adam.param_groups[0]["lr"] = self.learning_rate * schedule(0.05 + 0.95 * step / self.steps)
                adam.step()
        if not math.isfinite(best_loss):
            raise InputError("The search diverged at its first step; check the film, or use --precision float32.")
        moved = tools.statistics.unwhiten(start + best)
        # What stood still keeps its last bit.
        return torch.where((best != 0).any(dim=2, keepdim=True), moved, ws)

    @cached_property
    def _tools(self) -> "_Tools":
        G, dtype = self.G, DTYPES[self.precision]
        size = size_to_draw(self.search_size, G)
        held = rows_finer_than(size, G) if self.space == "w+" else []
        rows = range(G.num_ws if self.space == "w+" else 1)
        return _Tools(
            in_precision(G, dtype),
            LPIPS.load("alex").to(G.device).in_precision(dtype),
            WStatistics.of(G, seed=self.seed),
            size,
            torch.tensor([row not in held for row in rows], device=G.device)[None, :, None],
        )

    def settings(self) -> dict[str, JSON]:
        """Every setting, for a record."""
        return {
            "space": self.space,
            "steps": self.steps,
            "learning_rate": self.learning_rate,
            "pixel_weight": self.pixel_weight,
            "still_weight": self.still_weight,
            "search_size": self.search_size,
            "seed": self.seed,
            "precision": self.precision,
        }
