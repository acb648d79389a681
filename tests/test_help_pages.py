"""What --help says an option takes is in words."""

import re

import pytest
import typer

import demo.cli
import editing.cli
import encoders.train
import generator.convert
import invert.cli
from generator.command import run

PROGRAMS = {
    "invert": invert.cli.app,
    "edit": editing.cli.apply_app,
    "python -m generator.convert": generator.convert.app,
    "python -m encoders.train": encoders.train.app,
    "python -m demo": demo.cli.demo_app,
    **{f"edit {name}": app for name, app in editing.cli.COMMANDS.items()},
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
    assert run(invert.cli.app, "invert", ["--help"]) == 0
    assert "and me.inverted.png, what the generator makes of it." in capsys.readouterr().out
