"""Noise optimisation: a code first, then the maps of noise that bring hair and skin nearer to the photo's.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, appendix D. Left free, noise maps
would paint the photo. The regulariser holds them to what noise is: neighbours don't correlate, at any scale; and
after each step every map has mean 0 and deviation 1 again.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import DTYPES, Precision, in_precision, resolve_precision
from stylegan_latents.invert.inverters.base import Pivot, Progress
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.record.divergence import told_of
from stylegan_latents.invert.record.inversion import JSON, Inversion
from stylegan_latents.invert.search.best_so_far import BestSoFar
from stylegan_latents.invert.search.loss import LPIPS, Comparison, Resemblance, check_images
from stylegan_latents.invert.search.steps import (
    check_search,
    check_untuned,
    inverter_settings,
    schedule,
    search_side,
)

_SMALLEST = 8  # the coarsest scale at which neighbours are compared


class NoiseOptimization:
    """Finds codes with another inverter, then noise maps for each of them.

    Args:
        G: a generator with noise inputs; it is left as it is.
        pivot: what finds the codes; None for ``OptimizationInverter``.
        steps: of Adam on the maps.
        learning_rate: in standard deviations of the noise.
        regularizer_weight: of ``correlation``.
        pixel_weight, detail_weight, centre_weight: as for ``OptimizationInverter``; the detail
            is that of the full resolution.
        search_size: the side at which LPIPS compares images, at most the generator's resolution.
        precision: of the convolutions.

    Raises:
        InputError: a setting is out of its range, or the generator has no noise.
    """

    method = "noise"

    def __init__(
        self,
        G: Generator,
        pivot: Pivot | None = None,
        *,
        steps: int = 80,
        learning_rate: float = 0.05,
        regularizer_weight: float = 1e-2,
        pixel_weight: float = 1.0,
        detail_weight: float = 1.0,
        centre_weight: float = 0.2,
        search_size: int = 256,
        precision: Precision = "auto",
    ) -> None:
        weights = {
            "regularizer": regularizer_weight,
            "pixel": pixel_weight,
            "detail": detail_weight,
            "centre": centre_weight,
        }
        check_search("Noise optimisation", steps, learning_rate, weights)
        if not any(float(strength.detach().abs().max()) > 0 for strength in noise_strengths(G)):
            raise InputError(f"The model '{G.name}' draws without noise; take another method.")
        self.G = G
        self.pivot: Pivot = pivot or OptimizationInverter(G, precision=precision)
        self.pivot_settings = inverter_settings(self.pivot)
        self.steps = steps
        self.learning_rate = learning_rate
        self.regularizer_weight = regularizer_weight
        self.pixel_weight = pixel_weight
        self.detail_weight = detail_weight
        self.centre_weight = centre_weight
        self.search_size = search_side(search_size, G)
        self.precision = resolve_precision(precision, G.device)

    def invert(
        self,
        images: Tensor,
        *,
        on_step: Callable[[Progress], None] | None = None,
        keep_partial: bool = False,
        mask: Tensor | None = None,
        resemblance: Resemblance | None = None,
    ) -> Inversion:
        """Search the codes, then the noise; each image gets maps of its own.

        Args:
            images, on_step, keep_partial, mask: as for ``OptimizationInverter.invert``; the
                pivot's steps and the noise's are counted through.
            resemblance: for the pivot alone; what noise can draw is too fine to tell people apart.

        Returns:
            The record with codes and noise maps; ``settings`` tells under ``stopped_at_step`` when it ended early,
            and the record's ``diverged`` which images diverged, in the pivot or here.

        Raises:
            InputError: as the pivot's ``invert``, or the loss is not finite from the first step.
        """
        check_images(images)
        before, total = self.pivot.steps, self.pivot.steps + self.steps

        def on_pivot(progress: Progress) -> None:
            if on_step is not None:
                on_step(Progress(progress.step, total, progress.loss, progress.images))

        found = self.pivot.invert(
            images, on_step=on_pivot, keep_partial=keep_partial, mask=mask, resemblance=resemblance
        )
        if "stopped_at_step" in found.settings:
            at: dict[str, JSON] = {"stopped_at_step": found.settings["stopped_at_step"]}
            return self._record(found, None, at | told_of(found.diverged, len(images)))
        check_untuned(found)
        ended: dict[str, JSON] = {}
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
                ended["stopped_at_step"] = before + search.steps_done
        if not search.steps_done and "stopped_at_step" not in ended:
            raise InputError("The search diverged at its first step; check the image, or use --precision float32.")
        diverged = found.diverged | search.seen.diverged(before)
        return self._record(found, search.best_maps(), ended | told_of(diverged, len(images)))

    def settings(self) -> dict[str, JSON]:
        """Every setting, as records tell it."""
        names = (
            "steps",
            "learning_rate",
            "regularizer_weight",
            "pixel_weight",
            "detail_weight",
            "centre_weight",
            "search_size",
            "precision",
            "pivot_settings",
        )
        return {name: getattr(self, name) for name in names}

    def _record(self, pivot: Inversion, noise: list[Tensor] | None, ended: dict[str, JSON]) -> Inversion:
        return Inversion(
            ws=pivot.ws,
            model=self.G.name,
            fingerprint=self.G.fingerprint,
            latent_space=self.G.latent_space,
            method=self.method,
            settings=self.settings() | ended,
            noise=noise,
        )


class _NoiseSearch:
    """The state of the search for noise maps."""

    def __init__(self, inverter: NoiseOptimization, images: Tensor, ws: Tensor, mask: Tensor | None) -> None:
        self.inverter = inverter
        G, dtype = inverter.G, DTYPES[inverter.precision]
        self.G = in_precision(G, dtype)
        self.comparison = Comparison(
            images,
            inverter.search_size,
            G.resolution,
            LPIPS.load("alex").to(G.device).in_precision(dtype),
            pixel_weight=inverter.pixel_weight,
            detail_weight=inverter.detail_weight,
            centre_weight=inverter.centre_weight,
            mask=mask,
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
        self.adam = torch.optim.Adam(self.maps, lr=inverter.learning_rate, betas=(0.9, 0.99))
        self.steps_done = 0

    def _scaled(self, maps: Sequence[Tensor]) -> list[Tensor]:
        return [strength * map for strength, map in zip(self.strengths, maps, strict=True)]

    def step(self, step: int) -> tuple[Tensor, float]:
        """One step of Adam; what the network drew before it, and the mean loss of that."""
        inverter = self.inverter
        self.adam.param_groups[0]["lr"] = inverter.learning_rate * schedule((step + 0.5) / inverter.steps)
        self.adam.zero_grad()
        drawn = self.G.synthesize_styles(self.styles, self._scaled(self.maps))
        losses, seen = self.comparison(as_colour(drawn))
        losses = losses + inverter.regularizer_weight * correlation(self.maps)
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
