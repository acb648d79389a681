"""What --help says an option takes is in words."""

import re

import pytest
import typer

from stylegan_latents.demo import cli as demo_cli
from stylegan_latents.editing.commands import cli as edit_cli
from stylegan_latents.encoders import export, train
from stylegan_latents.generator import convert
from stylegan_latents.generator.cli.command import run
from stylegan_latents.invert.commands import cli as invert_cli

PROGRAMS = {
    "invert": invert_cli.app,
    "edit": edit_cli.app,
    "stylegan-latents convert": convert.app,
    "stylegan-latents export": export.app,
    "stylegan-latents train": train.app,
    "stylegan-latents demo": demo_cli.demo_app,
    **{f"edit {name}": app for name, app in edit_cli.COMMANDS.items()},
}


@pytest.mark.parametrize(("program", "app"), PROGRAMS.items())
def test_no_option_is_told_in_types_of_python(
    program: str, app: typer.Typer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(app, program, ["--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Usage: {program}" in " ".join(shown.split())
    assert not re.search(r"<\w+|list\[|BOOLEAN|int range|INTEGER", shown)


def test_edit_lists_its_commands_beside_its_own_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for words in (["--help"], ["-h"], ["me.jpg", "--direction", "pose", "--help"]):
        assert edit_cli.main(words) == 0
        shown = capsys.readouterr().out
        assert re.search(r"grid +Show a range of strengths: one row of pictures for each --direction\.", shown)
        assert set(edit_cli.COMMANDS) <= set(shown.split())
        assert "--keep-identity" in shown
        assert "RECORD" in shown
        assert "apply" not in shown


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("edit in", {"interpolate"}),
        ("edit --pas", {"--paste-back"}),
        ("edit me.jpg --keep", {"--keep-identity"}),
        ("edit mix --thr", {"--threshold"}),
    ],
)
def test_the_shell_completes_commands_and_options(
    typed: str, offered: set[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_EDIT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    command = typer.main.get_command(edit_cli.app)
    # Typer knows its shells only where an application asks for completion.
    from typer.completion import completion_init

    completion_init()
    with pytest.raises(SystemExit):
        command.main([], prog_name="edit")
    assert set(capsys.readouterr().out.split()) == offered


@pytest.mark.parametrize(("program", "app"), PROGRAMS.items())
def test_no_option_is_without_help_text(program: str, app: typer.Typer) -> None:
    command = typer.main.get_command(app)
    commands = [command, *getattr(command, "commands", {}).values()]
    bare = [one.name for each in commands for one in each.params if not getattr(one, "help", None)]
    assert bare == [], program


def test_paragraphs_flow(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert run(invert_cli.app, "invert", ["--help"]) == 0
    assert "and me.inverted.png, the picture that the generator makes of it." in capsys.readouterr().out
