"""Every command line that a page shows is taken by the real programs; none is carried out."""

import functools
import os
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
import typer
from typer.models import CommandInfo

from docs.hooks import help_text, programs
from stylegan_latents.editing.discovery.__main__ import completed
from stylegan_latents.generator.cluster.connection import with_address
from stylegan_latents.generator.errors import InputError
from tests.docs.pages import PAGES, ROOT, blocks, without_blocks

PROGRAMS = programs()
OTHERS = {
    "python", "pip", "pytest", "ruff", "mypy", "lint-imports", "mkdocs", "pre-commit", ".ci/run", ".", "export",
    "mkdir", "http.server",
}  # fmt: skip
MODULES = {"invert": "invert", "edit": "editing", "stylegan-latents train": "encoders.train"}
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]

_CONTENTS = {  # of files whose kind is looked at
    "anna.person.safetensors": ROOT / "tests" / "data" / "records" / "anna.person.safetensors",
    "encoder.safetensors": ROOT / "encoders" / "trained" / "ffhq.safetensors",
    "restyle_e4e_ffhq.pt": ROOT / "tests" / "data" / "encoders" / "restyle-e4e.pt",
}


def command_lines() -> list[tuple[str, list[str]]]:
    """Each command with where it stands; what ``&&`` joins is several."""
    found = []
    for page in PAGES:
        for line, text in blocks(page, "bash"):
            for row in text.replace("\\\n", " ").splitlines():
                words = shlex.split(row, comments=True)
                while words:
                    end = next((at for at, word in enumerate(words) if word in ("&&", "|", ";")), len(words))
                    if words[:end]:
                        found.append((f"{page.name}:{line}: {shlex.join(words[:end])}", words[:end]))
                    words = words[end + 1 :]
    return found


def program_of(words: list[str]) -> tuple[str, list[str]]:
    """The program and its arguments; a module is the program that it starts."""
    if words[0] == "accelerate":
        words = ["python", *words[words.index("-m") :]]
    if words[:2] == ["python", "-m"] and words[2] != "venv":
        name = next((key for key, one in MODULES.items() if words[2] == f"stylegan_latents.{one}"), words[2])
        words = [*name.split(), *words[3:]]
    for count in (2, 1):
        if " ".join(words[:count]) in PROGRAMS:
            return " ".join(words[:count]), words[count:]
    return words[0], words[1:]


def make_files(words: list[str]) -> None:
    """What a command names is there, as far as settings look: files by their suffix, folders by their slash."""
    for word in words:
        if re.fullmatch(r"[\w./-]+/", word):
            Path(word).mkdir(parents=True, exist_ok=True)
        elif re.fullmatch(r"[\w./-]+\.\w{2,11}", word) and not word.startswith(("/", "..", "--")):
            Path(word).parent.mkdir(parents=True, exist_ok=True)
            if not Path(word).exists():
                shutil.copyfile(_CONTENTS.get(word.rpartition("/")[2], Path(os.devnull)), word)


def taken(app: typer.Typer, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse arguments to the settings of a command, with all their checks, and stop there.

    Raises:
        InputError: the settings refuse what is given.
    """
    reached: list[object] = []

    def only_record(one: CommandInfo) -> None:
        callback = one.callback
        assert callback is not None
        free = callback.__code__.co_freevars
        if "command" in free:  # of `takes`, which makes the settings and hands them to its command
            monkeypatch.setattr(
                (callback.__closure__ or ())[free.index("command")], "cell_contents", reached.append
            )
        else:

            @functools.wraps(callback)
            def record(**given: object) -> None:
                reached.append(given)

            monkeypatch.setattr(one, "callback", record)

    for one in app.registered_commands:
        only_record(one)
    for group in app.registered_groups:
        assert group.typer_instance is not None
        for one in group.typer_instance.registered_commands:
            only_record(one)
    typer.main.get_command(app).main(with_address(arguments), standalone_mode=False)
    assert len(reached) == 1


@pytest.mark.parametrize(("where", "words"), command_lines(), ids=[one[0] for one in command_lines()])
def test_a_command_line_is_one(
    where: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, arguments = program_of(words)
    if program in PROGRAMS:
        monkeypatch.chdir(tmp_path)
        make_files(arguments[:1] if program.endswith((" convert", " export")) else arguments)
        app = PROGRAMS[program]
        if program == "stylegan-latents discover":
            arguments = completed(arguments)
        if app is None:
            given = {word for word in arguments if word.startswith("--")}
            assert given - set(re.findall(r"--[\w-]+", help_text(program))) == set(), where
        elif not {"--help", "--install-completion", "--version"} & set(arguments):
            try:
                taken(app, arguments, monkeypatch)
            except InputError as error:
                pytest.fail(f"{where}: {error}")
    elif program.startswith("tests.benchmarks."):
        source = (ROOT / f"{program.replace('.', '/')}.py").read_text(encoding="utf-8")
        for option in (word for word in arguments if word.startswith("--")):
            assert f'"{option}"' in source, where
    elif program == "pip":
        for extra in re.findall(r"\[([\w,]+)\]", " ".join(arguments)):
            assert set(extra.split(",")) <= set(EXTRAS), where
    else:
        name, _, value = program.partition("=")
        assert program in OTHERS or (name.isupper() and value), where


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_in_the_text_exist(page: Path) -> None:
    known = {
        "--requeue",
        "--head",
        "--address",
        "--ray-client-server-port",
        "--cov",
        "--config-settings",
        "--no-deps",
        "--strict",
        "--extra-index-url",
        "--index-url",
    }
    for app in PROGRAMS.values():
        if app is not None:
            command = typer.main.get_command(app)
            commands = [command, *getattr(command, "commands", {}).values()]
            known.update(
                name for one in commands for par in one.params for name in (*par.opts, *par.secondary_opts)
            )
    known |= {"--help", "--version"}
    known.update(re.findall(r"--[\w-]+", "".join(help_text(name) for name, app in PROGRAMS.items() if app is None)))
    for path in (ROOT / "tests" / "benchmarks").glob("*.py"):
        known.update(re.findall(r'"(--[\w-]+)"', path.read_text(encoding="utf-8")))
    shown = {
        option
        for code in re.findall(r"`([^`]+)`", without_blocks(page))
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]+", code)
    }
    assert shown - known == set()
