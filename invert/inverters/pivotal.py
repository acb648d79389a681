"""Pivotal tuning: a code that edits well, then the generator's weights brought to the photo at that code.

Roich et al., "Pivotal Tuning for Latent-based Editing of Real Images", 2021. The code, the pivot, is not moved; the
convolutions learn the person, the light and the background around it. What makes styles of codes stays as it is, so
directions keep their meaning. Steps are measured in each weight's own size, by which one learning rate suits all
architectures.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import DTYPES, Precision, resolve_precision
from stylegan_latents.invert.inverters.base import Pivot, Progress
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.tuning import Drawing, Tuning
from stylegan_latents.invert.record.divergence import told_of
from stylegan_latents.invert.record.inversion import JSON, Inversion
from stylegan_latents.invert.record.tuned_weights import FORMS, Form
from stylegan_latents.invert.search.loss import (
    LPIPS,
    Comparison,
    Resemblance,
    area_resize,
    check_images,
    check_mask,
)
from stylegan_latents.invert.search.steps import check_search, check_untuned, inverter_settings, search_side

_SETTINGS = (
    "steps", "learning_rate", "lpips_weight", "pixel_weight", "detail_weight", "centre_weight", "identity_weight",
    "locality_weight", "locality_every", "form", "rank", "together", "search_size", "seed", "precision",
    "pivot_settings",
)  # fmt: skip


class PivotalTuning:
    """Finds codes with another inverter, then tunes the generator's weights at each of them.

    Args:
        G: the generator; it is left as it is.
        pivot: what finds the codes; None for a short ``OptimizationInverter`` search.
        steps: of tuning, by Adam.
        learning_rate: in units of each weight's root mean square.
        lpips_weight, pixel_weight: of LPIPS and of the mean squared error, both at ``search_size``.
        detail_weight: of the squared error of what is finer, at the generator's full resolution.
        centre_weight: of LPIPS of the centre, half the side, at twice ``search_size``.
        identity_weight: of the distance that a ``resemblance`` tells, where one is handed to ``invert``; it
            fades as the learning rate does. The pivot has its own.
        locality_weight: of the locality regulariser, which holds what other codes draw to what the untuned
            generator draws of them (section 3.2 of the paper); 0 leaves it out.
        locality_every: steps from one evaluation of the regulariser to the next, each weighted as many times.
        form: of the difference that is learned and kept: ``full``; ``low-rank`` and ``channels`` make the record
            small and follow the photo less.
        rank: of the low-rank form.
        together: tune one set of weights for all images of a call, in place of one for each.
        search_size: the side at which LPIPS compares images, at most the generator's resolution.
        seed: of the regulariser's codes and of the low-rank form's beginning.
        precision: of the convolutions; the weights themselves are float32 while they are tuned.

    Attributes:
        pivot_settings: every setting of the pivot.

    Raises:
        InputError: a setting is out of its range.
    """

    method = "pivotal"

    def __init__(
        self,
        G: Generator,
        pivot: Pivot | None = None,
        *,
        steps: int = 100,
        learning_rate: float = 0.001,
        lpips_weight: float = 1.0,
        pixel_weight: float = 1.0,
        detail_weight: float = 1.0,
        centre_weight: float = 0.2,
        identity_weight: float = 0.0,
        locality_weight: float = 0.0,
        locality_every: int = 4,
        form: Form = "full",
        rank: int = 16,
        together: bool = False,
        search_size: int = 256,
        seed: int = 0,
        precision: Precision = "auto",
    ) -> None:
        weights = {
            "LPIPS": lpips_weight,
            "pixel": pixel_weight,
            "detail": detail_weight,
            "centre": centre_weight,
            "identity": identity_weight,
            "locality": locality_weight,
        }
        check_search("Tuning", steps, learning_rate, weights)
        if form not in FORMS:
            raise InputError(f"Tuned weights are {', '.join(FORMS)}, not {form}.")
        for name, count in (("rank", rank), ("number of steps between locality's", locality_every)):
            if count < 1:
                raise InputError(f"The {name} has to be 1 or above, not {count}.")
        self.G = G
        self.pivot: Pivot = pivot or OptimizationInverter(G, steps=100, seed=seed, precision=precision)
        self.pivot_settings = inverter_settings(self.pivot)
        self.steps = steps
        self.learning_rate = learning_rate
        self.lpips_weight = lpips_weight
        self.pixel_weight = pixel_weight
        self.detail_weight = detail_weight
        self.centre_weight = centre_weight
        self.identity_weight = identity_weight
        self.locality_weight = locality_weight
        self.locality_every = locality_every
        self.form: Form = form
        self.rank = rank
        self.together = together
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
        unchanged: Tensor | None = None,
    ) -> Inversion:
        """Search the codes, then tune.

        Args:
            images, on_step, keep_partial, mask, resemblance: as for
                ``OptimizationInverter.invert``; the steps of the pivot and of tuning are
                counted through.
            unchanged: as for ``tune``.

        Returns:
            The record with the codes and what was added to the weights.

        Raises:
            InputError: as the pivot's ``invert``, and as ``tune``.
        """
        total = self.pivot.steps + self.steps * self._runs(len(images))

        def on_pivot(progress: Progress) -> None:
            if on_step is not None:
                on_step(Progress(progress.step, total, progress.loss, progress.images))

        found = self.pivot.invert(
            images, on_step=on_pivot, keep_partial=keep_partial, mask=mask, resemblance=resemblance
        )
        if "stopped_at_step" in found.settings:
            ended: dict[str, JSON] = {"stopped_at_step": found.settings["stopped_at_step"]}
            return self._record(found, None, ended | told_of(found.diverged, len(images)))

        def on_tuning(progress: Progress) -> None:
            if on_step is not None:
                step = self.pivot.steps + progress.step
                on_step(Progress(step, total, progress.loss, progress.images))

        return self.tune(
            images,
            found,
            on_step=on_tuning,
            keep_partial=keep_partial,
            mask=mask,
            resemblance=resemblance,
            unchanged=unchanged,
        )

    def tune(
        self,
        images: Tensor,
        pivot: Inversion,
        *,
        on_step: Callable[[Progress], None] | None = None,
        keep_partial: bool = False,
        mask: Tensor | None = None,
        resemblance: Resemblance | None = None,
        unchanged: Tensor | None = None,
    ) -> Inversion:
        """Tune at codes that were found already, by whichever method.

        Args:
            images: as for ``invert``, one for each code.
            pivot: the codes.
            on_step: called after each step; one image after the other is tuned, unless together.
            keep_partial: on Ctrl-C, return the best weights so far in place of raising KeyboardInterrupt; images
                that were not begun keep the generator's own.
            mask: ``[1 or N, 1, H, W]``, 1 where images are compared, 0 where the generator fills in.
            resemblance: as for ``invert``.
            unchanged: ``[1 or N, 1, H, W]``, 1 where the picture has to stay what the untuned generator makes of
                the pivot, 0 where it is brought to the image.

        Returns:
            The record; ``settings`` tells under ``stopped_at_step`` when it ended early, and ``diverged`` which
            images diverged, in the pivot or in tuning, whose steps are counted after those of the pivot.

        Raises:
            InputError: the images, a mask or the pivot do not fit, the pivot is tuned already, or the loss is not
                finite from the first step.
        """
        check_images(images)
        if len(pivot) != len(images):
            raise InputError(f"The pivot holds {len(pivot)} codes, and there are {len(images)} images.")
        check_untuned(pivot)
        ws = pivot.for_generator(self.G)
        noise = self.G.noise_constants() if pivot.noise is None else [m.to(self.G.device) for m in pivot.noise]
        targets = self._targets(images, ws, noise, unchanged)
        ended: dict[str, JSON] = {}
        diverged = pivot.diverged
        found: list[dict[str, Tensor]] = []
        with keep_freed_memory():
            drawing = Drawing.of(self.G, DTYPES[self.precision])
            lpips = LPIPS.load("alex").to(self.G.device).in_precision(drawing.dtype)
            compare = Comparison(
                targets,
                self.search_size,
                self.G.resolution,
                lpips,
                pixel_weight=self.pixel_weight,
                detail_weight=self.detail_weight,
                centre_weight=self.centre_weight,
                lpips_weight=self.lpips_weight,
                resemblance=resemblance,
                identity_weight=self.identity_weight,
                mask=mask,
            )
            shown = compare.target.clone()
            runs = self._runs(len(images))
            for run in range(runs):
                rows = slice(0, len(images)) if runs == 1 else slice(run, run + 1)
                maps = [one if len(one) == 1 else one[rows] for one in noise]
                comparison = compare if runs == 1 else compare[run]
                tuning = Tuning(self, drawing, comparison, ws[rows], maps, run)
                before = run * self.steps

                def tell(
                    seen: Tensor, loss: float, *, rows: slice = rows, before: int = before, tuning: Tuning = tuning
                ) -> None:
                    shown[rows] = seen
                    if on_step is not None:
                        done = before + tuning.steps_done
                        on_step(Progress(done, runs * self.steps, loss, shown.clone()))

                if "stopped_at_step" not in ended:
                    at = {
                        name: self.pivot.steps + before + step
                        for name, step in tuning.run(tell, keep_partial=keep_partial).items()
                    }
                    if "stopped_at_step" in at:
                        ended["stopped_at_step"] = at["stopped_at_step"]
                    if "diverged_at_step" in at:
                        diverged |= dict.fromkeys(range(len(images))[rows], at["diverged_at_step"])
                found.append(tuning.best_parts())
        weights = {name: torch.stack([parts[name] for parts in found]) for name in found[0]}
        return self._record(pivot, weights, ended | told_of(diverged, len(images)))

    def _runs(self, count: int) -> int:
        return 1 if self.together or count == 1 else count

    def _targets(self, images: Tensor, ws: Tensor, noise: list[Tensor], unchanged: Tensor | None) -> Tensor:
        """The images, with what has to stay replaced by what the untuned generator draws."""
        if unchanged is None:
            return images
        check_mask(unchanged, images)
        with torch.no_grad():
            drawn = area_resize(as_colour(self.G.synthesize(ws, noise)), images.shape[-1])
        return images.to(drawn).lerp(drawn, unchanged.to(drawn))

    def _record(self, pivot: Inversion, weights: dict[str, Tensor] | None, ended: dict[str, JSON]) -> Inversion:
        return Inversion(
            ws=pivot.ws,
            model=self.G.name,
            fingerprint=self.G.fingerprint,
            latent_space=self.G.latent_space,
            method=self.method,
            settings=self.settings() | ended,
            noise=pivot.noise,
            weights=weights,
        )

    def settings(self) -> dict[str, JSON]:
        """Every setting, as records tell it."""
        return {name: getattr(self, name) for name in _SETTINGS}
