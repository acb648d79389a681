import errno
from typing import Annotated

import pytest
import torch
import typer

from stylegan_latents.generator.cli.command import choose_device, is_disk_full, new_app, run, status_of, warn
from stylegan_latents.generator.errors import InputError


def _run(error: BaseException | None = None, status: int | None = None) -> int:
    app = new_app()

    @app.command()
    def command() -> int | None:
        if error is not None:
            raise error
        return status

    return run(app, "tool", [])


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (InputError("The file is\nbad."), 2, "tool: The file is bad."),
        (KeyboardInterrupt(), 130, "tool: Stopped."),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "tool: The disk is full; free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "a.png"), 2, "tool: a.png: Permission denied."),
        (MemoryError(), 1, "tool: There is not enough memory"),
        (torch.OutOfMemoryError("CUDA"), 1, "tool: The device has not enough memory; try --device cpu."),
    ],
)
def test_errors_become_one_sentence(
    capsys: pytest.CaptureFixture[str], error: BaseException, status: int, words: str
) -> None:
    assert _run(error) == status
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(words)
    assert output.err.count("\n") == 1


def test_a_fault_of_ours_keeps_a_short_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(KeyError("bug")) == 1
    lines = capsys.readouterr().err.splitlines()
    assert "raise error" in "".join(lines)
    assert lines[-1].startswith("tool: A fault of this program: KeyError")
    assert len(lines) <= 14


def test_a_small_programs_work_ends_in_a_status_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise InputError("No photo.")

    assert [status_of(lambda: None), status_of(lambda: 1), status_of(refuse)] == [0, 1, 2]
    assert capsys.readouterr().err == "No photo.\n"


def test_the_status_of_a_command_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run() == 0
    assert _run(status=2) == 2
    assert capsys.readouterr() == ("", "")


def test_a_warning_is_told_from_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    warn("tool", "This is\nfar.")
    assert capsys.readouterr().err == "tool: Warning: This is far.\n"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    warn("tool", "This is far.")
    assert capsys.readouterr().err == "\x1b[33mtool: Warning: This is far.\x1b[0m\n"
    monkeypatch.setenv("NO_COLOR", "1")
    warn("tool", "This is far.")
    assert capsys.readouterr().err == "tool: Warning: This is far.\n"


def test_a_warning_shows_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    warn("tool", "\x1b[2J\udcff.png is small.")
    assert capsys.readouterr().err == "tool: Warning: \\x1b[2J\\xff.png is small.\n"


def test_a_full_disk_is_known_behind_other_errors() -> None:
    error = InputError("Cannot write x.")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert is_disk_full(error)
    assert not is_disk_full(InputError("Cannot write x."))


def test_devices_are_chosen_by_name() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device(None).type in ("cpu", "cuda")
    with pytest.raises(InputError, match="no device 'tpu9'"):
        choose_device("tpu9")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("--strenght", "No such option: --strenght; did you mean --strength?"),
        ("--st", "No such option: --st. "),
    ],
)
def test_only_the_nearest_option_is_suggested(typed: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    app = new_app()

    @app.command()
    def work(strength: float = 1.0, target: str = "") -> None:
        del strength, target

    assert run(app, "edit", [typed, "2"]) == 2
    assert told in capsys.readouterr().err


def test_a_list_is_given_once_and_of_other_options_the_last_counts(capsys: pytest.CaptureFixture[str]) -> None:
    app, given = new_app(), []

    @app.command()
    def command(
        classes: Annotated[str, typer.Option("--class", metavar="3|0-3,7")] = "",
        size: Annotated[int, typer.Option("--size", "-s")] = 1,
        names: Annotated[list[str], typer.Option("--name")] = [],  # noqa: B006
        quiet: Annotated[bool, typer.Option("--quiet")] = False,
    ) -> None:
        given.append((classes, size, names, quiet))

    assert run(app, "tool", ["--name", "a", "--name", "b", "--quiet", "--quiet", "-s", "3", "--size=2"]) == 0
    assert given == [("", 2, ["a", "b"], True)]
    assert run(app, "tool", ["--class", "1", "--class", "2"]) == 2
    assert capsys.readouterr().err == "tool: --class is given twice; separate values by commas.\n"
