"""Pivotal tuning: a code that edits well, then generator weights that are tuned to the photo at that code.

Roich et al., "Pivotal Tuning for Latent-based Editing of Real Images", 2021. The code, the pivot, is fixed; the
convolutions are tuned. The layers that compute styles are not, so directions keep their meaning. Steps are relative
to each weight's root mean square, so that one learning rate suits all architectures.
"""

from dataclasses import replace
from typing import ClassVar, Self

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import as_colour
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
from stylegan_latents.invert.inverters.tuning import Drawing, Tuning, TuningSettings
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.run_settings import cameras_of
from stylegan_latents.invert.record.tuned_weights import camera_matrices_of, seen_as
from stylegan_latents.invert.search.loss import (
    IdentityLoss,
    check_images,
    check_mask,
    comparison_for,
    resize_height,
)
from stylegan_latents.invert.search.time_left import Phase

_LEARNING_RATE = 0.0014  # for the qualities' few steps: 110 come as near as 140 at the rate of more steps


class PivotalTuning(RefiningInverter):
    """Finds codes with another inverter, then tunes the generator's weights at each of them.

    Args:
        G: the generator, which is not changed.
        pivot: the inverter that finds the codes; None for an ``OptimizationInverter`` of 50 steps.
        settings: of tuning.

    Attributes:
        tuning: the settings for this generator.

    Raises:
        InputError: a setting does not fit the generator.
    """

    method: ClassVar[str] = "pivotal"
    step_cost: ClassVar[float] = 1.65

    def __init__(self, G: Generator, pivot: Inverter | None = None, settings: TuningSettings | None = None) -> None:
        self.G = G
        self.tuning = tuning = (settings or TuningSettings()).for_generator(G)
        self.steps = tuning.steps
        if pivot is None:
            search = SearchSettings(steps=50, seed=tuning.seed, precision=tuning.precision)
            pivot = OptimizationInverter(G, search)
        self.pivot = pivot

    @classmethod
    def from_options(cls, G: Generator, options: InverterOptions, pivot: Inverter | None) -> Self:
        weight = options.identity_weight
        settings = TuningSettings(
            steps=TuningSettings.steps if options.steps is None else options.steps,
            learning_rate=_LEARNING_RATE,
            form=options.weights,
            seed=options.seed,
            precision=options.precision,
            identity_weight=TuningSettings.identity_weight if weight is None else weight,
        )
        return cls(G, pivot, settings)

    @property
    def uses_identity(self) -> bool:
        return self.tuning.identity_weight > 0 or super().uses_identity

    def invert(
        self, images: Tensor, *, on_step: OnStep | None = None, keep_partial: bool = False,
        mask: Tensor | None = None, identity_loss: IdentityLoss | None = None, start: Tensor | None = None,
        unchanged: Tensor | None = None,
    ) -> Inversion:  # fmt: skip
        """As ``Inverter.invert``, with ``unchanged`` as for ``tune``."""
        total = self.pivot.steps + self.steps * self._runs(len(images))
        found = self.find_pivot(
            images, total, on_step, keep_partial=keep_partial, mask=mask, identity_loss=identity_loss, start=start
        )
        if STOPPED in found.settings:
            return self.record(
                found.ws,
                stopped_at=found.settings[STOPPED],
                diverged=found.diverged,
                cameras=self._cameras(found),
            )

        def on_tuning(progress: Progress) -> None:
            if on_step is not None:
                step = self.pivot.steps + progress.step
                on_step(Progress(step, total, progress.loss, progress.images))

        return self.tune(
            images, found, on_step=on_tuning, keep_partial=keep_partial, mask=mask, identity_loss=identity_loss,
            unchanged=unchanged,
        )  # fmt: skip

    def tune(
        self, images: Tensor, pivot: Inversion, *, on_step: OnStep | None = None, keep_partial: bool = False,
        mask: Tensor | None = None, identity_loss: IdentityLoss | None = None, unchanged: Tensor | None = None,
    ) -> Inversion:  # fmt: skip
        """Tune at codes that were found already, by any method; other arguments are as for ``Inverter.invert``.

        Args:
            images: one for each code.
            pivot: the codes.
            on_step: called after each step; images are tuned one after the other, unless ``settings.together``.
            keep_partial: on Ctrl-C, return the best weights so far; the remaining images keep the generator's.
            unchanged: ``[1 or N, 1, H, W]``, 1 where the tuned picture has to equal the untuned one, 0 where it
                has to equal the image.

        Returns:
            The record. Steps of tuning in ``stopped_at_step`` and ``diverged`` count after those of the pivot.

        Raises:
            InputError: the images, a mask or the pivot do not fit, the pivot is tuned already, or the loss is not
                finite from the first step.
        """
        check_images(images, self.G.width / self.G.resolution)
        if len(pivot) != len(images):
            raise InputError(f"The pivot holds {len(pivot)} codes, and there are {len(images)} images.")
        self.check_pivot(pivot)
        cameras = self._cameras(pivot)
        if cameras is not None and self.tuning.together and len(images) > 1:
            raise InputError("Photos with cameras of their own are tuned one by one, and not together.")
        ws = pivot.for_generator(self.G)
        noise = self.G.noise_constants() if pivot.noise is None else [m.to(self.G.device) for m in pivot.noise]
        targets = self.detailed(images, pivot)
        mask, unchanged = (enlarged_mask(one, images, targets) for one in (mask, unchanged))
        targets = self._targets(targets, pivot, ws, noise, unchanged)
        stopped_at: int | None = None
        diverged = pivot.diverged
        found: list[dict[str, Tensor]] = []
        with keep_freed_memory(keep=not self.G.synthesis.saves_memory):
            drawing = Drawing.of(self.G, self.tuning.dtype)
            compare = comparison_for(
                self.G, targets, self.tuning, self.G.resolution, identity_loss=identity_loss, mask=mask
            )
            shown = compare.target.clone()
            runs = self._runs(len(images))
            for run in range(runs):
                rows = slice(0, len(images)) if runs == 1 else slice(run, run + 1)
                maps = [one if len(one) == 1 else one[rows] for one in noise]
                comparison = compare if runs == 1 else compare[run]
                own = replace(drawing, G=seen_as(drawing.G, pivot, run))
                tuning = Tuning(self.tuning, own, comparison, ws[rows], maps, run)
                before = run * self.steps

                def report(
                    drawn: Tensor, loss: float, *, rows: slice = rows, before: int = before, tuning: Tuning = tuning
                ) -> None:
                    shown[rows] = drawn
                    if on_step is not None:
                        done = before + tuning.steps_done
                        on_step(Progress(done, runs * self.steps, loss, shown.clone()))

                if stopped_at is None:
                    stopped = tuning.run(self.steps, report, keep_partial=keep_partial)
                    ended_at = self.pivot.steps + before + tuning.steps_done
                    if stopped:
                        stopped_at = ended_at
                    elif tuning.steps_done < self.steps:
                        diverged |= dict.fromkeys(range(len(images))[rows], ended_at)
                found.append(tuning.best_parts())
        weights = {name: torch.stack([parts[name] for parts in found]) for name in found[0]}
        return self.record(
            pivot.ws, stopped_at=stopped_at, diverged=diverged, noise=pivot.noise, weights=weights, cameras=cameras
        )

    def _cameras(self, found: Inversion) -> list[tuple[float, ...]] | None:
        return None if self.G.camera is None else cameras_of(found.settings, len(found))

    def phases(self, count: int) -> list[Phase]:
        runs = self._runs(count)
        return [*self.pivot.phases(count), (self.steps * runs, self.step_cost / runs)]

    def _runs(self, count: int) -> int:
        return 1 if self.tuning.together or count == 1 else count

    @torch.no_grad()
    def detailed(self, images: Tensor, pivot: Inversion) -> Tensor:
        """Images smaller than the generator's, enlarged, with the finer detail of its pictures of the pivot.

        Tuned weights would otherwise be free to draw any detail, and draw a grid.
        """
        if images.shape[-2] >= self.G.resolution:
            return images
        made = []
        for image, one in zip(images, pivot.split(), strict=True):
            noise: Noise = "const" if one.noise is None else [map.to(self.G.device) for map in one.noise]
            ws, camera = one.for_generator(self.G), camera_matrices_of(self.G, one)
            drawn = as_colour(self.G.synthesize(ws, noise, camera=camera))
            error = image.to(drawn) - resize_height(drawn, images.shape[-2])
            made.append(drawn + enlarged(error, drawn))
        return torch.cat(made)

    def _targets(
        self, images: Tensor, pivot: Inversion, ws: Tensor, noise: list[Tensor], unchanged: Tensor | None
    ) -> Tensor:
        """The images, replaced where ``unchanged`` by the untuned generator's pictures."""
        if unchanged is None:
            return images
        with torch.no_grad():
            camera = camera_matrices_of(self.G, pivot)
            drawn = as_colour(self.G.synthesize(ws, noise, camera=camera))
            drawn = resize_height(drawn, images.shape[-2])
        return images.to(drawn).lerp(drawn, unchanged.to(drawn))

    def settings(self) -> dict[str, JSON]:
        return self.tuning.values() | {"pivot_settings": self.pivot_settings}

    def defaults(self) -> dict[str, JSON]:
        return self.tuning.defaults() | {"pivot_settings": self.pivot.defaults()}


def enlarged(images: Tensor, to: Tensor) -> Tensor:
    """Images of the height and width of others, unless they are larger."""
    if images.shape[-2] >= to.shape[-2]:
        return images
    return torch.nn.functional.interpolate(images, to.shape[-2:], mode="bilinear")


def enlarged_mask(mask: Tensor | None, images: Tensor, to: Tensor) -> Tensor | None:
    """A mask of images for the same ones enlarged; InputError if it does not fit them."""
    if mask is None:
        return None
    check_mask(mask, images)
    return enlarged(mask, to)
