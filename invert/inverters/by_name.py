"""The methods of `invert` by name, with what each makes of a quality."""

from typing import TYPE_CHECKING, Any, Literal

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.inverters.base import Inverter

if TYPE_CHECKING:
    from pathlib import Path

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.precision import Precision
    from stylegan_latents.invert.inverters.base import Pivot, Space
    from stylegan_latents.invert.inverters.encode import EncoderInverter
    from stylegan_latents.invert.inverters.optimize import OptimizationInverter
    from stylegan_latents.invert.record.tuned_weights import Form


Method = Literal["hybrid", "optimize", "pivotal", "noise", "encode"]
Quality = Literal["draft", "good", "best"]
PivotMethod = Literal["hybrid", "optimize", "encode"]
Steps = dict[Quality, dict[str, int | None]]

# Steps of a search in W and in W+ (None: the inverter's own), from W's mean and from an encoder's code, alone and
# before tuning; and of tuning.
_OPTIMIZE: Steps = {
    "draft": {"w": 50, "w+": 80},
    "good": {"w": None, "w+": None},
    "best": {"w": 200, "w+": 440},
}

_HYBRID: Steps = {"draft": {"w": 20, "w+": 40}, "good": {"w": None, "w+": None}, "best": {"w": 100, "w+": 200}}
_PIVOT: Steps = {"draft": {"w": 40, "w+": 60}, "good": {"w": 60, "w+": 100}, "best": {"w": 100, "w+": 150}}
_HYBRID_PIVOT: Steps = {"draft": {"w": 20, "w+": 30}, "good": {"w": 30, "w+": 50}, "best": {"w": 50, "w+": 80}}
_TUNING = {"draft": 40, "good": 80, "best": 150}
_NOISE = {"draft": 30, "good": 60, "best": 120}


def make_inverter(
    G: "Generator",
    method: Method | None = None,
    *,
    quality: Quality = "good",
    space: "Space" = "w+",
    steps: int | None = None,
    seed: int = 0,
    precision: "Precision" = "auto",
    weights: "Form" = "full",
    encoder: "Path | None" = None,
    identity_weight: float | None = None,
    pivot: PivotMethod | None = None,
) -> Inverter:
    """An inverter by its name.

    Args:
        G: the generator.
        method: ``hybrid``, an encoder's code and a search from there; ``optimize``, a search from W's mean;
            ``pivotal``, a short one of the two and then tuning of the weights; ``noise``, one and then noise maps;
            ``encode``, an encoder alone. What ``pivotal`` and ``noise`` begin with is ``pivot``. None for
            ``hybrid`` where there is an encoder, else ``optimize``.
        quality: ``draft``, ``good`` or ``best``: how many steps.
        space: of the search.
        steps: of the method's last part: search, tuning or noise; None for the quality's.
        seed, precision: as the inverters take them.
        weights: the form in which tuned weights are kept.
        encoder: an encoder's file; None for the one that comes with this package for the generator.
        identity_weight: of who is seen, where ``invert`` is told how to measure it; None for the inverters' own.
        pivot: what ``pivotal`` and ``noise`` find the code by; None for ``hybrid`` where there is an encoder, else
            ``optimize``.

    Raises:
        InputError: there is no such method or quality, a setting is out of its range, or ``hybrid`` or ``encode``
            is wanted and there is no encoder for the generator.
    """
    if quality not in _TUNING:
        raise InputError(f"The quality is {', '.join(_TUNING)}, not {quality}.")
    if method == "encode":
        return _encoder_inverter(G, encoder, space, steps)
    if space not in ("w", "w+"):
        raise InputError(f"The space is w or w+, not {space}.")
    from stylegan_latents.encoders.shipped import shipped_encoder

    has_encoder = encoder is not None or shipped_encoder(G) is not None
    if method is None:
        method = "hybrid" if has_encoder else "optimize"
    common: dict[str, Any] = {"seed": seed, "precision": precision}
    if identity_weight is not None:
        common["identity_weight"] = identity_weight

    def search(steps: int | None, method: str | None) -> "OptimizationInverter":
        if method == "optimize":
            from stylegan_latents.invert.inverters.optimize import OptimizationInverter

            return OptimizationInverter(G, space, steps=steps, **common)
        from stylegan_latents.invert.inverters.hybrid import HybridInverter

        return HybridInverter(G, encoder, space, steps=steps, **common)

    if method in ("hybrid", "optimize"):
        table = _HYBRID if method == "hybrid" else _OPTIMIZE
        return search(table[quality][space] if steps is None else steps, method)
    begin = pivot or ("hybrid" if has_encoder else "optimize")

    def found_by(searched: Steps, hybrid: Steps) -> "Pivot":
        if begin == "encode":
            return _encoder_inverter(G, encoder, space, None)
        return search((hybrid if begin == "hybrid" else searched)[quality][space], begin)

    if method == "pivotal":
        from stylegan_latents.invert.inverters.pivotal import PivotalTuning

        found = found_by(_PIVOT, _HYBRID_PIVOT)
        return PivotalTuning(G, found, steps=_TUNING[quality] if steps is None else steps, form=weights, **common)
    if method == "noise":
        from stylegan_latents.invert.inverters.noise import NoiseOptimization

        found = found_by(_OPTIMIZE, _HYBRID)
        return NoiseOptimization(G, found, steps=_NOISE[quality] if steps is None else steps, precision=precision)
    raise InputError(f"The method is hybrid, optimize, pivotal, noise or encode, not {method}.")


def _encoder_inverter(
    G: "Generator", encoder: "Path | None", space: "Space", steps: int | None
) -> "EncoderInverter":
    from stylegan_latents.invert.inverters.encode import EncoderInverter

    encoding = EncoderInverter(G, encoder, steps=steps)
    if space == "w" and encoding.space != "w":
        raise InputError(f"The encoder '{encoding.encoder}' gives codes of W+; leave --space w out.")
    return encoding
