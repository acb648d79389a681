"""Noise optimisation: a code first, then noise maps that bring hair and skin nearer to the photo's.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, appendix D. Without regularisation
noise maps would paint the photo. So correlation of neighbours, at any scale, is penalised, and after each step
every map is normalised to mean 0 and standard deviation 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import in_precision
from stylegan_latents.invert.inverters.base import (
    STOPPED,
    Inverter,
    OnStep,
    Progress,
    RefiningInverter,
    SearchSettings,
)
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.options import InverterOptions
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.run_settings import cameras_of
from stylegan_latents.invert.record.tuned_weights import camera_matrices_of
from stylegan_latents.invert.search.loss import IdentityLoss, check_images, comparison_for
from stylegan_latents.invert.search.steps import BestSoFar, Optimization, OptimizerSettings, schedule

_SMALLEST = 8  # pixels, the side of the coarsest scale at which neighbours are compared


@dataclass(frozen=True, kw_only=True)
class NoiseSettings(OptimizerSettings):
    """Settings of noise optimisation: those of ``OptimizerSettings``, and more.

    Attributes:
        learning_rate: in standard deviations of the noise.
        regularizer_weight: of ``correlation``.
        detail_weight, centre_weight: as in ``SearchSettings``, with detail at full resolution.

    Raises:
        InputError: a value is out of its range.
    """

    name: ClassVar[str] = "Noise optimisation"

    steps: int = 80
    learning_rate: float = 0.05
    regularizer_weight: float = 1e-2
    detail_weight: float = 1.0
    centre_weight: float = 0.2


class NoiseOptimization(RefiningInverter):
    """Finds codes with another inverter, then noise maps for each of them.

    The identity loss is for the pivot alone: noise is too fine to change identity.

    Args:
        G: a generator with noise inputs, which is not changed.
        pivot: the inverter that finds the codes; None for ``OptimizationInverter``.
        settings: of the search for noise.

    Attributes:
        search: the settings for this generator.

    Raises:
        InputError: a setting does not fit the generator, or the generator has no noise.
    """

    method: ClassVar[str] = "noise"
    step_cost: ClassVar[float] = 1.2

    def __init__(self, G: Generator, pivot: Inverter | None = None, settings: NoiseSettings | None = None) -> None:
        self.G = G
        self.search = (settings or NoiseSettings()).for_generator(G)
        self.steps = self.search.steps
        if not any(float(strength.detach().abs().max()) > 0 for strength in noise_strengths(G)):
            raise InputError(f"The model '{G.name}' draws without noise; take another method.")
        self.pivot = pivot or OptimizationInverter(G, SearchSettings(precision=self.search.precision))

    @classmethod
    def from_options(cls, G: Generator, options: InverterOptions, pivot: Inverter | None) -> Self:
        steps = NoiseSettings.steps if options.steps is None else options.steps
        return cls(G, pivot, NoiseSettings(steps=steps, precision=options.precision))

    def invert(
        self, images: Tensor, *, on_step: OnStep | None = None, keep_partial: bool = False,
        mask: Tensor | None = None, identity_loss: IdentityLoss | None = None, start: Tensor | None = None,
    ) -> Inversion:  # fmt: skip
        check_images(images, self.G.width / self.G.resolution)
        before, total = self.pivot.steps, self.pivot.steps + self.steps

        found = self.find_pivot(
            images, total, on_step, keep_partial=keep_partial, mask=mask, identity_loss=identity_loss, start=start
        )
        cameras = cameras_of(found.settings, len(found)) if self.G.camera is not None else None
        if STOPPED in found.settings:
            return self.record(
                found.ws, stopped_at=found.settings[STOPPED], diverged=found.diverged, cameras=cameras
            )
        self.check_pivot(found)

        def report(drawn: Tensor, loss: float) -> None:
            if on_step is not None:
                on_step(Progress(before + search.steps_done, total, loss, drawn))

        with keep_freed_memory(keep=not self.G.synthesis.saves_memory):
            search = _NoiseSearch(self, images, found, mask)
            stopped = search.run(self.steps, report, keep_partial=keep_partial)
        stopped_at = before + search.steps_done if stopped else None
        diverged = found.diverged | search.lowest.diverged(before)
        return self.record(
            found.ws, stopped_at=stopped_at, diverged=diverged, noise=search.scaled(search.best), cameras=cameras
        )

    def settings(self) -> dict[str, JSON]:
        return self.search.values() | {"pivot_settings": self.pivot_settings}

    def defaults(self) -> dict[str, JSON]:
        return self.search.defaults() | {"pivot_settings": self.pivot.defaults()}


class _NoiseSearch(Optimization):
    """The state of the search for noise maps."""

    def __init__(self, inverter: NoiseOptimization, images: Tensor, found: Inversion, mask: Tensor | None) -> None:
        self.settings = settings = inverter.search
        G = inverter.G
        self.steps = inverter.steps
        self.G = in_precision(G, settings.dtype)
        self.comparison = comparison_for(G, images, settings, G.resolution, mask=mask)
        with torch.no_grad():
            self.styles = self.G.styles(found.for_generator(G))
        self.camera = camera_matrices_of(G, found)
        self.strengths = [one.detach().float() for one in noise_strengths(G)]
        count = len(images)
        self.maps = [
            _normalised(map.detach().float().repeat(count, 1, 1, 1)).requires_grad_() for map in G.noise_constants()
        ]
        self.best = [map.detach().clone() for map in self.maps]
        self.lowest = BestSoFar(count, G.device)
        self.adam = torch.optim.Adam(self.maps, lr=settings.learning_rate, betas=(0.9, 0.99))

    def scaled(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Normalised maps as the network takes them."""
        return [strength * map for strength, map in zip(self.strengths, maps, strict=True)]

    def step(self, step: int) -> tuple[Tensor, float]:
        settings = self.settings
        self.adam.param_groups[0]["lr"] = settings.learning_rate * schedule((step + 0.5) / self.steps)
        self.adam.zero_grad()
        drawn = self.G.synthesize_styles(self.styles, self.scaled(self.maps), camera=self.camera)
        losses, small = self.comparison(as_colour(drawn))
        losses = losses + settings.regularizer_weight * correlation(self.maps)
        better = self.lowest.update(losses, step)
        finite = torch.isfinite(losses.detach())
        if not bool(finite.any()):
            return small, math.nan
        for best, map in zip(self.best, self.maps, strict=True):
            best[better] = map.detach()[better]
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        with torch.no_grad():
            for map in self.maps:
                map.copy_(_normalised(map))
        return small, float(losses.detach()[finite].mean())


def noise_strengths(G: Generator) -> list[Tensor]:
    """The strength of each of ``Generator.noise_constants``."""
    found: list[Tensor] = G.synthesis.noise_strengths()
    return found


def correlation(maps: Sequence[Tensor]) -> Tensor:
    """The correlation of neighbours in noise maps, ``[N]``: about 1 for white noise, whatever the maps' sizes.

    The mean, over maps, their scales and both axes, of the squared correlation in multiples of its expectation for
    independent values, one over the number of pixels.

    Args:
        maps: ``[N, 1, H, W]`` each, of mean 0 and deviation 1; every map is halved down to 8 pixels.
    """
    parts = []
    for map in maps:
        while True:
            pixels = map.shape[2] * map.shape[3]
            axes = [axis for axis in (2, 3) if map.shape[axis] > 1]  # a row of numbers has neighbours along one
            parts += [pixels * (map * map.roll(1, axis)).mean(dim=(1, 2, 3)).square() for axis in axes]
            if min(map.shape[2:]) <= _SMALLEST or map.shape[2] % 2 or map.shape[3] % 2:
                break
            # The mean of four independent values has half the deviation.
            map = 2 * F.avg_pool2d(map, 2)
    return torch.stack(parts).mean(dim=0)


def _normalised(map: Tensor) -> Tensor:
    """Mean 0 and deviation 1 for each image; a constant map becomes zero."""
    centred = map - map.mean(dim=(1, 2, 3), keepdim=True)
    return centred / centred.std(dim=(1, 2, 3), keepdim=True, correction=0).clamp_min(1e-8)
