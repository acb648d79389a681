"""A command line is what its settings dataclass says."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
import typer

from stylegan_latents.generator.cli.command import new_app, run
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Output:
    out: Annotated[Path | None, typer.Option(help="Folder of the results.", metavar="DIR")] = None
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False


@dataclass(frozen=True, kw_only=True)
class Settings:
    photos: Annotated[list[Path], typer.Argument(help="Photos.")]
    steps: Annotated[int, typer.Option(min=1, help="How many steps.")] = 7
    quality: Annotated[Literal["draft", "good"], typer.Option(help="How long.")] = "good"
    names: Annotated[list[str], typer.Option("--name", help="Repeatable.")] = field(default_factory=list)
    output: Output = field(default_factory=Output)
    made: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        if self.steps == 13:
            raise InputError("13 steps bring bad luck.")


@pytest.fixture(name="seen")
def _seen() -> list[Settings]:
    return []


@pytest.fixture(name="app")
def _app(seen: list[Settings]) -> typer.Typer:
    app = new_app()

    @app.command()
    @takes(Settings)
    def command(settings: Settings) -> None:
        """Do it."""
        seen.append(settings)

    return app


def test_what_is_typed_becomes_the_dataclass(app: typer.Typer, seen: list[Settings]) -> None:
    typed = ["a.png", "b.png", "--steps", "3", "--name", "x", "--name", "y", "--out", "here", "--overwrite"]
    assert run(app, "program", typed) == 0
    here = Output(out=Path("here"), overwrite=True)
    assert seen == [Settings(photos=[Path("a.png"), Path("b.png")], steps=3, names=["x", "y"], output=here)]


def test_what_is_not_typed_is_the_default(app: typer.Typer, seen: list[Settings]) -> None:
    assert run(app, "program", ["a.png"]) == 0
    assert seen == [Settings(photos=[Path("a.png")])]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["a.png", "--steps", "0"], "--steps"),
        (["a.png", "--steps", "13"], "bad luck"),
        (["a.png", "--quality", "fine"], "draft"),
        ([], "photos"),
        (["a.png", "--made"], "No such option"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(
    app: typer.Typer, seen: list[Settings], typed: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(app, "program", typed) == 2
    assert sentence in capsys.readouterr().err
    assert not seen


def test_the_help_page_has_every_field_with_its_text(app: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, "program", ["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for words in ("Do it.", "How many steps.", "draft | good", "Folder of the results.", "--overwrite"):
        assert words in shown


def test_two_options_of_one_name_are_a_mistake_of_the_program() -> None:
    @dataclass
    class Twice:
        overwrite: Annotated[bool, typer.Option()] = False
        output: Output = field(default_factory=Output)

    with pytest.raises(TypeError, match="overwrite"):
        takes(Twice)


def test_the_options_of_a_group_stand_together_under_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Result(Output):
        panel: ClassVar[str] = "Result"

    @dataclass(frozen=True, kw_only=True)
    class All:
        steps: Annotated[int, typer.Option(help="How many steps.")] = 7
        result: Result = field(default_factory=Result)

    for settings in (All, Output):
        app = new_app()
        app.command()(takes(settings)(lambda _: None))
        assert run(app, "program", ["--help"]) == 0
        before, titled, after = capsys.readouterr().out.partition(" Result ")
        assert bool(titled) is (settings is All)
        assert "--overwrite" in (after or before)
        assert not titled or ("--steps" in before and "--overwrite" not in before)


def test_inherited_groups_come_in_the_order_in_which_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Speed:
        panel: ClassVar[str] = "Speed"
        steps: Annotated[int, typer.Option(help="How many steps.")] = 7

    @dataclass(frozen=True, kw_only=True)
    class Files(Output):
        panel: ClassVar[str] = "Files"

    @dataclass(frozen=True, kw_only=True)
    class Both(Files, Speed):
        panel: ClassVar[str] = "Rest"
        quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False

    seen: list[Both] = []
    app = new_app()
    app.command()(takes(Both)(seen.append))
    assert run(app, "program", ["--overwrite", "--steps", "3"]) == 0
    assert seen == [Both(steps=3, overwrite=True)]
    assert run(app, "program", ["--help"]) == 0
    shown = capsys.readouterr().out
    places = [shown.index(words) for words in (" Files ", "--overwrite", " Speed ", "--steps", " Rest ", "--quiet")]
    assert places == sorted(places)
