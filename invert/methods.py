"""The methods of `invert` by name, with what each makes of a quality."""

from typing import TYPE_CHECKING, Any, Literal, Protocol

from generator.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from generator.generator import Generator
    from generator.precision import Precision
    from invert.inversion import Inversion
    from invert.optimize import Progress, Space
    from invert.tuned_weights import Form

Method = Literal["optimize", "pivotal", "noise", "encode"]
Quality = Literal["draft", "good", "best"]

# Steps of a search in W and in W+ (None: the inverter's own), of the search before tuning, and of tuning.
_SEARCH: dict[str, dict[str, int | None]] = {
    "draft": {"w": 50, "w+": 80},
    "good": {"w": None, "w+": None},
    "best": {"w": 200, "w+": 440},
}
_PIVOT = {"draft": {"w": 40, "w+": 60}, "good": {"w": 60, "w+": 100}, "best": {"w": 100, "w+": 150}}
_TUNING = {"draft": 40, "good": 80, "best": 150}
_NOISE = {"draft": 30, "good": 60, "best": 120}


class Inverter(Protocol):
    """What every method offers; its settings are its attributes."""

    G: "Generator"

    def invert(
        self,
        images: "Tensor",
        *,
        on_step: "Callable[[Progress], None] | None" = None,
        keep_partial: bool = False,
        mask: "Tensor | None" = None,
    ) -> "Inversion": ...


def make_inverter(
    G: "Generator",
    method: Method = "optimize",
    *,
    quality: Quality = "good",
    space: "Space" = "w+",
    steps: int | None = None,
    seed: int = 0,
    precision: "Precision" = "auto",
    weights: "Form" = "full",
    encoder: "Path | None" = None,
) -> Inverter:
    """An inverter by its name.

    Args:
        G: the generator.
        method: ``optimize``, a search for the code; ``pivotal``, a short one and then tuning of the weights;
            ``noise``, a search and then noise maps; ``encode``, an encoder.
        quality: ``draft``, ``good`` or ``best``: how many steps.
        space: of the search.
        steps: of the method's last part: search, tuning or noise; None for the quality's.
        seed, precision: as the inverters take them.
        weights: the form in which tuned weights are kept.
        encoder: the file of ``encode``, which needs one.

    Raises:
        InputError: there is no such method or quality, or a setting is out of its range.
    """
    if quality not in _TUNING:
        raise InputError(f"The quality is {', '.join(_TUNING)}, not {quality}.")
    if method == "encode":
        return _encoder_inverter(G, encoder, space, steps)
    from invert.optimize import OptimizationInverter

    if space not in _SEARCH[quality]:
        raise InputError(f"The space is w or w+, not {space}.")
    common: dict[str, Any] = {"seed": seed, "precision": precision}
    if method == "optimize":
        return OptimizationInverter(G, space, steps=_SEARCH[quality][space] if steps is None else steps, **common)
    if method == "pivotal":
        from invert.pivotal import PivotalTuning

        pivot = OptimizationInverter(G, space, steps=_PIVOT[quality][space], **common)
        return PivotalTuning(G, pivot, steps=_TUNING[quality] if steps is None else steps, form=weights, **common)
    if method == "noise":
        from invert.noise import NoiseOptimization

        search = OptimizationInverter(G, space, steps=_SEARCH[quality][space], **common)
        return NoiseOptimization(G, search, steps=_NOISE[quality] if steps is None else steps, precision=precision)
    raise InputError(f"The method is optimize, pivotal, noise or encode, not {method}.")


def _encoder_inverter(G: "Generator", encoder: "Path | None", space: "Space", steps: int | None) -> Inverter:
    from invert.encode import EncoderInverter

    if encoder is None:
        raise InputError("The method encode needs an encoder's file.")
    encoding = EncoderInverter(G, encoder, steps=steps)
    if space == "w" and encoding.space != "w":
        raise InputError(f"The encoder '{encoding.encoder}' gives codes of W+; leave --space w out.")
    return encoding
