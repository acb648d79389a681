import pytest

from stylegan_latents.generator.cli.progress import show_count, show_work


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
