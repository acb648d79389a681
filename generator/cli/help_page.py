"""The pages of ``--help``: types in words, examples, and the options for version and completion."""

import re
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer

_WORDS = {bool: "", int: "N", float: "X", str: "TEXT", Path: "PATH"}
_PANEL = "Help and completion"
_COMPLETION = {
    "install_completion": "Let the shell complete this program's options with the Tab key.",
    "show_completion": "Print the script that does that, to copy or adapt it.",
}


def examples(*lines: str) -> str:
    """The ``epilog`` of a command: examples, which ``--help`` prints one a line, unwrapped, for copying."""
    return "\n".join(["Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)])


def program_options(command: Any, *, completes: bool) -> None:
    """Add ``--version`` and, if a shell completes the program, options for that, in one panel with ``--help``."""
    command.params = [one for one in command.params if completes or one.name not in _COMPLETION]
    for parameter in command.params:
        if parameter.name in _COMPLETION:
            parameter.help, parameter.rich_help_panel = _COMPLETION[parameter.name], _PANEL
    command.params.append(_version_option())
    help_option = command.get_help_option

    def in_panel(ctx: Any) -> Any:
        option = help_option(ctx)
        if option is not None:
            option.metavar, option.rich_help_panel = "", _PANEL
        return option

    command.get_help_option = in_panel


def complete(command: Any) -> None:
    """Set missing ``metavar``s (a switch has none), unwrap the text and print ``epilog`` as it is."""
    for one in getattr(command, "commands", {}).values():
        complete(one)
    # Typer breaks lines where the docstring does.
    command.help = re.sub(r"(?<!\n)\n(?!\n)", " ", command.help or "")
    show, epilog, command.epilog = command.format_help, command.epilog, None

    def with_epilog(ctx: Any, formatter: Any) -> None:
        show(ctx, formatter)
        if epilog:
            print("", *epilog.splitlines(), sep="\n ", end="\n\n")

    command.format_help = with_epilog
    hints = {} if command.callback is None else get_type_hints(command.callback)
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            # Newer versions also show an argument's Python type, such as list[Path].
            parameter.display_type_rich = lambda ctx: None  # noqa: ARG005 - called by this name
        elif parameter.metavar is None:
            parameter.metavar = _word(hints.get(parameter.name, bool))


def _version_option() -> Any:
    maker = typer.Typer(add_completion=False)

    @maker.command()
    def version(
        version: Annotated[
            bool,
            typer.Option(
                "--version",
                help="Print the version and exit.",
                is_eager=True,
                expose_value=False,
                callback=_print_version,
                rich_help_panel=_PANEL,
            ),
        ] = False,
    ) -> None:
        pass

    return typer.main.get_command(maker).params[0]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"stylegan-latents {version('stylegan-latents')}")
        except PackageNotFoundError:
            print("stylegan-latents, run from its folder without being installed")
        raise typer.Exit


def _word(hint: object) -> str:
    """``N`` for an int, ``a | b`` for a choice; for an optional or repeated value, that of the value."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(inner)
    if origin in (Annotated, Union, UnionType, list):
        return _word(inner[0])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " | ".join(str(one.value) for one in hint)
    return _WORDS.get(hint, "") if isinstance(hint, type) else ""
