"""Inversion by optimisation: for every image and every generator, without training.

The usual recipe is Adam on a perceptual and a pixel loss from the mean code (Abdal et al., "Image2StyleGAN", 2019;
Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, appendix D). Here the search moves in
whitened W, where codes stay in the distribution that the generator was trained on and edits work, and its steps go
along the directions that change the picture.
"""

import dataclasses
import math
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import in_precision
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.inverters.base import Inverter, OnStep, Progress, SearchSettings
from stylegan_latents.invert.inverters.options import InverterOptions, Space
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.search.camera import CameraSearch
from stylegan_latents.invert.search.loss import IdentityLoss, check_images, comparison_for
from stylegan_latents.invert.search.preconditioner import PreconditionedAdam, Preconditioner
from stylegan_latents.invert.search.steps import BestSoFar, Optimization, rows_finer_than, schedule, size_to_draw
from stylegan_latents.invert.search.time_left import Phase

_LOOK_AROUND = (0.05, 0.1, 0.2, 0.3)
"""Parts of the steps after which the camera of a three-dimensional model is tried elsewhere, too."""

_SMALL_START, _SMALL_RATE = 0.02, 0.35
"""The least weight of the start, and the share of the learning rate, for images below the compared side."""

_SKETCH_COST = 0.6
"""The duration of a step in sketches, in other steps, for the default model."""


class OptimizationInverter(Inverter):
    """Searches W or W+ for the codes of images.

    Args:
        G: the generator, which is not changed.
        settings: of the search; by default 70 steps in W and 100 in W+.

    Attributes:
        search: the settings for this generator.
        w_steps: the number of steps in W.
        sketch_steps: the number of steps in sketches.

    Raises:
        InputError: a setting does not fit the generator.
    """

    method: ClassVar[str] = "optimize"
    own_steps: ClassVar[Mapping[Space, int]] = {"w": 70, "w+": 100}
    instant: ClassVar[Mapping[str, float]] = {"sketch_fraction": 1.0}
    """The settings of the quality ``instant``, beside the number of steps."""

    def __init__(self, G: Generator, settings: SearchSettings | None = None) -> None:
        chosen = settings or SearchSettings()
        self.G = G
        self.steps = self.own_steps[chosen.space] if chosen.steps is None else chosen.steps
        self.search = search = dataclasses.replace(chosen, steps=self.steps).for_generator(G)
        self.w_steps = self.steps if search.space == "w" else round(search.w_fraction * self.steps)
        self.sketch_steps = 0 if G.camera is not None else round(search.sketch_fraction * self.steps)

    @classmethod
    def from_options(cls, G: Generator, options: InverterOptions, pivot: Inverter | None = None) -> Self:  # noqa: ARG003
        return cls(G, search_settings(options, cls.instant))

    def phases(self, count: int) -> list[Phase]:  # noqa: ARG002
        parts = [(self.sketch_steps, _SKETCH_COST), (self.steps - self.sketch_steps, 1.0)]
        return [part for part in parts if part[0]]

    @property
    def uses_identity(self) -> bool:
        return self.search.identity_weight > 0

    def invert(
        self, images: Tensor, *, on_step: OnStep | None = None, keep_partial: bool = False,
        mask: Tensor | None = None, identity_loss: IdentityLoss | None = None, start: Tensor | None = None,
    ) -> Inversion:  # fmt: skip
        check_images(images, self.G.width / self.G.resolution)
        if start is None:
            start = self.own_start(images, mask)
        if start is not None and start.shape != (len(images), self.G.num_ws, self.G.w_dim):
            shape = [len(images), self.G.num_ws, self.G.w_dim]
            raise InputError(f"The start needs the shape {shape}, got {list(start.shape)}.")

        def report(drawn: Tensor, loss: float) -> None:
            if on_step is not None:
                on_step(Progress(search.steps_done, self.steps, loss, drawn))

        with keep_freed_memory():
            search = _Search(self, images, mask, identity_loss, start)
            stopped = search.run(self.steps, report, keep_partial=keep_partial)
        if stopped and not search.steps_done:
            raise KeyboardInterrupt  # there is no code to keep
        lost = torch.isinf(search.lowest.loss).nonzero().flatten().tolist()
        if lost:
            raise InputError(f"No code was found for image {lost[0]} of the {len(images)}: its loss is not finite.")
        stopped_at = search.steps_done if stopped else None
        cameras = None if search.camera is None else search.camera.best.tolist()
        return self.record(
            search.best_ws(), stopped_at=stopped_at, diverged=search.lowest.diverged(), cameras=cameras
        )

    def own_start(self, images: Tensor, mask: Tensor | None) -> Tensor | None:  # noqa: ARG002
        """The codes that the search starts from by default; None for W's mean."""
        return None

    def settings(self) -> dict[str, JSON]:
        kept = self.search.values()
        del kept["w_fraction"]
        del kept["sketch_fraction" if self.G.camera is not None else "camera_rate"]
        return kept | {"w_steps": self.w_steps}

    def defaults(self) -> dict[str, JSON]:
        return self.search.defaults()


def search_settings(options: InverterOptions, instant: Mapping[str, Any] | None = None) -> SearchSettings:
    """The settings of a search with a user's options, and for the quality ``instant`` these."""
    changed = dict(instant or {}) if options.quality == "instant" else {}
    if options.identity_weight is not None:
        changed["identity_weight"] = options.identity_weight
    return SearchSettings(
        space=options.space, steps=options.steps, seed=options.seed, precision=options.precision, **changed
    )


def _for_side(settings: SearchSettings, side: int) -> SearchSettings:
    """The settings of a search for images of ``side`` pixels: what small ones do not show stays near the start."""
    if side >= settings.search_size:
        return settings
    return dataclasses.replace(
        settings,
        start_weight=max(settings.start_weight, _SMALL_START),
        learning_rate=_SMALL_RATE * (settings.learning_rate or 0),
    )


class _Search(Optimization):
    """The state of one call of ``OptimizationInverter.invert``."""

    def __init__(
        self,
        inverter: OptimizationInverter,
        images: Tensor,
        mask: Tensor | None,
        identity_loss: IdentityLoss | None,
        start: Tensor | None,
    ) -> None:
        self.settings = settings = _for_side(inverter.search, images.shape[-2])
        assert settings.learning_rate is not None  # after ``for_generator``
        assert settings.momentum is not None
        assert settings.prior_weight is not None
        self.rate, self.prior_weight = settings.learning_rate, settings.prior_weight
        self.momentum = settings.momentum
        self.steps = inverter.steps
        G = inverter.G
        self.G = in_precision(G, settings.dtype)
        self.statistics = WStatistics.of(G, seed=settings.seed)
        finer = 2 if settings.detail_weight or settings.centre_weight else 1
        fine_size = min(G.resolution, settings.search_size * finer)
        self.drawn_size = size_to_draw(min(fine_size, images.shape[-2]), G)
        self.sketch_steps = inverter.sketch_steps
        self.compare = partial(comparison_for, G, images, settings, identity_loss=identity_loss, mask=mask)
        self.fine_size, self.sketched_size = fine_size, size_to_draw(settings.search_size, G)
        self.comparison = self.compare(settings.search_size if self.sketch_steps else fine_size)
        # One row while the search is in W, num_ws rows in W+.
        coordinates = torch.zeros(len(images), 1, G.w_dim, device=G.device)
        self.w_steps = inverter.w_steps
        if start is not None:
            coordinates = self.statistics.whiten(start.detach().to(G.device, torch.float32))
            if settings.space == "w":
                coordinates = coordinates.mean(dim=1, keepdim=True)
            else:
                self.w_steps = 0
        self.preconditioner = Preconditioner.of(G, self.statistics)
        self.start = None if start is None else coordinates
        self.coordinates = coordinates.clone().requires_grad_()
        self.adam = self._new_adam()
        self.held_rows = rows_finer_than(fine_size, G)
        self.lowest = BestSoFar(len(images), G.device)
        self.best = torch.zeros(len(images), G.num_ws, G.w_dim, device=G.device)
        self.look_around = {round(part * self.steps) for part in _LOOK_AROUND}
        self.camera = None
        if G.camera is not None:
            self.camera = CameraSearch(
                self.G,
                self._ws().detach(),
                lambda drawn: self.comparison(as_colour(drawn), 0.0, update_identity=False)[0],
                size=self.drawn_size,
                rate=settings.camera_rate,
            )

    def _ws(self) -> Tensor:
        return self.statistics.unwhiten(self.coordinates).expand(-1, self.G.num_ws, -1)

    def _new_adam(self) -> PreconditionedAdam:
        own = self.preconditioner if self.coordinates.shape[1] > 1 else self.preconditioner.in_w()
        # The gradients fall quickly: second moments of long ago would make steps short.
        return PreconditionedAdam(self.coordinates, own, lr=self.rate, betas=(self.momentum, 0.9))

    def step(self, step: int) -> tuple[Tensor, float]:
        settings = self.settings
        if step == self.sketch_steps > 0:
            self.comparison = self.compare(self.fine_size)
            self.lowest.restart()
        if step == self.w_steps and settings.space == "w+" and self.coordinates.shape[1] == 1:
            self.coordinates = self.coordinates.detach().repeat(1, self.G.num_ws, 1).requires_grad_()
            self.adam = self._new_adam()
        factor = schedule((step + 0.5) / self.steps)
        self.adam.param_groups[0]["lr"] = self.rate * factor
        if self.camera is not None and step in self.look_around:
            self.camera.look_around(self._ws().detach())
        camera = None if self.camera is None else self.camera.matrices()
        if step < self.sketch_steps:
            drawn = self.G.sketch(self._ws(), size=self.sketched_size)
        else:
            drawn = self.G.synthesize(self._ws(), size=self.drawn_size, camera=camera)
        # The identity loss follows the schedule, as a constant weight makes all other terms end higher. Evaluated
        # at every second step with twice the weight, it costs half.
        losses, small = self.comparison(as_colour(drawn), 2 * factor, update_identity=step % 2 == 0)
        shown, pull = losses, self._pull()
        losses = (shown + pull).detach()
        better = self.lowest.update(losses, step)
        self.best = torch.where(better[:, None, None], self.coordinates.detach(), self.best)
        if self.camera is not None:
            self.camera.keep(better)
        self.adam.zero_grad()
        shown.sum().backward()  # type: ignore[no-untyped-call]
        self._add_gradient(pull)
        self.adam.step()
        if self.camera is not None:
            self.camera.step(factor)
        # An image whose search diverged keeps its best code and does not affect the others.
        finite = losses[torch.isfinite(losses)]
        return small, float(finite.mean()) if len(finite) else math.nan

    def _pull(self) -> Tensor:
        """What distances from W's mean and from the start add to the losses, ``[N]``."""
        pull = self.prior_weight * self.coordinates.square().mean(dim=(1, 2))
        if self.start is not None:
            pull = pull + self.settings.start_weight * (self.coordinates - self.start).square().mean(dim=(1, 2))
        return pull

    def _add_gradient(self, pull: Tensor) -> None:
        """Add the gradient of ``_pull`` to the picture's, but in rows that the picture does not show.

        These keep their code: Adam's steps are as long for a weak gradient that is alone as for a strong one.
        """
        gradient = self.coordinates.grad
        if gradient is None:
            return
        (towards,) = torch.autograd.grad(pull.sum(), self.coordinates)
        gradient += torch.where((gradient != 0).any(dim=2, keepdim=True), towards, 0.0)
        if gradient.shape[1] > 1:
            gradient[:, self.held_rows] = 0

    def best_ws(self) -> Tensor:
        """The codes of the lowest loss, ``[N, num_ws, w_dim]``."""
        ws = self.statistics.unwhiten(self.best)
        # Matrix products of equal rows may differ in the last bit; the rows of a code of W have to be equal.
        in_w = (self.best == self.best[:, :1]).all(dim=2, keepdim=True).all(dim=1, keepdim=True)
        return torch.where(in_w, ws[:, :1], ws)
