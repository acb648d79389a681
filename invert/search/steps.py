"""What every optimisation shares: settings with their checks, the learning rate's schedule, the lowest loss."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.precision import Precision, resolve_precision


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """Settings of every optimisation by Adam.

    A field whose name ends in ``_weight`` is the weight of a term of the loss, 0 or above; None, where that is
    allowed, for the inverter's own.

    Attributes:
        steps: 1 or above; None, where that is allowed, for the inverter's own.
        learning_rate: above 0, in the subclass's unit; None, where that is allowed, for the inverter's own.
        pixel_weight: of the mean squared error at ``search_size``.
        search_size: the side in pixels at which LPIPS compares images: the generator's resolution divided by a
            power of two; larger values mean the resolution.
        precision: of the convolutions; ``auto`` is bfloat16 where the device supports it.

    Raises:
        InputError: a value is out of its range or not finite.
    """

    name: ClassVar[str]
    """The optimisation's name at the beginning of a sentence."""

    steps: int | None = None
    learning_rate: float | None
    pixel_weight: float = 1.0
    search_size: int = 256
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise InputError(f"{self.name} needs at least 1 step, not {self.steps}.")
        rate = self.learning_rate
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            raise InputError(f"The learning rate has to be above 0, not {rate}.")
        for field, weight in self.values().items():
            if not field.endswith("_weight") or weight is None:
                continue
            if not (isinstance(weight, int | float) and math.isfinite(weight) and weight >= 0):
                word = field.removesuffix("_weight").replace("lpips", "LPIPS")
                raise InputError(f"The {word} weight has to be 0 or above, not {weight}.")

    def values(self) -> dict[str, JSON]:
        """Every setting by its name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @classmethod
    def defaults(cls) -> dict[str, JSON]:
        """The default of every setting that has one other than None, by its name."""
        values = {field.name: field.default for field in dataclasses.fields(cls)}
        return {name: value for name, value in values.items() if value not in (None, dataclasses.MISSING)}

    def for_generator(self, G: Generator) -> Self:
        """The settings with the side and the precision for a generator on its device.

        Raises:
            InputError: the resolution is not a power of two times the side, or there is no such precision.
        """
        side = min(self.search_size, G.resolution)
        if side < 1 or G.resolution % side or (G.resolution // side).bit_count() != 1:
            raise InputError(
                f"The search size is {G.resolution} divided by a power of two, not {self.search_size}."
            )
        precision = resolve_precision(self.precision, G.device)
        return dataclasses.replace(self, search_size=side, precision=precision)

    @property
    def dtype(self) -> torch.dtype:
        """The type of the convolutions, after ``for_generator``."""
        return torch.bfloat16 if self.precision == "bfloat16" else torch.float32


def schedule(t: float) -> float:
    """The learning rate's factor at a fraction ``t`` of the search: a short ramp, constant, then a cosine to 0."""
    ramp = min(1.0, t / 0.05)
    return ramp if t < 0.5 else ramp * (0.5 + 0.5 * math.cos(math.pi * (t - 0.5) / 0.5))


def size_to_draw(size: int, G: Generator) -> int:
    """The smallest side, not below ``size``, at which the generator can draw."""
    drawn = G.resolution
    while drawn % 2 == 0 and drawn // 2 >= size:
        drawn //= 2
    return drawn


def rows_finer_than(size: int, G: Generator) -> list[int]:
    """The rows of ws of layers finer than ``size``, which get no gradient and keep W's code in a search in W+."""
    coarsest: dict[int, int] = {}
    for layer in G.layers:
        coarsest[layer.ws_index] = min(layer.resolution, coarsest.get(layer.ws_index, layer.resolution))
    return sorted(row for row, resolution in coarsest.items() if resolution > size)


class Optimization(ABC):
    """An optimisation by Adam, step by step.

    Attributes:
        steps_done: the number of steps with a finite loss.
    """

    name: ClassVar[str] = "The search"
    steps_done: int = 0

    @abstractmethod
    def step(self, step: int) -> tuple[Tensor, float]:
        """Do one step; returns the images and the mean loss before it, NaN or infinite if it cannot go on."""

    def run(self, steps: int, on_step: Callable[[Tensor, float], None], *, keep_partial: bool) -> bool:
        """Do all steps, until Ctrl-C or divergence.

        Args:
            steps: their number.
            on_step: called after each step with its result.
            keep_partial: whether Ctrl-C ends the run instead of raising KeyboardInterrupt.

        Returns:
            Whether Ctrl-C ended the run.

        Raises:
            InputError: the loss is not finite from the first step.
        """
        try:
            for step in range(steps):
                images, loss = self.step(step)
                if not math.isfinite(loss):
                    if step:
                        break
                    raise InputError(
                        f"{self.name} diverged at its first step; check the image, or use --precision float32."
                    )
                self.steps_done = step + 1
                on_step(images, loss)
        except KeyboardInterrupt:
            if not keep_partial:
                raise
            return True
        return False


class BestSoFar:
    """The lowest loss of each of ``count`` images of a search, and which of them diverged.

    Attributes:
        loss: the lowest so far, ``[count]``; infinite where none was finite.
    """

    def __init__(self, count: int, device: torch.device) -> None:
        self.loss = torch.full((count,), math.inf, device=device)
        # On the device: reading it at each step would make a GPU wait.
        self._since = torch.full((count,), -1, device=device)

    def update(self, losses: Tensor, step: int) -> Tensor:
        """Add a step's losses, ``[count]``; returns bool ``[count]``, where they are the lowest so far."""
        losses = losses.detach()
        better = losses < self.loss
        self.loss = torch.where(better, losses, self.loss)
        lost = ~torch.isfinite(losses)
        self._since = torch.where(lost & (self._since < 0), step, torch.where(lost, self._since, -1))
        return better

    def restart(self) -> None:
        """Losses mean something else from here on: any finite one is lower than those so far."""
        found = torch.isfinite(self.loss)
        self.loss = torch.where(found, torch.finfo(self.loss.dtype).max, self.loss)

    def diverged(self, before: int = 0) -> dict[int, int]:
        """The images whose last loss was not finite, each with the first such step plus ``before``."""
        return {image: before + step for image, step in enumerate(self._since.tolist()) if step >= 0}
