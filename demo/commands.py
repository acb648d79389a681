"""The command ``stylegan-latents``: everything beside ``invert`` and ``edit``."""

import shlex
import sys
from importlib import import_module
from typing import NamedTuple

PROGRAM = "stylegan-latents"


class Command(NamedTuple):
    """A command: the module whose ``main`` takes its arguments, and what it does in a few words."""

    module: str
    summary: str


COMMANDS = {
    "demo": Command("demo.cli", "Open the browser demo: drop a photo, see yourself, move the sliders."),
    "convert": Command("generator.convert", "Write a generator's file in another format."),
    "export": Command("encoders.export", "Write a generator's networks or its encoder as ONNX, to run elsewhere."),
    "train": Command("encoders.train", "Train an encoder for a generator."),
    "discover": Command("editing.discovery.__main__", "Find a generator's face directions anew; about an hour."),
}
"""By name; a module is imported when its command is used."""

_OWN_PROGRAMS = ("invert", "edit")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the console script's entry point. Ctrl-C is one line even while modules are imported.

    Args:
        arguments: what was typed after the program's name; None for this process's own.

    Returns:
        The exit status.
    """
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        print(f"{PROGRAM}: Stopped.", file=sys.stderr)
        return 130


def _run(arguments: list[str]) -> int:
    import typer

    from stylegan_latents.generator.cli.command import WRONG_INPUT, new_app, run

    app = new_app()

    @app.callback(epilog=f"Example: {PROGRAM} train --help. The commands for photos are invert and edit.")
    def about() -> None:
        """The browser demo, and tools for models: conversion, encoders, directions."""

    def add(name: str, command: Command) -> None:
        # Whatever follows the name, --help included, is the command's own.
        settings = {"allow_extra_args": True, "ignore_unknown_options": True}

        @app.command(name, help=command.summary, add_help_option=False, context_settings=settings)
        def call(context: typer.Context) -> None:
            # The command says itself how it ended.
            statuses.append(import_module(f"stylegan_latents.{command.module}").main(context.args))

    if arguments and arguments[0] in _OWN_PROGRAMS:
        one = arguments[0]
        print(f"{PROGRAM}: {one} is a program of its own: {shlex.join(arguments)}", file=sys.stderr)
        return WRONG_INPUT
    statuses: list[int] = []
    for name, command in COMMANDS.items():
        add(name, command)
    status = run(app, PROGRAM, arguments or ["--help"])
    return statuses[0] if statuses else status


if __name__ == "__main__":
    sys.exit(main())
