"""Command lines from dataclasses: each option is one field with its type, help text and bounds."""

import copy
import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from typer.models import OptionInfo

Settings = TypeVar("Settings")


def takes(settings: type[Settings]) -> Callable[[Callable[[Settings], Any]], Callable[..., Any]]:
    """Decorate a Typer command of one argument, a dataclass, whose fields become its arguments and options.

    A field has Typer's annotation: ``Annotated[int, typer.Option(min=1, help="...")]``. A field without a default
    is required; one with ``init=False`` is no option. A field that is itself a dataclass is a group of options and
    is passed on as a whole; groups may also be inherited, in the order of the bases. The class variable ``panel``
    is the title of a dataclass's options in ``--help``, except for inherited ones that have a title.

    Args:
        settings: the dataclass. An ``InputError`` in its ``__post_init__`` is reported like any other.

    Raises:
        TypeError: two fields of the dataclass and its groups have the same name.
    """
    parameters: dict[str, inspect.Parameter] = {}

    def collect(part: type[Any]) -> None:
        hints = get_type_hints(part, include_extras=True)
        for field, panel in _fields(part):
            hint = hints[field.name]
            if not field.init:
                continue
            if dataclasses.is_dataclass(hint):
                collect(hint)  # type: ignore[arg-type]
                continue
            if field.name in parameters:
                raise TypeError(f"{settings.__name__} has two options with the name {field.name}.")
            parameters[field.name] = inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=_default(field),
                annotation=_in_panel(hint, panel),
            )

    collect(settings)

    def decorate(command: Callable[[Settings], Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def run(**given: Any) -> Any:
            return command(_made(settings, given))

        run.__signature__ = inspect.Signature(list(parameters.values()))  # type: ignore[attr-defined]
        run.__annotations__ = {name: one.annotation for name, one in parameters.items()}
        del run.__wrapped__  # else Typer inspects the command's own signature
        return run

    return decorate


def _fields(part: type[Any]) -> "list[tuple[dataclasses.Field[Any], str | None]]":
    """The fields of a dataclass, inherited ones first, each with its panel's title."""
    if not dataclasses.is_dataclass(part):
        return []
    panel, own = part.__dict__.get("panel"), inspect.get_annotations(part)
    inherited = [pair for base in part.__bases__ for pair in _fields(base) if pair[0].name not in own]
    return [
        *((field, title or panel) for field, title in inherited),
        *((field, panel) for field in dataclasses.fields(part) if field.name in own),
    ]


def _in_panel(hint: Any, panel: str | None) -> Any:
    """The annotation with the panel's title in a copy of its option, which another group may share."""
    base, *notes = get_args(hint) if hasattr(hint, "__metadata__") else (hint,)
    if panel is None or not any(isinstance(note, OptionInfo) for note in notes):
        return hint
    notes = [copy.copy(note) for note in notes]
    for note in notes:
        if isinstance(note, OptionInfo) and note.rich_help_panel is None:
            note.rich_help_panel = panel
    return Annotated[(base, *notes)]


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default


def _made(part: type[Any], given: dict[str, Any]) -> Any:
    hints = get_type_hints(part)
    values = {
        field.name: _made(hints[field.name], given)
        if dataclasses.is_dataclass(hints[field.name])
        else given[field.name]
        for field in dataclasses.fields(part)
        if field.init
    }
    return part(**values)
