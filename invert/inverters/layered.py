"""Layered inversion: weights are tuned where the model can draw the photo, features are refined where it cannot.

Cao et al., "What Decreases Editing Capability? Domain-Specific Hybrid Refinement for Improved GAN Inversion", 2023.
Hats, hands, microphones and text bend the weights of a model that has never seen them, and edits suffer. Here the
places that the pivot's code does not explain are found by LPIPS and left out of tuning; a feature map takes them.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.features import features
from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import LPIPS, as_colour
from stylegan_latents.generator.precision import in_precision
from stylegan_latents.invert.inverters.base import (
    STOPPED,
    Inverter,
    OnStep,
    Progress,
    RefiningInverter,
    SearchSettings,
)
from stylegan_latents.invert.inverters.options import InverterOptions
from stylegan_latents.invert.inverters.pivotal import PivotalTuning, enlarged_mask
from stylegan_latents.invert.inverters.tuning import TuningSettings
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.feature_patch import FeaturePatch, PatchHook, attach, packed, patched_map
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.tuned_weights import tuned_generator
from stylegan_latents.invert.search.loss import (
    Comparison,
    IdentityLoss,
    check_images,
    check_mask,
    comparison_for,
    resize_height,
)
from stylegan_latents.invert.search.steps import Optimization, OptimizerSettings, schedule
from stylegan_latents.invert.search.time_left import Phase

# LPIPS of a place below which the code explains it, and above which it does not. A face is at 0.035 after a draft,
# a hand beside it at 0.1 to 0.4.
_EXPLAINED, _UNEXPLAINED = 0.06, 0.12
# Where aligned faces lie, in sides of the picture: centre and radii of an ellipse. A place in it has to be this
# many times worse than the median there, as a face that is patched as a whole takes no edits.
_FACE, _FACE_TIMES = (0.5, 0.57, 0.26, 0.32), 1.5
_IDENTITY = SearchSettings.identity_weight  # 0 doubles the distance of a face with glasses, from 0.10 to 0.23
_RADIUS = 0.03  # of the filter that makes the region's edges the photo's, as a fraction of the side
_LEAST = 0.02  # shares below it are left out of the record
_SIDE = 256  # at which LPIPS is measured


@dataclass(frozen=True, kw_only=True)
class PatchSettings(OptimizerSettings):
    """Settings of the search for a feature map: those of ``OptimizerSettings``, and more.

    Attributes:
        learning_rate: in the root mean square of each channel of the feature map.
        pixel_weight: of the mean squared error at ``search_size``. At 1 hands become mottled.
        lpips_weight: of LPIPS at ``search_size``.
        detail_weight: as in ``SearchSettings``, with detail at full resolution.

    Raises:
        InputError: a value is out of its range.
    """

    name: ClassVar[str] = "The search for a feature map"

    steps: int = 60
    learning_rate: float = 0.06
    pixel_weight: float = 5.0
    lpips_weight: float = 1.0
    detail_weight: float = 1.0


class LayeredInversion(RefiningInverter):
    """Finds codes with another inverter, tunes weights where they explain the photo, and patches the other places.

    Args:
        G: the generator, which is not changed.
        pivot: the inverter that finds the codes; None for ``PivotalTuning``'s.
        tuning: settings of tuning, by default of 60 steps and a search's weight of the identity loss; weights are
            always tuned to each image alone.
        patch: settings of the search for the feature map.

    Raises:
        InputError: a setting does not fit the generator, or the generator is three-dimensional.
    """

    method: ClassVar[str] = "layered"
    step_cost: ClassVar[float] = 1.65

    def __init__(
        self,
        G: Generator,
        pivot: Inverter | None = None,
        tuning: TuningSettings | None = None,
        patch: PatchSettings | None = None,
    ) -> None:
        patched_map(G)
        self.G = G
        self.tuner = PivotalTuning(
            G,
            pivot,
            dataclasses.replace(tuning or TuningSettings(steps=60, identity_weight=_IDENTITY), together=False),
        )
        self.patch = (patch or PatchSettings()).for_generator(G)
        self.pivot = self.tuner.pivot
        self.steps = self.tuner.steps + self.patch.steps

    @classmethod
    def from_options(cls, G: Generator, options: InverterOptions, pivot: Inverter | None) -> Self:
        steps = TuningSettings.steps if options.steps is None else options.steps
        weight = _IDENTITY if options.identity_weight is None else options.identity_weight
        of_tuning = dataclasses.replace(options, steps=max(1, steps // 2), identity_weight=weight)
        first = PivotalTuning.from_options(G, of_tuning, pivot)
        patch = PatchSettings(steps=max(1, steps - steps // 2), precision=options.precision)
        return cls(G, pivot, dataclasses.replace(first.tuning, learning_rate=TuningSettings.learning_rate), patch)

    @property
    def uses_identity(self) -> bool:
        return self.tuner.uses_identity

    def phases(self, count: int) -> list[Phase]:
        return [*self.tuner.phases(count), (self.patch.steps * count, 1.2 / count)]

    def settings(self) -> dict[str, JSON]:
        return self.tuner.settings() | {f"patch_{name}": value for name, value in self.patch.values().items()}

    def defaults(self) -> dict[str, JSON]:
        return self.tuner.defaults() | {f"patch_{name}": value for name, value in self.patch.defaults().items()}

    def invert(
        self, images: Tensor, *, on_step: OnStep | None = None, keep_partial: bool = False,
        mask: Tensor | None = None, identity_loss: IdentityLoss | None = None, start: Tensor | None = None,
    ) -> Inversion:  # fmt: skip
        check_images(images, self.G.width / self.G.resolution)
        count, first = len(images), self.pivot.steps
        total = first + count * self.steps

        def on_tuning(progress: Progress) -> None:
            if on_step is not None:
                on_step(Progress(first + progress.step, total, progress.loss, progress.images))

        found = self.find_pivot(
            images, total, on_step, keep_partial=keep_partial, mask=mask, identity_loss=identity_loss, start=start
        )
        if STOPPED in found.settings:
            return self.record(found.ws, stopped_at=found.settings[STOPPED], diverged=found.diverged)
        self.check_pivot(found)
        small, images = images, self.tuner.detailed(images, found)
        mask = enlarged_mask(mask, small, images)
        shares = self.unexplained(images, found, mask)
        # A little stays compared everywhere, as a photo may be unexplained as a whole.
        explained = (1 - resize_height(shares, images.shape[-2])).clamp_min(1e-3)
        tuned = self.tuner.tune(
            images, found, on_step=on_tuning, keep_partial=keep_partial, identity_loss=identity_loss,
            mask=explained if mask is None else explained * mask.to(explained),
        )  # fmt: skip
        stopped_at, diverged = tuned.settings.get(STOPPED), tuned.diverged
        patches: list[FeaturePatch] = []
        with keep_freed_memory(keep=not self.G.synthesis.saves_memory):
            compare = comparison_for(self.G, images, self.patch, self.G.resolution, mask=mask)
            shown = compare.target.clone()
            for image, one in enumerate(tuned.split()):
                search = _PatchSearch(self, one, compare if count == 1 else compare[image], shares[image][None])
                before = first + count * self.tuner.steps + image * self.patch.steps

                def report(
                    drawn: Tensor, loss: float, image: int = image, before: int = before,
                    search: Optimization = search,
                ) -> None:  # fmt: skip
                    shown[image] = drawn[0]
                    if on_step is not None:
                        on_step(Progress(before + search.steps_done, total, loss, shown.clone()))

                if stopped_at is None and bool(shares[image].any()):
                    stopped = search.run(self.patch.steps, report, keep_partial=keep_partial)
                    if stopped:
                        stopped_at = before + search.steps_done
                    elif search.steps_done < self.patch.steps:
                        diverged |= {image: before + search.steps_done}
                patches.append(search.patch())
        weights = (tuned.weights or {}) | packed(patches)
        return self.record(found.ws, stopped_at=stopped_at, diverged=diverged, noise=found.noise, weights=weights)

    @torch.no_grad()
    def unexplained(self, images: Tensor, found: Inversion, mask: Tensor | None) -> Tensor:
        """Where codes do not explain images: 1 in such places, 0 in the others, by LPIPS.

        Args:
            images, mask: as for ``invert``.
            found: the codes.

        Returns:
            ``[N, 1, h, w]`` in 0 to 1, of the resolution of the patched feature map.
        """
        import numpy as np

        from stylegan_latents.invert.photos.person_mask import guided

        G = self.G
        lpips = LPIPS.load("alex").to(G.device)
        noise: Noise = "const" if found.noise is None else [one.to(G.device) for one in found.noise]
        drawn = as_colour(G.synthesize(found.for_generator(G), noise))
        ours, theirs = (resize_height(one.to(G.device), _SIDE) for one in (drawn, images))
        taps = zip(lpips.features(ours), lpips.features(theirs), strict=True)
        parts = [(a - b).float().square().sum(dim=1, keepdim=True) for a, b in taps]
        distance = torch.stack([F.interpolate(one, ours.shape[2:], mode="bilinear") for one in parts]).sum(dim=0)
        planes = [
            guided(np.asarray(picture), plane[0].cpu().numpy(), _RADIUS)
            for picture, plane in zip(to_picture(theirs), distance, strict=True)
        ]
        smooth = torch.from_numpy(np.stack(planes))[:, None].to(G.device)
        within = _within_face(smooth)
        typical = torch.stack([one[where == 1].median() for one, where in zip(smooth, within, strict=True)])
        low = (_FACE_TIMES * typical.reshape(-1, 1, 1, 1) * within).clamp_min(_EXPLAINED)
        share = ((smooth / low - 1) / (_UNEXPLAINED / _EXPLAINED - 1)).clamp(0, 1)
        if mask is not None:
            check_mask(mask, images)
            share = share * resize_height(mask.to(share), _SIDE)
        share = resize_height(share, patched_map(G).resolution)
        return torch.where(share < _LEAST, 0, share)


def _within_face(images: Tensor) -> Tensor:
    """1 where aligned faces lie and 0 away from them, for images ``[N, 1, h, w]``."""
    height, width = images.shape[2:]
    x, y, across, down = _FACE
    rows = (torch.arange(height, device=images.device) + 0.5) / height
    columns = (torch.arange(width, device=images.device) + 0.5) / width
    radius = (((columns[None] - x) / across).square() + ((rows[:, None] - y) / down).square()).sqrt()
    return ((1.3 - radius) / 0.3).clamp(0, 1).expand(images.shape)


class _PatchSearch(Optimization):
    """The state of the search for one image's feature map."""

    name = "The search for a feature map"

    def __init__(self, inverter: LayeredInversion, found: Inversion, comparison: Comparison, share: Tensor) -> None:
        self.settings, self.comparison = inverter.patch, comparison
        tuned = tuned_generator(inverter.G, found)
        self.ws = ws = found.for_generator(tuned)
        self.noise: Noise = "const" if found.noise is None else [one.to(tuned.device) for one in found.noise]
        where = patched_map(tuned)
        with torch.no_grad():
            own = features(tuned, ws, where).float()
            self.styles = tuned.styles(ws)
        # A feature map may reach beyond the picture, equally on every side.
        margin = (own.shape[-2] - where.resolution) // 2
        share = F.pad(share, (margin,) * 4, mode="replicate") if margin > 0 else share
        self.unit = own.square().mean(dim=(2, 3), keepdim=True).sqrt().clamp_min(1e-6)
        self.values = torch.zeros_like(own, requires_grad=True)
        self.best, self.best_loss = torch.zeros_like(own), math.inf
        self.hook = PatchHook(where.resolution, own, share, self.best)
        self.G = in_precision(tuned, self.settings.dtype)
        attach(self.G, [self.hook])
        self.adam = torch.optim.Adam([self.values], lr=self.settings.learning_rate, betas=(0.9, 0.99))

    def step(self, step: int) -> tuple[Tensor, float]:
        self.adam.param_groups[0]["lr"] = self.settings.learning_rate * schedule((step + 0.5) / self.settings.steps)
        self.adam.zero_grad()
        self.hook.difference = self.values * self.unit
        losses, small = self.comparison(as_colour(self.G.synthesize_styles(self.styles, self.noise)))
        loss = float(losses.detach())
        if not math.isfinite(loss):
            return small, loss
        if loss < self.best_loss:
            self.best_loss = loss
            self.best.copy_(self.values.detach())
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        return small, loss

    def patch(self) -> FeaturePatch:
        """The feature map of the lowest loss."""
        self.hook.difference = self.best * self.unit
        return FeaturePatch.of(self.ws, self.hook)
