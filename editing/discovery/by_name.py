"""The finders by name: one entry for each, which ``edit discover`` and the demo read."""

import copy
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, field, fields, make_dataclass
from functools import partial
from typing import Annotated, Any, get_args, get_type_hints

from stylegan_latents.editing.discovery.finders.base import FinderOptions
from stylegan_latents.editing.discovery.finders.examples import MeanDifferenceOptions
from stylegan_latents.editing.discovery.finders.flow import FlowOptions
from stylegan_latents.editing.discovery.finders.ganspace import GANSpaceOptions
from stylegan_latents.editing.discovery.finders.interfacegan_options import InterFaceGANOptions
from stylegan_latents.editing.discovery.finders.low_rank import LowRankOptions
from stylegan_latents.editing.discovery.finders.sefa import SeFaOptions
from stylegan_latents.editing.discovery.finders.stylespace import StyleSpaceOptions
from stylegan_latents.editing.discovery.finders.text import TextOptions
from stylegan_latents.editing.discovery.finders.way_back import WayBackOptions
from stylegan_latents.generator.errors import InputError


@dataclass(frozen=True)
class FinderEntry:
    """A finder.

    Attributes:
        title: its name in papers.
        summary: a phrase on its directions.
        options: its options, whose plan makes it.
        axes: whether its directions are ranked axes of the model, which need no input.
    """

    title: str
    summary: str
    options: type[FinderOptions]
    axes: bool = False


FINDERS: dict[str, FinderEntry] = {
    "sefa": FinderEntry("SeFa", "what the weights amplify most", SeFaOptions, axes=True),
    "ganspace": FinderEntry("GANSpace", "where samples differ most", GANSpaceOptions, axes=True),
    "stylespace": FinderEntry("StyleSpace", "single channels for a region or for examples", StyleSpaceOptions),
    "examples": FinderEntry("Examples", "the difference between two folders of inversions", MeanDifferenceOptions),
    "interfacegan": FinderEntry("InterFaceGAN", "what changes a score", InterFaceGANOptions),
    "wayback": FinderEntry("WayBack", "what negative strengths of a direction move along", WayBackOptions),
    "lowrank": FinderEntry("LowRank", "what changes a region and nothing else", LowRankOptions),
    "flow": FinderEntry("StyleFlow", "one network that sets several scores to values", FlowOptions),
    "text": FinderEntry("StyleCLIP", "what changes a picture towards a text", TextOptions),
}


def finder(name: str) -> FinderEntry:
    """The entry of a finder.

    Raises:
        InputError: there is none of this name.
    """
    if name not in FINDERS:
        raise InputError(f"There is no method '{name}'; take {_either(list(FINDERS))}.")
    return FINDERS[name]


def all_options() -> type[Any]:
    """A dataclass of all finders' options, whose help names the finders that take each."""
    made: list[tuple[str, Any, Any]] = []
    for name, hint, one in _options():
        kind, option = get_args(hint)
        takers = _takers(name)
        if len(takers) < len(FINDERS):
            option = copy.copy(option)
            option.help = f"{option.help} ({', '.join(takers)})"
        made.append((name, Annotated[kind, option], field(default_factory=partial(_default, one))))
    return make_dataclass("AllFinderOptions", made, frozen=True, kw_only=True)


def options_of(method: str, given: Any) -> FinderOptions:
    """A finder's own options out of those of all finders.

    Args:
        method: the finder's name.
        given: an instance of ``all_options``.

    Raises:
        InputError: there is no such finder, it does not take an option that is given, or its options make no sense.
    """
    entry = finder(method)
    own = {one.name for one in fields(entry.options)}
    for name, hint, one in _options():
        default = _default(one)
        if name not in own and getattr(given, name, default) != default:
            raise InputError(
                f"--method {method} does not take {_spelling(name, hint)}, which is for {_either(_takers(name))}; "
                "leave it out."
            )
    return entry.options(**{name: getattr(given, name) for name in own if hasattr(given, name)})


def _options() -> Iterator[tuple[str, Any, "Field[Any]"]]:
    """Name, annotation and field of every option, each once."""
    seen: set[str] = set()
    for entry in FINDERS.values():
        hints = get_type_hints(entry.options, include_extras=True)
        for one in fields(entry.options):
            if one.name not in seen:
                seen.add(one.name)
                yield one.name, hints[one.name], one


def _default(option: "Field[Any]") -> Any:
    factory = option.default_factory
    return option.default if factory is MISSING else factory()


def _takers(option: str) -> list[str]:
    return [name for name, entry in FINDERS.items() if option in {one.name for one in fields(entry.options)}]


def _spelling(name: str, hint: Any) -> str:
    """The option on the command line."""
    option = get_args(hint)[1]
    # Typer keeps the first spelling where other options have their default.
    declared = [one for one in (option.default, *(option.param_decls or ())) if str(one).startswith("--")]
    return str(declared[0]) if declared else f"--{name.replace('_', '-')}"


def _either(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
