"""Noise optimisation: a code first, then the maps of noise that bring hair and skin nearer to the photo's.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, appendix D. Left free, noise maps
would paint the photo. The regulariser holds them to what noise is: neighbours don't correlate, at any scale; and
after each step every map has mean 0 and deviation 1 again.
"""

import math
from collections.abc import Callable, Sequence
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
from stylegan_latents.invert.inverters.base import STOPPED, Inverter, Progress, RefiningInverter, SearchSettings
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.options import InverterOptions
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.search.loss import LPIPS, Comparison, IdentityLoss, check_images, loss_weights
from stylegan_latents.invert.search.steps import BestSoFar, OptimizerSettings, schedule

_SMALLEST = 8  # the coarsest scale at which neighbours are compared


@dataclass(frozen=True, kw_only=True)
class NoiseSettings(OptimizerSettings):
    """Settings of noise optimisation: those of ``OptimizerSettings``, and more.

    Attributes:
        learning_rate: in standard deviations of the noise.
        regularizer_weight: weight of ``correlation``.
        detail_weight: weight of the squared error of what is finer, at the generator's full resolution.
        centre_weight: weight of LPIPS of the picture's centre, half as wide, at twice ``search_size``.

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
    """Finds codes with another inverter, then noise maps for each of them; each image gets maps of its own.

    The identity loss is for the pivot alone: what noise can draw is too fine to tell people apart.

    Args:
        G: a generator with noise inputs; it is left as it is.
        pivot: what finds the codes; None for ``OptimizationInverter``.
        settings: of the search for noise.

    Attributes:
        search: the settings with everything filled in.

    Raises:
        InputError: a setting does not fit the generator, or the generator has no noise.
    """

    method: ClassVar[str] = "noise"

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
        before, total = self.pivot.steps, self.pivot.steps + self.steps

        found = self.find_pivot(
            images, total, on_step, keep_partial=keep_partial, mask=mask, identity_loss=identity_loss, start=start
        )
        if STOPPED in found.settings:
            return self.record(found.ws, stopped_at=found.settings[STOPPED], diverged=found.diverged)
        self.check_pivot(found)
        stopped_at: int | None = None
        with keep_freed_memory():
            search = _NoiseSearch(self, images, found.for_generator(self.G), mask)
            try:
                for step in range(self.steps):
                    seen, loss = search.step(step)
                    if not math.isfinite(loss):
                        break
                    if on_step is not None:
                        on_step(Progress(before + step + 1, total, loss, seen))
            except KeyboardInterrupt:
                if not keep_partial:
                    raise
                stopped_at = before + search.steps_done
        if not search.steps_done and stopped_at is None:
            raise InputError("The search diverged at its first step; check the image, or use --precision float32.")
        diverged = found.diverged | search.seen.diverged(before)
        return self.record(found.ws, stopped_at=stopped_at, diverged=diverged, noise=search.best_maps())

    def settings(self) -> dict[str, JSON]:
        return self.search.values() | {"pivot_settings": self.pivot_settings}


class _NoiseSearch:
    """The state of the search for noise maps."""

    def __init__(self, inverter: NoiseOptimization, images: Tensor, ws: Tensor, mask: Tensor | None) -> None:
        self.settings = settings = inverter.search
        G, dtype = inverter.G, settings.dtype
        self.steps = inverter.steps
        self.G = in_precision(G, dtype)
        self.comparison = Comparison(
            images,
            settings.search_size,
            G.resolution,
            LPIPS.load("alex").to(G.device).in_precision(dtype),
            identity_loss=None,
            mask=mask,
            **loss_weights(settings),
        )
        with torch.no_grad():
            self.styles = self.G.styles(ws)
        self.strengths = [one.detach().float() for one in noise_strengths(G)]
        count = len(images)
        self.maps = [
            _normalised(map.detach().float().repeat(count, 1, 1, 1)).requires_grad_() for map in G.noise_constants()
        ]
        self.best = [map.detach().clone() for map in self.maps]
        self.seen = BestSoFar(count, G.device)
        self.adam = torch.optim.Adam(self.maps, lr=settings.learning_rate, betas=(0.9, 0.99))
        self.steps_done = 0

    def _scaled(self, maps: Sequence[Tensor]) -> list[Tensor]:
        return [strength * map for strength, map in zip(self.strengths, maps, strict=True)]

    def step(self, step: int) -> tuple[Tensor, float]:
        """One step of Adam; what the network drew before it, and the mean loss of that."""
        settings = self.settings
        self.adam.param_groups[0]["lr"] = settings.learning_rate * schedule((step + 0.5) / self.steps)
        self.adam.zero_grad()
        drawn = self.G.synthesize_styles(self.styles, self._scaled(self.maps))
        losses, seen = self.comparison(as_colour(drawn))
        losses = losses + settings.regularizer_weight * correlation(self.maps)
        better = self.seen.see(losses, step)
        finite = torch.isfinite(losses.detach())
        if not bool(finite.any()):
            return seen, math.nan
        for best, map in zip(self.best, self.maps, strict=True):
            best[better] = map.detach()[better]
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        with torch.no_grad():
            for map in self.maps:
                map.copy_(_normalised(map))
        self.steps_done = step + 1
        return seen, float(losses.detach()[finite].mean())

    def best_maps(self) -> list[Tensor]:
        """The maps of the lowest loss seen, as the network takes them."""
        return self._scaled(self.best)


def noise_strengths(G: Generator) -> list[Tensor]:
    """How strong the noise of each of ``Generator.noise_constants`` is."""
    found: list[Tensor] = G.synthesis.noise_strengths()
    return found


def correlation(maps: Sequence[Tensor]) -> Tensor:
    """How much neighbours in noise maps agree, ``[N]``: about 1 for white noise, whatever the maps' sizes.

    The mean, over maps, their scales and both axes, of the squared correlation in multiples of what independent
    values have by chance, one in the number of pixels.

    Args:
        maps: ``[N, 1, H, W]`` each, of mean 0 and deviation 1; every map is halved, with its deviation kept, down
            to 8 pixels.
    """
    parts = []
    for map in maps:
        while True:
            pixels = map.shape[2] * map.shape[3]
            parts += [pixels * (map * map.roll(1, axis)).mean(dim=(1, 2, 3)).square() for axis in (2, 3)]
            if min(map.shape[2:]) <= _SMALLEST or map.shape[2] % 2 or map.shape[3] % 2:
                break
            # Of independent values the mean of four has half the deviation.
            map = 2 * F.avg_pool2d(map, 2)
    return torch.stack(parts).mean(dim=0)


def _normalised(map: Tensor) -> Tensor:
    """Mean 0 and deviation 1 for each image's map; a constant map becomes zero."""
    centred = map - map.mean(dim=(1, 2, 3), keepdim=True)
    return centred / centred.std(dim=(1, 2, 3), keepdim=True, correction=0).clamp_min(1e-8)
