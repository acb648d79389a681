"""One run of tuning: the optimisation of a generator's weights at fixed codes."""

import math
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor
from torch.func import functional_call

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import in_precision
from stylegan_latents.invert.record.tuned_weights import (
    FORMS,
    Form,
    added,
    in_units,
    new_difference,
    tunable,
    units,
)
from stylegan_latents.invert.search.loss import Comparison
from stylegan_latents.invert.search.steps import Optimization, OptimizerSettings, schedule

_LARGEST_HALF = 6e4


@dataclass(frozen=True, kw_only=True)
class TuningSettings(OptimizerSettings):
    """Settings of tuning: those of ``OptimizerSettings``, and more.

    Attributes:
        learning_rate: in units of each weight's root mean square.
        lpips_weight: of LPIPS at ``search_size``.
        detail_weight, centre_weight, identity_weight: as in ``SearchSettings``, with detail at full resolution.
        locality_weight: of the locality regulariser, which keeps the pictures of other codes (section 3.2 of the
            paper); 0 leaves it out.
        locality_every: number of steps between evaluations of the regulariser, each weighted as many times.
        form: of the weights' difference: ``full``; ``low-rank`` and ``channels`` make small records and come less
            near to the photo.
        rank: of the low-rank form, 1 or above.
        together: tune one set of weights for all images of a call, instead of one for each.
        seed: of the regulariser's codes and of the low-rank form's initial values.
        precision: of the convolutions; the weights are float32 while they are tuned.

    Raises:
        InputError: a value is out of its range.
    """

    name: ClassVar[str] = "Tuning"

    steps: int = 100
    learning_rate: float = 0.001
    lpips_weight: float = 1.0
    detail_weight: float = 1.0
    centre_weight: float = 0.2
    identity_weight: float = 0.0
    locality_weight: float = 0.0
    locality_every: int = 4
    form: Form = "full"
    rank: int = 16
    together: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.form not in FORMS:
            raise InputError(f"Tuned weights are {', '.join(FORMS)}, not {self.form}.")
        for name, count in (("rank", self.rank), ("number of steps between locality's", self.locality_every)):
            if count < 1:
                raise InputError(f"The {name} has to be 1 or above, not {count}.")


@dataclass(frozen=True)
class Drawing:
    """A copy of the generator in the tuning's precision, which draws with tuned weights.

    Attributes:
        G: the copy.
        exact: the original weights, float32, by name.
        units: of a step, by name.
    """

    G: Generator
    exact: dict[str, Tensor]
    units: dict[str, float]
    dtype: torch.dtype

    @classmethod
    def of(cls, G: Generator, dtype: torch.dtype) -> "Drawing":
        exact = {name: weight.float() for name, weight in tunable(G).items()}
        return cls(in_precision(G, dtype), exact, units(G), dtype)

    def __call__(self, parts: dict[str, Tensor], styles: list[Tensor], noise: list[Tensor]) -> Tensor:
        """Draw at full resolution with the weights' difference ``parts``, in units, differentiably."""
        lower = tunable(self.G)
        tuned = added(self.exact, in_units(parts, self.units))
        names = {name.removeprefix("synthesis."): weight.to(lower[name].dtype) for name, weight in tuned.items()}
        drawn = functional_call(self.G.synthesis, names, (styles, noise))
        return as_colour(cast(Tensor, drawn))


class Tuning(Optimization):
    """The state of tuning one set of weights."""

    name = "Tuning"

    def __init__(
        self,
        settings: TuningSettings,
        drawing: Drawing,
        comparison: Comparison,
        ws: Tensor,
        noise: list[Tensor],
        number: int,
    ) -> None:
        self.settings, self.drawing, self.comparison, self.noise = settings, drawing, comparison, noise
        self.ws = ws
        with torch.no_grad():
            self.styles = drawing.G.styles(ws)
        fresh = new_difference(drawing.G, settings.form, rank=settings.rank, seed=settings.seed)
        self.parts = {name: part.requires_grad_() for name, part in fresh.items()}
        self.best = {name: part.detach().clone() for name, part in fresh.items()}
        self.best_loss = math.inf
        self.random = torch.Generator().manual_seed(settings.seed + number)
        self.adam = torch.optim.Adam(
            self.parts.values(),
            lr=settings.learning_rate,
            betas=(0.9, 0.99),
            fused=ws.device.type in ("cpu", "cuda"),
        )

    def step(self, step: int) -> tuple[Tensor, float]:
        settings = self.settings
        factor = schedule((step + 0.5) / settings.steps)
        self.adam.param_groups[0]["lr"] = settings.learning_rate * factor
        self.adam.zero_grad()
        losses, small = self.compare(step, factor)
        mean = float(losses.detach().mean())
        if not math.isfinite(mean):
            return small, mean
        self.keep_best(step, mean)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        if settings.locality_weight and step % settings.locality_every == 0:
            self._locality().backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        return small, mean

    def compare(self, step: int, identity_share: float) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """Draw and compare what this step is for; arguments and results are ``Comparison``'s."""
        return self.comparison(self.drawing(self.parts, self.styles, self.noise), identity_share)

    def keep_best(self, step: int, loss: float) -> None:  # noqa: ARG002
        """Keep the difference whose loss was measured at this step, if it is the lowest so far."""
        if loss < self.best_loss:
            self.best_loss = loss
            for name, part in self.parts.items():
                self.best[name].copy_(part.detach())

    def _locality(self) -> Tensor:
        """The locality regulariser: how far tuning changes the picture of a code between pivot and sample."""
        settings, G = self.settings, self.drawing.G
        z = torch.randn(1, G.z_dim, generator=self.random)
        t = float(torch.rand((), generator=self.random))
        label = None
        if G.label_dim:
            number = int(torch.randint(G.label_dim, (1,), generator=self.random))
            label = torch.nn.functional.one_hot(torch.tensor([number]), G.label_dim).float()
        with torch.no_grad():
            styles = G.styles(self.ws[:1].lerp(G.map(z, label), t))
            noise = [one[:1] for one in self.noise]
            expected = as_colour(G.synthesize_styles(styles, noise))
            compare = Comparison(
                expected,
                settings.search_size,
                settings.search_size,
                self.comparison.lpips,
                pixel_weight=settings.pixel_weight,
                detail_weight=0,
                lpips_weight=settings.lpips_weight,
            )
        losses, _ = compare(self.drawing(self.parts, styles, noise))
        return settings.locality_weight * settings.locality_every * losses.sum()

    def best_parts(self) -> dict[str, Tensor]:
        """The difference of the lowest loss, in half precision."""
        parts = in_units(self.best, self.drawing.units)
        return {name: part.clamp(-_LARGEST_HALF, _LARGEST_HALF).half().cpu() for name, part in parts.items()}
