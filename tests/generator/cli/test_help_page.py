"""What every program's ``--help`` shows, its version, and what it tells a shell that completes it."""

import importlib.metadata
from typing import Annotated

import pytest
import typer

from stylegan_latents.generator.cli.command import new_app, run
from stylegan_latents.generator.cli.help_page import examples


@pytest.fixture(name="app")
def _app() -> typer.Typer:
    app = new_app()

    @app.command(epilog=examples("tool a.png", "tool b.png --quality 3"))
    def command(photo: str, quality: Annotated[int, typer.Option(help="How long.")] = 1) -> None:
        """Do it."""
        raise AssertionError((photo, quality))

    return app


def test_examples_stand_one_a_line(app: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, "tool", ["--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    begin = lines.index("Examples:")
    assert lines[begin + 1 : begin + 3] == ["tool a.png", "tool b.png --quality 3"]
    assert examples("tool a.png") == "Example:\n  tool a.png"


def test_a_long_example_is_not_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    line, app = f"tool {'a-long-name ' * 9}[here].png", new_app()
    app.command(epilog=examples(line))(lambda: None)
    assert run(app, "tool", ["--help"]) == 0
    assert line in capsys.readouterr().out


def test_the_version_needs_no_argument(app: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, "tool", ["--version"]) == 0
    assert capsys.readouterr().out == f"stylegan-latents {importlib.metadata.version('stylegan-latents')}\n"


def test_a_program_of_several_commands_has_a_version_too(capsys: pytest.CaptureFixture[str]) -> None:
    app = new_app()
    for name in ("one", "two"):

        @app.command(name)
        def command(count: int = 1) -> None:
            """Do it."""

    assert run(app, "tool", ["--version"]) == 0
    assert capsys.readouterr().out.startswith("stylegan-latents ")
    assert run(app, "tool", ["two", "--help"]) == 0
    assert "INTEGER" not in capsys.readouterr().out


def test_a_shell_can_complete_it(
    app: typer.Typer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_TOOL_COMPLETE", "complete_bash"), ("COMP_WORDS", "tool --qu"), ("COMP_CWORD", "1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        run(app, "tool", [])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "--quality\n"


def test_only_what_one_word_starts_offers_completion(app: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    for program, offered in (("tool", True), ("python -m tool", False)):
        assert run(app, program, ["--help"]) == 0
        assert ("--install-completion" in capsys.readouterr().out) is offered
