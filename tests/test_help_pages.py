"""What --help says an option takes is in words."""

import re

import pytest
import typer

from stylegan_latents.demo import cli as demo_cli
from stylegan_latents.editing.commands import cli as edit_cli
from stylegan_latents.encoders import train
from stylegan_latents.generator import convert
from stylegan_latents.generator.cli.command import run
from stylegan_latents.invert.commands import cli as invert_cli

PROGRAMS = {
    "invert": invert_cli.app,
    "edit": edit_cli.apply_app,
    "stylegan-latents convert": convert.app,
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


def test_paragraphs_flow(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert run(invert_cli.app, "invert", ["--help"]) == 0
    assert "and me.inverted.png, what the generator makes of it." in capsys.readouterr().out
