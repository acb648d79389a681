"""What ``--help`` says an option takes, in words in place of Python's types."""

import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

_WORDS = {bool: "", int: "N", float: "X", str: "TEXT", Path: "PATH"}


def complete(command: Any, function: Callable[..., object]) -> None:
    """Name what each option takes that has no ``metavar`` of its own (a switch takes nothing), and let text flow.

    Args:
        command: Typer's, whose class has another name in some of its versions.
        function: that it was made from, whose annotations say what is taken.
    """
    # Typer breaks lines where the docstring does.
    command.help = re.sub(r"(?<!\n)\n(?!\n)", " ", command.help or "")
    hints, help_option = get_type_hints(function), command.get_help_option

    def switch(ctx: Any) -> Any:
        option = help_option(ctx)
        if option is not None:
            option.metavar = ""
        return option

    command.get_help_option = switch
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            # Newer versions show a type beside an argument's name, list[Path] for one.
            parameter.display_type_rich = lambda ctx: None  # noqa: ARG005 - called by this name
        elif parameter.metavar is None:
            parameter.metavar = _word(hints.get(parameter.name, bool))


def _word(hint: object) -> str:
    """``N`` for an int, ``a | b`` for a choice; of an optional or repeated value, that of the value."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(inner)
    if origin in (Annotated, Union, UnionType, list):
        return _word(inner[0])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " | ".join(str(one.value) for one in hint)
    return _WORDS.get(hint, "") if isinstance(hint, type) else ""
