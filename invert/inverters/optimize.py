"""Finds the code of an image by optimisation: every image, every generator, no training.

The field's recipe is Adam on a perceptual and a pixel loss from the mean code (Abdal et al., "Image2StyleGAN",
2019; Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, appendix D). Here the search
moves in coordinates in which W is a standard normal. The steps then suit every axis, and the code stays among
those that the generator was trained on, where edits work; the loss falls as fast.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import DTYPES, Precision, in_precision, resolve_precision
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.inverters.base import Progress, Space
from stylegan_latents.invert.record.divergence import told_of
from stylegan_latents.invert.record.inversion import JSON, Inversion
from stylegan_latents.invert.search.best_so_far import BestSoFar
from stylegan_latents.invert.search.loss import LPIPS, Comparison, Resemblance, check_images
from stylegan_latents.invert.search.steps import check_search, rows_finer_than, schedule, search_side, size_to_draw

_STEPS = {"w": 100, "w+": 220}

_SETTINGS = (
    "space", "steps", "w_steps", "learning_rate", "momentum", "pixel_weight", "detail_weight", "grid_weight",
    "centre_weight", "identity_weight", "prior_weight", "start_weight", "search_size", "seed", "precision",
)  # fmt: skip


class OptimizationInverter:
    """Searches W or W+ for the codes of images.

    Args:
        G: the generator; it is left as it is.
        space: ``w`` one code for all layers; ``w+`` a code for each layer, from W's best, which the layers keep
            that draw finer than what is compared.
        steps: of Adam; None for 100 in W, 220 in W+.
        learning_rate: in standard deviations of W.
        w_fraction: the part of a W+ search's steps that is spent in W.
        pixel_weight: weight of the mean squared error beside LPIPS.
        detail_weight: weight of the squared error of what is finer than ``search_size``, at twice that side.
            Without it the search finds textures whose average is right and which look like nothing: dots on
            lips, a grid on skin.
        grid_weight: weight of the squared error of what repeats with the pixel grid, at twice ``search_size``: the
            network's own blocks, which a search would strengthen, as they look like texture to LPIPS.
        centre_weight: weight of LPIPS of the centre, half the side, at twice ``search_size``: faces are there, and
            come out sharper and more like the person.
        identity_weight: weight of the distance that a ``resemblance`` tells, where one is handed to ``invert``;
            it fades as the learning rate does.
        prior_weight: weight of the mean squared whitened coordinate, which draws codes to W's mean.
        start_weight: weight of the mean squared distance from the ``start`` of ``invert``, where there is one,
            in standard deviations of W: it draws codes to an encoder's. Zero, as at 0.01 and 0.05 pictures
            came less near (LPIPS 6 and 23 % higher on london_009) and took edits no better.
        search_size: the side at which LPIPS compares images, at most the generator's resolution.
        seed: of the samples that W's statistics come from; the search itself draws nothing.
        precision: of the search's convolutions; ``auto`` is bfloat16 where the processor computes in it.

    Raises:
        InputError: a setting is out of its range.
    """

    method = "optimize"
    momentum = 0.9  # Adam's

    def __init__(
        self,
        G: Generator,
        space: Space = "w+",
        *,
        steps: int | None = None,
        learning_rate: float = 0.22,
        w_fraction: float = 0.2,
        pixel_weight: float = 1.0,
        detail_weight: float = 1.0,
        grid_weight: float = 100.0,
        centre_weight: float = 0.2,
        identity_weight: float = 0.02,
        prior_weight: float = 0.0,
        start_weight: float = 0.0,
        search_size: int = 256,
        seed: int = 0,
        precision: Precision = "auto",
    ) -> None:
        if space not in _STEPS:
            raise InputError(f"The space is w or w+, not {space}.")
        steps = _STEPS[space] if steps is None else steps
        weights = {
            "pixel": pixel_weight,
            "detail": detail_weight,
            "grid": grid_weight,
            "centre": centre_weight,
            "identity": identity_weight,
            "prior": prior_weight,
            "start": start_weight,
        }
        check_search("A search", steps, learning_rate, weights)
        if not 0 <= w_fraction <= 1:
            raise InputError(f"The fraction of the steps in W is from 0 to 1, not {w_fraction}.")
        self.G = G
        self.space = space
        self.steps = steps
        self.learning_rate = learning_rate
        self.w_steps = self.steps if space == "w" else round(w_fraction * self.steps)
        self.pixel_weight = pixel_weight
        self.detail_weight = detail_weight
        self.grid_weight = grid_weight
        self.centre_weight = centre_weight
        self.identity_weight = identity_weight
        self.prior_weight = prior_weight
        self.start_weight = start_weight
        self.search_size = search_side(search_size, G)
        self.seed = seed
        self.precision = resolve_precision(precision, G.device)

    def invert(
        self,
        images: Tensor,
        *,
        on_step: Callable[[Progress], None] | None = None,
        keep_partial: bool = False,
        mask: Tensor | None = None,
        resemblance: Resemblance | None = None,
        start: Tensor | None = None,
    ) -> Inversion:
        """Search the codes of images, all at once; they don't influence one another.

        Args:
            images: ``[N, 3, H, W]`` in [-1, 1], square, aligned as the generator's training images were. Images
                smaller than ``search_size`` are compared at their own side.
            on_step: called after each step.
            keep_partial: on Ctrl-C, return the best codes so far in place of raising KeyboardInterrupt.
            mask: ``[1 or N, 1, H, W]``, 1 where images are compared, 0 where the generator fills in.
            resemblance: tells who the images show, as ``FaceIdentity`` does of faces;
                None for nothing of that kind.
            start: ``[N, num_ws, w_dim]``, codes to begin with in place of W's mean, an encoder's for example; a
                search in W+ then has no part in W, and one in W begins with the mean of the rows.

        Returns:
            The record; ``settings`` tells under ``stopped_at_step`` when the search ended early, and the record's
            ``diverged`` which images diverged: their best codes before are kept, and the others go on.

        Raises:
            InputError: the images, the mask or the start have another shape, or the loss is not finite from the
                first step.
        """
        check_images(images)
        if start is not None and start.shape != (len(images), self.G.num_ws, self.G.w_dim):
            shape = [len(images), self.G.num_ws, self.G.w_dim]
            raise InputError(f"The start needs the shape {shape}, got {list(start.shape)}.")
        with keep_freed_memory():
            search = _Search(self, images, mask, resemblance, start)
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
                search.ended = {"stopped_at_step": search.steps_done}
        if not search.steps_done:
            raise InputError("The search diverged at its first step; check the image, or use --precision float32.")
        lost = torch.isinf(search.seen.loss).nonzero().flatten().tolist()
        if lost:
            raise InputError(f"No code was found for image {lost[0]} of the {len(images)}: its loss is not finite.")
        return Inversion(
            ws=search.best_ws(),
            model=self.G.name,
            fingerprint=self.G.fingerprint,
            latent_space=self.G.latent_space,
            method=self.method,
            settings=self.settings() | search.ended | told_of(search.seen.diverged(), len(images)),
        )

    def settings(self) -> dict[str, JSON]:
        """Every setting, as records tell it."""
        return {name: getattr(self, name) for name in _SETTINGS}


class _Search:
    """The state of one call of ``OptimizationInverter.invert``."""

    def __init__(
        self,
        inverter: OptimizationInverter,
        images: Tensor,
        mask: Tensor | None,
        resemblance: Resemblance | None,
        start: Tensor | None,
    ) -> None:
        self.inverter = inverter
        dtype = DTYPES[inverter.precision]
        G = inverter.G
        self.G = in_precision(G, dtype)
        self.statistics = WStatistics.of(G, seed=inverter.seed)
        self.comparison = Comparison(
            images,
            inverter.search_size,
            min(
                G.resolution, inverter.search_size * (2 if inverter.detail_weight or inverter.centre_weight else 1)
            ),
            LPIPS.load("alex").to(G.device).in_precision(dtype),
            pixel_weight=inverter.pixel_weight,
            detail_weight=inverter.detail_weight,
            grid_weight=inverter.grid_weight,
            centre_weight=inverter.centre_weight,
            resemblance=resemblance,
            identity_weight=inverter.identity_weight,
            mask=mask,
        )
        self.drawn_size = size_to_draw(self.comparison.fine_size, G)
        # One row while the search is in W, num_ws rows in W+.
        coordinates = torch.zeros(len(images), 1, G.w_dim, device=G.device)
        self.w_steps = inverter.w_steps
        if start is not None:
            coordinates = self.statistics.whiten(start.detach().to(G.device, torch.float32))
            if inverter.space == "w":
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
        self.ended: dict[str, JSON] = {}

    def _new_adam(self) -> torch.optim.Adam:
        betas = (self.inverter.momentum, 0.99)
        return torch.optim.Adam([self.coordinates], lr=self.inverter.learning_rate, betas=betas)

    def step(self, step: int) -> tuple[Tensor, float]:
        """One step of Adam; what the network drew before it, and the mean loss of that."""
        inverter = self.inverter
        if step == self.w_steps and inverter.space == "w+" and self.coordinates.shape[1] == 1:
            self.coordinates = self.coordinates.detach().repeat(1, self.G.num_ws, 1).requires_grad_()
            self.adam = self._new_adam()
        pace = schedule((step + 0.5) / inverter.steps)
        self.adam.param_groups[0]["lr"] = inverter.learning_rate * pace
        ws = self.statistics.unwhiten(self.coordinates).expand(-1, self.G.num_ws, -1)
        # Who is seen is settled early; held to it until the end, a search comes less near in all the rest. Asked at
        # every second step and counted twice, it costs half.
        drawn = as_colour(self.G.synthesize(ws, size=self.drawn_size))
        losses, seen = self.comparison(drawn, 2 * pace, ask_who=step % 2 == 0)
        if inverter.prior_weight:
            losses = losses + inverter.prior_weight * self.coordinates.square().mean(dim=(1, 2))
        if inverter.start_weight and self.start is not None:
            losses = losses + inverter.start_weight * (self.coordinates - self.start).square().mean(dim=(1, 2))
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
