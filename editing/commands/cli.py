"""The program ``edit`` and its commands."""

import difflib
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from stylegan_latents.editing.commands.apply import EXAMPLES, edit
from stylegan_latents.editing.commands.blend import blend_app
from stylegan_latents.editing.commands.discover import discover_app
from stylegan_latents.editing.commands.drag import drag_app
from stylegan_latents.editing.commands.evaluate import evaluate_app, report_app
from stylegan_latents.editing.commands.grid import grid_app
from stylegan_latents.editing.commands.interpolate import interpolate_app
from stylegan_latents.editing.commands.lists import directions_app, models_app
from stylegan_latents.editing.commands.mix import mix_app
from stylegan_latents.editing.commands.parts import parts_app, retrieve_app
from stylegan_latents.editing.commands.repose import repose_app
from stylegan_latents.editing.commands.sample import sample_app
from stylegan_latents.editing.commands.shape import shape_app
from stylegan_latents.editing.commands.stylize import stylize_app
from stylegan_latents.editing.commands.text import text_app
from stylegan_latents.generator.cli.command import new_app, run
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.files import RECORD_SUFFIX

COMMANDS: dict[str, typer.Typer] = {
    "grid": grid_app,
    "mix": mix_app,
    "interpolate": interpolate_app,
    "drag": drag_app,
    "text": text_app,
    "stylize": stylize_app,
    "blend": blend_app,
    "repose": repose_app,
    "directions": directions_app,
    "discover": discover_app,
    "evaluate": evaluate_app,
    "parts": parts_app,
    "report": report_app,
    "retrieve": retrieve_app,
    "sample": sample_app,
    "shape": shape_app,
    "models": models_app,
}
_DEFAULT = "apply"


class _DefaultCommandGroup(TyperGroup):
    """A group with a default command, for a first word that names no command.

    The help page shows the default command's arguments and options above the commands. Contexts have no type here:
    some versions of Typer carry their own copy of Click.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.params = [*self.commands[_DEFAULT].params, *self.params]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command's name first where no command is named."""
        own = {name for one in self.get_params(ctx) for name in one.opts}
        asks_for_help = bool(own & set(args) & set(ctx.help_option_names))
        named = bool(args) and (args[0] in self.commands or args[0] in own)
        if asks_for_help and not named:
            args = [next(word for word in args if word in ctx.help_option_names)]
        elif not named and (args or not ctx.resilient_parsing):
            if args and not ctx.resilient_parsing:
                _check_spelling(args[0])
                _check_directions(args, {name for one in self.commands[_DEFAULT].params for name in one.opts})
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:
        """The group's own options; on its help page also those of the default command."""
        params, others = super().get_params(ctx), self.commands[_DEFAULT].params
        return params if ctx.meta.get(_DEFAULT) else [one for one in params if one not in others]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help page."""
        ctx.meta[_DEFAULT] = True
        super().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Complete the names of commands, and the default command's arguments and options."""
        return [*super().shell_complete(ctx, incomplete), *self.commands[_DEFAULT].shell_complete(ctx, incomplete)]


app = new_app()
app.command(_DEFAULT, hidden=True)(edit)
for _name, _one in COMMANDS.items():
    # A command of commands, which has a callback, needs its name; the others have it from their function.
    app.add_typer(_one, name=_name if _one.registered_callback else None)


@app.callback(
    cls=_DefaultCommandGroup, help=edit.__doc__, epilog=EXAMPLES, subcommand_metavar="| COMMAND [ARGS]..."
)
def _edit() -> None:
    """Has no options of its own."""


def _check_spelling(word: str) -> None:
    """Raise InputError for a first word that is similar to a command's name, and no record or photo."""
    if word.startswith("-") or Path(word).suffix or Path(word).exists() or Path(f"{word}{RECORD_SUFFIX}").exists():
        return
    near = difflib.get_close_matches(word, COMMANDS, n=1)
    if near:
        raise InputError(f"There is no command '{word}'; did you mean {near[0]}?")


def _check_directions(words: list[str], options: set[str]) -> None:
    """Raise InputError for a direction's name in the place of an option or of a record."""
    from stylegan_latents.editing.directions.catalogue import shipped_names

    names = shipped_names()
    for before, word in pairwise(["", *words]):
        name = word.removeprefix("--").lower()
        bare = word == name and not before.startswith("-") and not Path(word).exists()
        if name in names and word not in options and (bare or word.startswith("--")):
            raise InputError(f"'{word}' is a direction; write --direction {name} --strength 2.")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the console script's entry point."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in COMMANDS:
        return run(COMMANDS[words[0]], f"edit {words[0]}", words[1:])
    return run(app, "edit", words)


if __name__ == "__main__":
    sys.exit(main())
