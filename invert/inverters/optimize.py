"""Finds the code of an image by optimisation: every image, every generator, no training.

The field's recipe is Adam on a perceptual and a pixel loss from the mean code (Abdal et al., "Image2StyleGAN",
2019; Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, appendix D). Here the search
moves in coordinates in which W is a standard normal. The steps then suit every axis, and the code stays among
those that the generator was trained on, where edits work; the loss falls as fast.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import ClassVar, Self

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import in_precision
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.inverters.base import Inverter, Progress, SearchSettings
from stylegan_latents.invert.inverters.options import InverterOptions, Space
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.search.loss import LPIPS, Comparison, IdentityLoss, check_images, loss_weights
from stylegan_latents.invert.search.steps import BestSoFar, rows_finer_than, schedule, size_to_draw


class OptimizationInverter(Inverter):
    """Searches W or W+ for the codes of images.

    Args:
        G: the generator; it is left as it is.
        settings: of the search; where they leave it to the inverter, 100 steps in W and 220 in W+, with Adam's
            usual momentum of 0.9.

    Attributes:
        search: the settings with everything filled in.
        w_steps: how many of the steps are in W.

    Raises:
        InputError: a setting does not fit the generator.
    """

    method: ClassVar[str] = "optimize"
    own_steps: ClassVar[Mapping[Space, int]] = {"w": 100, "w+": 220}
    own_momentum: ClassVar[float] = 0.9

    def __init__(self, G: Generator, settings: SearchSettings | None = None) -> None:
        search = (settings or SearchSettings()).for_generator(G)
        self.G = G
        self.steps = self.own_steps[search.space] if search.steps is None else search.steps
        self.momentum = self.own_momentum if search.momentum is None else search.momentum
        self.search = dataclasses.replace(search, steps=self.steps, momentum=self.momentum)
        self.w_steps = self.steps if search.space == "w" else round(search.w_fraction * self.steps)

    @classmethod
    def from_options(cls, G: Generator, options: InverterOptions, pivot: Inverter | None = None) -> Self:  # noqa: ARG003
        return cls(G, search_settings(options))

    @property
    def uses_identity(self) -> bool:
        return self.search.identity_weight > 0

    def invert(
        self,
        images: Tensor,
        *,
        on_step: Callable[[Progress], None] | None = None,
        keep_partial: bool = False,
        mask: Tensor | None = None,
        identity_loss: IdentityLoss | None = None,
        start: Tensor | None = None,
    ) -> Inversion:
        check_images(images, self.G.width / self.G.resolution)
        if start is None:
            start = self.own_start(images, mask)
        if start is not None and start.shape != (len(images), self.G.num_ws, self.G.w_dim):
            shape = [len(images), self.G.num_ws, self.G.w_dim]
            raise InputError(f"The start needs the shape {shape}, got {list(start.shape)}.")
        stopped_at = None
        with keep_freed_memory():
            search = _Search(self, images, mask, identity_loss, start)
            try:
                for step in range(self.steps):
                    seen, loss = search.step(step)
                    if not math.isfinite(loss):
                        break
                    if on_step is not None:
                        on_step(Progress(step + 1, self.steps, loss, seen))
            except KeyboardInterrupt:
                if not keep_partial or not search.steps_done:
                    raise
                stopped_at = search.steps_done
        if not search.steps_done:
            raise InputError("The search diverged at its first step; check the image, or use --precision float32.")
        lost = torch.isinf(search.seen.loss).nonzero().flatten().tolist()
        if lost:
            raise InputError(f"No code was found for image {lost[0]} of the {len(images)}: its loss is not finite.")
        diverged = search.seen.diverged()
        return self.record(search.best_ws(), stopped_at=stopped_at, diverged=diverged)

    def own_start(self, images: Tensor, mask: Tensor | None) -> Tensor | None:  # noqa: ARG002
        """The codes that the search starts from where none are given; None for W's mean."""
        return None

    def settings(self) -> dict[str, JSON]:
        kept = self.search.values()
        del kept["w_fraction"]
        return kept | {"w_steps": self.w_steps}


def search_settings(options: InverterOptions) -> SearchSettings:
    """The settings of a search that a user's options mean."""
    weight = options.identity_weight
    return SearchSettings(
        space=options.space,
        steps=options.steps,
        seed=options.seed,
        precision=options.precision,
        identity_weight=SearchSettings.identity_weight if weight is None else weight,
    )


class _Search:
    """The state of one call of ``OptimizationInverter.invert``."""

    def __init__(
        self,
        inverter: OptimizationInverter,
        images: Tensor,
        mask: Tensor | None,
        identity_loss: IdentityLoss | None,
        start: Tensor | None,
    ) -> None:
        self.settings = settings = inverter.search
        self.momentum = inverter.momentum
        self.steps = inverter.steps
        dtype = settings.dtype
        G = inverter.G
        self.G = in_precision(G, dtype)
        self.statistics = WStatistics.of(G, seed=settings.seed)
        finer = 2 if settings.detail_weight or settings.centre_weight else 1
        self.comparison = Comparison(
            images,
            settings.search_size,
            min(G.resolution, settings.search_size * finer),
            LPIPS.load("alex").to(G.device).in_precision(dtype),
            identity_loss=identity_loss,
            mask=mask,
            **loss_weights(settings),
        )
        self.drawn_size = size_to_draw(self.comparison.fine_size, G)
        # One row while the search is in W, num_ws rows in W+.
        coordinates = torch.zeros(len(images), 1, G.w_dim, device=G.device)
        self.w_steps = inverter.w_steps
        if start is not None:
            coordinates = self.statistics.whiten(start.detach().to(G.device, torch.float32))
            if settings.space == "w":
                coordinates = coordinates.mean(dim=1, keepdim=True)
            else:
                self.w_steps = 0
        self.start = None if start is None else coordinates
        self.coordinates = coordinates.clone().requires_grad_()
        self.adam = self._new_adam()
        self.held_rows = rows_finer_than(self.drawn_size, G)
        self.seen = BestSoFar(len(images), G.device)
        self.best = torch.zeros(len(images), G.num_ws, G.w_dim, device=G.device)
        self.steps_done = 0

    def _new_adam(self) -> torch.optim.Adam:
        betas = (self.momentum, 0.99)
        return torch.optim.Adam([self.coordinates], lr=self.settings.learning_rate, betas=betas)

    def step(self, step: int) -> tuple[Tensor, float]:
        """One step of Adam; what the network drew before it, and the mean loss of that."""
        settings = self.settings
        if step == self.w_steps and settings.space == "w+" and self.coordinates.shape[1] == 1:
            self.coordinates = self.coordinates.detach().repeat(1, self.G.num_ws, 1).requires_grad_()
            self.adam = self._new_adam()
        factor = schedule((step + 0.5) / self.steps)
        self.adam.param_groups[0]["lr"] = settings.learning_rate * factor
        ws = self.statistics.unwhiten(self.coordinates).expand(-1, self.G.num_ws, -1)
        # Identity is settled early; with a constant weight the search ends farther from the image in everything
        # else. Evaluated at every second step and counted twice, it costs half.
        drawn = as_colour(self.G.synthesize(ws, size=self.drawn_size))
        losses, seen = self.comparison(drawn, 2 * factor, update_identity=step % 2 == 0)
        if settings.prior_weight:
            losses = losses + settings.prior_weight * self.coordinates.square().mean(dim=(1, 2))
        if settings.start_weight and self.start is not None:
            losses = losses + settings.start_weight * (self.coordinates - self.start).square().mean(dim=(1, 2))
        better = self.seen.see(losses, step)
        self.best = torch.where(better[:, None, None], self.coordinates.detach(), self.best)
        self.adam.zero_grad()
        losses.sum().backward()  # type: ignore[no-untyped-call]
        if self.coordinates.shape[1] > 1 and self.coordinates.grad is not None:
            self.coordinates.grad[:, self.held_rows] = 0
        self.adam.step()
        # An image whose search diverged keeps its best code and does not disturb the others.
        finite = losses.detach()[torch.isfinite(losses)]
        self.steps_done = step + 1 if len(finite) else self.steps_done
        return seen, float(finite.mean()) if len(finite) else math.nan

    def best_ws(self) -> Tensor:
        """The codes of the lowest loss seen, ``[N, num_ws, w_dim]``."""
        ws = self.statistics.unwhiten(self.best)
        # A matrix product of equal rows may differ in the last bit, and the rows of a code of W have to be equal.
        in_w = (self.best == self.best[:, :1]).all(dim=2, keepdim=True).all(dim=1, keepdim=True)
        return torch.where(in_w, ws[:, :1], ws)
