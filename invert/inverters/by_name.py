"""The registry of inverters, which the command line, the demo and the documentation read.

A new inverter is a new file in this folder and an entry here. It is imported when it is first made.
"""

import dataclasses
import importlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.inverters.options import InverterOptions, Quality, Space

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.inverters.base import Inverter

Steps = Mapping[Quality, Mapping[Space, int | None]]


def _steps(w: tuple[int | None, ...], w_plus: tuple[int | None, ...]) -> Steps:
    """For each quality; None for the inverter's default."""
    each = zip(get_args(Quality), w, w_plus, strict=True)
    return {quality: {"w": in_w, "w+": in_w_plus} for quality, in_w, in_w_plus in each}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An inverter's entry in the registry.

    Attributes:
        path: ``package.module:Class`` of a subclass of ``Inverter``.
        what: for help texts, what it does, in a few words.
        takes: options of the command line that only some inverters take; the others are refused.
        steps: by quality and space; None where there is nothing to choose.
        steps_before_tuning: the same where it finds the pivot of ``pivotal``; None for ``steps``.
        refines: whether it starts from the codes of a pivot: ``no``, or which steps the pivot takes.
        films: whether it takes films.
        finds_pivots: whether another inverter may refine its codes.
    """

    path: str
    what: str
    takes: frozenset[str] = frozenset()
    steps: Steps | None = None
    steps_before_tuning: Steps | None = None
    refines: Literal["no", "steps", "steps_before_tuning"] = "no"
    films: bool = True
    finds_pivots: bool = True

    def load(self) -> "type[Inverter]":
        """Import the class."""
        module, name = self.path.split(":")
        made: type[Inverter] = getattr(importlib.import_module(module), name)
        return made


_HERE = "stylegan_latents.invert.inverters"
_SEARCH = frozenset({"preview", "precision", "identity_weight"})
INVERTERS: dict[str, Entry] = {
    "hybrid": Entry(
        path=f"{_HERE}.hybrid:HybridInverter",
        what="start from an encoder's code and search, the default",
        takes=_SEARCH | {"encoder"},
        steps=_steps((10, 20, None, 80), (5, 28, None, 130)),
        steps_before_tuning=_steps((10, 15, 25, 40), (5, 18, 28, 45)),
    ),
    "optimize": Entry(
        path=f"{_HERE}.optimize:OptimizationInverter",
        what="search without an encoder",
        takes=_SEARCH,
        steps=_steps((20, 35, None, 140), (20, 45, None, 220)),
        steps_before_tuning=_steps((15, 25, 40, 70), (20, 30, 50, 80)),
    ),
    "pivotal": Entry(
        path=f"{_HERE}.pivotal:PivotalTuning",
        what="find a code, then tune the model's weights",
        takes=_SEARCH | {"encoder", "pivot", "weights", "keep_unchanged"},
        steps=_steps((12, 30, 60, 120), (12, 30, 60, 120)),
        refines="steps_before_tuning",
        films=False,
        finds_pivots=False,
    ),
    "layered": Entry(
        path=f"{_HERE}.layered:LayeredInversion",
        what="tune the model where it can draw the photo, and keep the photo's features elsewhere",
        takes=_SEARCH | {"encoder", "pivot", "weights"},
        steps=_steps((20, 60, 120, 240), (20, 60, 120, 240)),
        refines="steps_before_tuning",
        films=False,
        finds_pivots=False,
    ),
    "noise": Entry(
        path=f"{_HERE}.noise:NoiseOptimization",
        what="find a code, then optimise the model's noise maps",
        takes=_SEARCH | {"encoder", "pivot"},
        steps=_steps((10, 30, 60, 120), (10, 30, 60, 120)),
        refines="steps",
        films=False,
        finds_pivots=False,
    ),
    "encode": Entry(
        path=f"{_HERE}.encode:EncoderInverter",
        what="an encoder alone, without a search",
        takes=frozenset({"encoder"}),
    ),
    "person": Entry(
        path=f"{_HERE}.person:PersonInverter",
        what="search what the photos of --person span, the default with it",
        takes=_SEARCH | {"person"},
        steps=_steps((10, 20, 40, 100), (13, 40, 80, 200)),
        films=False,
        finds_pivots=False,
    ),
}

if TYPE_CHECKING:
    Method: TypeAlias = str
    PivotMethod: TypeAlias = str
else:

    def __getattr__(name):
        """``Method`` and ``PivotMethod``: literal types of the names in ``INVERTERS``."""
        if name == "Method":
            return Literal[tuple(INVERTERS)]
        if name == "PivotMethod":
            return Literal[tuple(pivot for pivot, entry in INVERTERS.items() if entry.finds_pivots)]
        raise AttributeError(name)


_REFUSED = {
    "encoder": "is of no use to --method {method}",
    "preview": "films a search, and --method {method} has none",
    "precision": "is for a search, and encoding is done in float32",
    "identity_weight": "is for a search, and --method {method} has none",
    "weights": "is for tuning",
    "keep_unchanged": "is for tuning",
    "pivot": "is what {takers} start from",
    "person": "is another method",
}
"""Why a method does not take an option."""


def film_methods() -> list[str]:
    """The names of the inverters that films take."""
    return [name for name, entry in INVERTERS.items() if entry.films]


def methods_help() -> str:
    """Every inverter's name with what it does, for a help text."""
    return "; ".join(f"{name}: {entry.what}" for name, entry in INVERTERS.items()) + "."


def check_options(method: str | None, given: Collection[str], *, pivot: str | None = None) -> None:
    """Raise InputError for an option that the inverter does not take.

    Args:
        method: its name; None for the default.
        given: the names of the options that a user gave, with underscores.
        pivot: the name of the pivot that a user gave.
    """
    entry = INVERTERS["hybrid" if method is None else method]
    for option, words in _REFUSED.items():
        if option in given and option not in entry.takes:
            takers = [name for name, other in INVERTERS.items() if option in other.takes]
            words = words.format(method=method, takers=" and ".join([", ".join(takers[:-1]), takers[-1]]))
            change = "add" if method is None else "take"
            raise InputError(
                f"--{option.replace('_', '-')} {words}; {change} --method {_either(takers)}, or leave it out."
            )
    if pivot is not None and "encoder" in given and "encoder" not in INVERTERS[pivot].takes:
        raise InputError(f"--encoder is of no use to --pivot {pivot}; leave one of them out.")


def make_inverter(G: "Generator", method: str | None = None, **options: Any) -> "Inverter":
    """An inverter by its name.

    Args:
        G: the generator.
        method: its name in ``INVERTERS``; None for ``hybrid`` where there is an encoder, else ``optimize``.
        options: fields of ``InverterOptions``: ``quality="draft"``, ``steps=50``, ``seed=1``.

    Raises:
        InputError: there is no such method or quality, a setting is out of its range, or there is no encoder for
            the generator.
    """
    chosen = InverterOptions(**options)
    name = _default(G, chosen) if method is None else method
    if name not in INVERTERS:
        raise InputError(f"The method is {_either(list(INVERTERS))}, not {name}.")
    entry = INVERTERS[name]
    pivot = None
    if entry.refines != "no":
        pivot_name = chosen.pivot or _default(G, chosen)
        pivots = [other for other, one in INVERTERS.items() if one.finds_pivots]
        if pivot_name not in pivots:
            raise InputError(f"The pivot is {_either(pivots)}, not {pivot_name}.")
        first = INVERTERS[pivot_name]
        short = entry.refines == "steps_before_tuning" and first.steps_before_tuning
        steps = _chosen(short or first.steps, chosen)
        pivot = first.load().from_options(G, dataclasses.replace(chosen, steps=steps), None)
    if chosen.steps is None:
        chosen = dataclasses.replace(chosen, steps=_chosen(entry.steps, chosen))
    return entry.load().from_options(G, chosen, pivot)


def _chosen(steps: Steps | None, options: InverterOptions) -> int | None:
    return None if steps is None else steps[options.quality][options.space]


def _default(G: "Generator", options: InverterOptions) -> str:
    from stylegan_latents.encoders.loading import shipped_encoder

    return "optimize" if options.encoder is None and shipped_encoder(G) is None else "hybrid"


def _either(names: list[str]) -> str:
    """``a, b or c``."""
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
