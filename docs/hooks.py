"""What MkDocs puts into pages: the commands and the Python API, from the programs themselves, and ``NOTICE.md``."""

import html
import io
import re
from contextlib import redirect_stdout, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import typer

from stylegan_latents.demo.commands import COMMANDS, PROGRAM
from stylegan_latents.editing.commands import cli as edit_cli
from stylegan_latents.generator.cli import help_page
from stylegan_latents.invert.commands import cli as invert_cli

PACKAGES = ("generator", "encoders", "invert", "editing")
ROOT = Path(__file__).parents[1]
_MARK = re.compile(r"<!-- generated: (\w+) -->")


def programs() -> dict[str, typer.Typer | None]:
    """The programs and commands by what is typed to start them; None for one whose options are no Typer's."""
    toolkit = {
        f"{PROGRAM} {name}": _app_of(f"stylegan_latents.{command.module}") for name, command in COMMANDS.items()
    }
    edits = {f"edit {name}": app for name, app in edit_cli.COMMANDS.items()}
    return {"invert": invert_cli.app, "edit": edit_cli.app, **edits, **toolkit}


def help_text(program: str) -> str:
    """What ``--help`` prints of a command of ``stylegan-latents``."""
    module = COMMANDS[program.removeprefix(f"{PROGRAM} ")].module
    with redirect_stdout(io.StringIO()) as shown, suppress(SystemExit):
        import_module(f"stylegan_latents.{module}").main(["--help"])
    return shown.getvalue()


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each mark ``<!-- generated: NAME -->`` by what is made."""
    makers = {"commands": _commands, "api": _api, "notice": _notice}
    return _MARK.sub(lambda mark: makers[mark[1]](), markdown)


def _app_of(module: str) -> typer.Typer | None:
    contents = vars(import_module(module)).values()
    return next((value for value in contents if isinstance(value, typer.Typer)), None)


def _commands() -> str:
    return "\n\n".join(_page(program, app) for program, app in programs().items())


def _page(program: str, app: typer.Typer | None) -> str:
    if app is None:
        return f"## {program}\n\n```text\n{help_text(program).rstrip()}\n```"
    command = typer.main.get_command(app)
    lines = [one.strip() for one in (command.epilog or "").splitlines() if one.strip()]
    # `edit` is a group, of which a hidden command takes what follows no command's name.
    command = next((one for one in getattr(command, "commands", {}).values() if one.hidden), command)
    help_page.complete(command)
    parts = [f"## {program}", command.help or ""]
    examples = [one if one.startswith(_starts()) else f"# {one}" for one in lines if one not in _HEADINGS]
    if examples:
        parts.append("\n".join(["```bash", *examples, "```"]))
    panels: dict[str, list[str]] = {}
    for one in command.params:
        if one.name not in ("help", "install_completion", "show_completion") and not one.hidden:
            panel = getattr(one, "rich_help_panel", None)
            kind = "Arguments" if one.param_type_name == "argument" else "Options"
            panels.setdefault(panel or kind, []).append(_row(one))
    for panel, rows in panels.items():
        parts.append("\n".join([f"**{panel}**", "", "| name | takes | what it does |", "|---|---|---|", *rows]))
    return "\n\n".join(parts)


_HEADINGS = ("Example:", "Examples:")


def _starts() -> tuple[str, ...]:
    return ("invert ", "edit ", f"{PROGRAM} ")


def _row(one: Any) -> str:
    if one.param_type_name == "argument":
        names, takes = [one.metavar or one.name], ""
    else:
        names, takes = [*one.opts, *one.secondary_opts], one.metavar or ""
    notes = ["required"] if one.required else []
    default = None if callable(one.default) else one.default
    if not isinstance(default, bool) and isinstance(default, str | int | float | tuple) and default not in ("", ()):
        shown = default if isinstance(default, tuple) else (default,)
        notes.append(f"by default {' '.join(str(getattr(value, 'value', value)) for value in shown)}")
    what = f"{one.help or ''}{' (' + ', '.join(notes) + ')' if notes else ''}"
    return f"| {', '.join(map(_code, names))} | {_code(takes) if takes else ''} | {_cell(what)} |"


def _code(text: str) -> str:
    return f"<code>{_cell(text)}</code>"


def _cell(text: str) -> str:
    """Text in a table: a bar would end the cell, even in code."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", "&#124;")


def _api() -> str:
    parts = []
    for package in PACKAGES:
        module = import_module(f"stylegan_latents.{package}")
        parts += [f"## stylegan_latents.{package}", (module.__doc__ or "").partition("\n")[0]]
        parts += [f"::: stylegan_latents.{package}.{name}" for name in module.__all__]
    return "\n\n".join(parts)


def _notice() -> str:
    """``NOTICE.md`` as sections of a page."""
    text = (ROOT / "NOTICE.md").read_text(encoding="utf-8")
    return re.sub(r"^#", "##", text, flags=re.MULTILINE)
