"""A user's options of an inverter, in a module that imports nothing heavy, so that ``--help`` is quick."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.generator.precision import Precision
    from stylegan_latents.invert.record.tuned_weights import Form

Space = Literal["w", "w+"]
Quality = Literal["instant", "draft", "good", "best"]


@dataclass(frozen=True, kw_only=True)
class InverterOptions:
    """Options of the command line, the demo and ``make_inverter``; ``INVERTERS`` lists which an inverter takes.

    Attributes:
        quality: decides the number of steps; ``instant`` also searches in sketches, which are drawn sooner.
        space: of the search.
        steps: of the search, the tuning or the noise optimisation; None for those of the quality.
        seed: of random numbers.
        precision: of the convolutions.
        weights: the form in which tuned weights are kept.
        encoder: an encoder's file; None for the one that comes with this package for the generator.
        identity_weight: of the identity loss; None for the inverter's own.
        pivot: the name of the inverter that finds the codes for tuning or noise optimisation; None for ``hybrid``
            where there is an encoder, else ``optimize``.
        person: the file of one person's model, whose span is searched.

    Raises:
        InputError: there is no such quality or space.
    """

    quality: Quality = "good"
    space: Space = "w+"
    steps: int | None = None
    seed: int = 0
    precision: "Precision" = "auto"
    weights: "Form" = "full"
    encoder: Path | None = None
    identity_weight: float | None = None
    pivot: str | None = None
    person: Path | None = None

    def __post_init__(self) -> None:
        if self.quality not in get_args(Quality):
            raise InputError(f"The quality is {', '.join(get_args(Quality))}, not {self.quality}.")
        if self.space not in get_args(Space):
            raise InputError(f"The space is w or w+, not {self.space}.")
