"""Inversion with one person's model: within the span of the person's anchors, then a little beyond it.

After Nitzan et al., "MyStyle: A Personalized Generative Prior", 2022, section 4.2. What a mask hides is filled with
the person's own features, since every code of the span shows the person.
"""

import dataclasses
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import in_precision
from stylegan_latents.invert.inverters.base import Inverter, OnStep, Progress, SearchSettings
from stylegan_latents.invert.inverters.optimize import OptimizationInverter, search_settings
from stylegan_latents.invert.inverters.options import InverterOptions
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.person import Person
from stylegan_latents.invert.search.loss import IdentityLoss, check_images, comparison_for
from stylegan_latents.invert.search.span import DILATION
from stylegan_latents.invert.search.steps import BestSoFar, Optimization, schedule, size_to_draw

_RATE = 0.1  # of the free numbers behind the coordinates
_IN_W = 0.3  # the share of the steps with the same coordinates in all rows
_VISIBLE = 0.98  # of the central half, where aligned crops show the face; below, something hides it
_WEIGHT = 0.02  # of the squared distance from the span's code, in standard deviations of W


class PersonInverter(Inverter):
    """Searches the span of a person's anchors, drawn with the person's weights, then near the code found there.

    Args:
        G: the generator, which is not changed.
        person: the model, or its file.
        settings: of the search; by default 80 steps in all.
        beyond: the share of the steps that leave the span, in [0, 1). At 0, codes are within it, and so they are of
            images whose central half a mask hides in part: codes beyond the span show nobody known there.
        dilation: see ``Span``.

    Raises:
        InputError: the person is of another generator or has no tuned weights, or a setting does not fit.
    """

    method: ClassVar[str] = "person"

    def __init__(
        self,
        G: Generator,
        person: Person | Path,
        settings: SearchSettings | None = None,
        *,
        beyond: float = 0.5,
        dilation: float = DILATION,
    ) -> None:
        if isinstance(person, Path):
            person = Person.load(person)
        if person.record.weights is None:
            raise InputError(
                f"The model of {person.name} is not tuned yet; run `invert --together` again to finish it."
            )
        if not 0 <= beyond < 1:
            raise InputError(f"The share of the steps beyond the span is from 0 to below 1, not {beyond}.")
        self.G, self.person, self.beyond = G, person, beyond
        self.tuned = person.generator(G)
        self.span = person.span(G, dilation)
        search = (settings or SearchSettings()).for_generator(G)
        self.steps = 80 if search.steps is None else search.steps
        self.search = dataclasses.replace(search, steps=self.steps)
        self.steps_beyond = round(beyond * self.steps)

    @classmethod
    def from_options(cls, G: Generator, options: InverterOptions, pivot: Inverter | None = None) -> Self:  # noqa: ARG003
        if options.person is None:
            raise InputError("--method person needs --person with the file of `invert ALBUM --together`.")
        settings = search_settings(options)
        return (
            cls(G, options.person, settings)
            if options.space == "w+"
            else cls(G, options.person, settings, beyond=0)
        )

    @property
    def uses_identity(self) -> bool:
        return self.search.identity_weight > 0

    def invert(
        self, images: Tensor, *, on_step: OnStep | None = None, keep_partial: bool = False,
        mask: Tensor | None = None, identity_loss: IdentityLoss | None = None, start: Tensor | None = None,
    ) -> Inversion:  # fmt: skip
        check_images(images, self.G.width / self.G.resolution)
        if start is not None:
            raise InputError("A search of a person's span starts from its centre; leave the start out.")
        steps_beyond = 0 if mask is not None and _hides_the_face(mask) else self.steps_beyond
        before = self.steps - steps_beyond

        def report(drawn: Tensor, loss: float) -> None:
            if on_step is not None:
                on_step(Progress(search.steps_done, self.steps, loss, drawn))

        def report_beyond(progress: Progress) -> None:
            if on_step is not None:
                on_step(dataclasses.replace(progress, step=before + progress.step, steps=self.steps))

        with keep_freed_memory(keep=not self.G.synthesis.saves_memory):
            search = _SpanSearch(self, before, images, mask, identity_loss)
            stopped = search.run(before, report, keep_partial=keep_partial)
        if stopped and not search.steps_done:
            raise KeyboardInterrupt  # there is no code to keep
        weights = self.person.record.weights
        ws, diverged = search.best_ws(), search.lowest.diverged()
        stopped_at: JSON = search.steps_done if stopped else None
        if not stopped and steps_beyond:
            settings = dataclasses.replace(self.search, steps=steps_beyond, start_weight=_WEIGHT)
            found = OptimizationInverter(self.tuned, settings).invert(
                images, on_step=report_beyond, keep_partial=keep_partial, mask=mask, identity_loss=identity_loss,
                start=ws,
            )  # fmt: skip
            ws, diverged = found.ws, {image: before + step for image, step in found.diverged.items()}
            ended = found.settings.get("stopped_at_step")
            stopped_at = before + ended if isinstance(ended, int) else None
        return self.record(ws, stopped_at=stopped_at, diverged=diverged, weights=weights)

    def settings(self) -> dict[str, JSON]:
        return self.search.values() | {
            "person": self.person.name,
            "person_sha256": self.person.sha256,
            "beyond": self.beyond,
            "dilation": self.span.dilation,
        }

    def defaults(self) -> dict[str, JSON]:
        return self.search.defaults()


def _hides_the_face(mask: Tensor) -> bool:
    """Whether a mask hides something of the central half, and not only what of a crop is outside its photo."""
    height, width = mask.shape[-2:]
    centre = mask[..., height // 4 : height - height // 4, width // 4 : width - width // 4]
    return float(centre.mean()) < _VISIBLE


class _SpanSearch(Optimization):
    """The state of a search of the span."""

    def __init__(
        self,
        inverter: PersonInverter,
        steps: int,
        images: Tensor,
        mask: Tensor | None,
        identity_loss: IdentityLoss | None,
    ) -> None:
        settings = inverter.search
        self.G, self.span, self.steps = in_precision(inverter.tuned, settings.dtype), inverter.span, steps
        finer = 2 if settings.detail_weight or settings.centre_weight else 1
        fine_size = min(self.G.resolution, settings.search_size * finer)
        self.comparison = comparison_for(
            self.G, images, settings, fine_size, identity_loss=identity_loss, mask=mask
        )
        self.drawn_size = size_to_draw(self.comparison.fine_size, self.G)
        anchors = len(self.span.anchors)
        self.free = torch.zeros(len(images), 1, anchors, device=self.G.device).requires_grad_()
        self.in_w = steps if settings.space == "w" else round(_IN_W * steps)
        self.adam = torch.optim.Adam([self.free], lr=_RATE, betas=(0.9, 0.99))
        self.lowest = BestSoFar(len(images), self.G.device)
        self.best = torch.zeros(len(images), self.G.num_ws, anchors, device=self.G.device)

    def step(self, step: int) -> tuple[Tensor, float]:
        if step == self.in_w:
            self.free = self.free.detach().repeat(1, self.G.num_ws, 1).requires_grad_()
            self.adam = torch.optim.Adam([self.free], lr=_RATE, betas=(0.9, 0.99))
        factor = schedule((step + 0.5) / self.steps)
        self.adam.param_groups[0]["lr"] = _RATE * factor
        ws = self.span.codes(self.span.coordinates(self.free))
        drawn = as_colour(self.G.synthesize(ws, size=self.drawn_size))
        losses, small = self.comparison(drawn, 2 * factor, update_identity=step % 2 == 0)
        better = self.lowest.update(losses, step)
        self.best = torch.where(better[:, None, None], self.free.detach(), self.best)
        self.adam.zero_grad()
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        finite = losses.detach()[torch.isfinite(losses)]
        return small, float(finite.mean()) if len(finite) else float("nan")

    def best_ws(self) -> Tensor:
        """The codes of the lowest loss, ``[N, num_ws, w_dim]``."""
        return self.span.codes(self.span.coordinates(self.best)).detach()
