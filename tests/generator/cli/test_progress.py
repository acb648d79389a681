import math

import pytest

from stylegan_latents.generator.cli.progress import (
    download_progress,
    show_count,
    show_progress,
    show_status,
    show_work,
)


def test_lines_come_now_and_then_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress("me.jpg") as report:
        for step in range(1, 96):
            report(step, 95, 1 / step)
    output = capsys.readouterr()
    assert output.out == ""
    lines = output.err.splitlines()
    assert 9 <= len(lines) <= 11
    assert lines[0] == "me.jpg: step 10 of 95, loss 0.1000"
    assert lines[-1] == "me.jpg: step 95 of 95, loss 0.0105"


def test_steps_without_a_loss_or_an_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with show_progress("clip.mp4") as report:
        report(9, 0, math.nan)
        report(10, 0, math.nan)
    assert capsys.readouterr().err.splitlines() == ["clip.mp4: step 10"]
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with show_progress("clip.mp4") as report:
        report(3, 0, math.nan)
    shown = capsys.readouterr().err
    assert "clip.mp4" in shown
    assert "loss" not in shown


def test_a_terminal_shows_a_bar_with_the_loss(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with show_progress("[me].jpg") as report:
        report(5, 10, 0.25)
    shown = capsys.readouterr().err
    assert "[me].jpg" in shown
    assert "5/10" in shown
    assert "loss 0.2500" in shown


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress("me.jpg", quiet=True) as report:
        report(1, 1, 0.5)
    assert capsys.readouterr() == ("", "")


def test_a_status_is_for_terminals(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with show_status("Loading ffhq"):
        pass
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with show_status("Loading ffhq", quiet=True):
        pass
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")  # what rich takes for a terminal
    monkeypatch.setenv("TERM", "xterm")
    with show_status("Loading [me].pkl"):
        pass
    output = capsys.readouterr()
    assert output.out == ""
    assert "Loading [me].pkl" in output.err


def test_off_a_terminal_a_task_is_named_and_then_told_a_few_times(capsys: pytest.CaptureFixture[str]) -> None:
    with show_work() as begin:
        looked = begin("looking at samples")
        for done in range(1, 41):
            looked(done, 40)
        begin("testing pose")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "looking at samples",
        *(f"looking at samples: {done} of 40" for done in (8, 16, 24, 32, 40)),
        "testing pose",
    ]


def test_off_a_terminal_units_are_counted_now_and_then_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with show_count("morph.mp4", 7, "frame") as count:
        for _ in range(7):
            count()
    assert capsys.readouterr().err.splitlines() == [f"morph.mp4: frame {done} of 7" for done in (2, 4, 6, 7)]


def test_how_it_goes_is_told_with_the_count(capsys: pytest.CaptureFixture[str]) -> None:
    with show_count("me", 2, "step") as count:
        count("9 pixels to go")
        count("4 pixels to go")
    assert capsys.readouterr().err.splitlines() == [
        "me: step 1 of 2, 9 pixels to go",
        "me: step 2 of 2, 4 pixels to go",
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_names_are_shown_without_control_characters(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "200")
    with show_count("a\x07b\udcff", 1, "frame") as count:
        count("c\x07")
    with show_work() as begin:
        begin("d\x07")(1, 1)
    told = capsys.readouterr().err
    assert "\x07" not in told
    assert r"a\x07b\xff" in told
    assert r"c\x07" in told


def test_off_a_terminal_a_download_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with download_progress("ffhq", 100) as received:
        received(50)
        received(100)
    assert capsys.readouterr() == ("", "Downloading ffhq\n")
