"""Folders in batches: nothing is done twice or lost, whatever ends a run."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main as edit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.invert.commands.cli import main
from stylegan_latents.invert.commands.report_table import Report
from stylegan_latents.invert.record.inversion import Inversion
from tests.invert.small_search import small_search  # noqa: F401
from tests.odd_models import odd_generator
from tests.small_models import FakeInverter, save_small_model, use_fake_inverter

NAMES = ("a", "b", "c", "d", "e")
ROOT = Path(__file__).parents[3]


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with five photos."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save_small_model(tmp_path)
    for number, name in enumerate(NAMES):
        Image.new("RGB", (64, 64), (40 * number, 80, 200)).save(f"{name}.png")
    return tmp_path / "here"


@pytest.fixture(name="inverter")
def _inverter(monkeypatch: pytest.MonkeyPatch) -> type[FakeInverter]:
    return use_fake_inverter(monkeypatch)


def _run(*arguments: str) -> int:
    return main([*arguments, "--no-align", "--model", "../small.safetensors", "--device", "cpu"])


def _done() -> list[str]:
    """The photos that have both files."""
    return [
        name
        for name in NAMES
        if Path(f"{name}.inversion.safetensors").exists() and Path(f"{name}.inverted.png").exists()
    ]


def _watch_batches(
    inverter: type[FakeInverter], monkeypatch: pytest.MonkeyPatch, fail: Callable[[int], None] = lambda _: None
) -> list[int]:
    """The sizes of the batches that are searched; ``fail`` may raise for one."""
    sizes: list[int] = []
    search = inverter.invert

    def invert(self: FakeInverter, images: torch.Tensor, **options: Any) -> Inversion:
        sizes.append(len(images))
        fail(len(images))
        return search(self, images, **options)

    monkeypatch.setattr(inverter, "invert", invert)
    return sizes


def test_photos_go_in_batches_and_bad_ones_are_left_out(
    inverter: type[FakeInverter], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = _watch_batches(inverter, monkeypatch)
    Path("b.png").write_text("no picture")
    assert _run(".", "--batch", "2", "--preview", "film.gif") == 2
    assert sizes == [2, 2]
    assert _done() == ["a", "c", "d", "e"]
    assert Path("c.film.gif").exists()
    errors = capsys.readouterr().err
    assert "1 of 5 photos could not be inverted" in errors
    assert errors.splitlines()[-1].startswith("  b.png")
    for name in ("a", "e"):
        record = Inversion.load(f"{name}.inversion.safetensors")
        assert [source.name for source in record.sources] == [f"{name}.png"]
        assert len(record) == 1


def test_a_processor_takes_one_photo_after_the_other(
    inverter: type[FakeInverter], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = _watch_batches(inverter, monkeypatch)
    assert _run(".", "--quiet") == 0
    assert sizes == [1] * 5
    Path("a.inversion.safetensors").unlink()
    Path("a.inverted.png").unlink()
    assert _run(".", "--batch", "3", "--quiet") == 0
    assert sizes[5:] == [1]  # what is done needs no place in a batch


@pytest.mark.usefixtures("small_search")
def test_a_batch_finds_what_single_searches_find(folder: Path) -> None:
    save_native(odd_generator(), Path("../small.safetensors"), overwrite=True)
    options = ("--steps", "4", "--precision", "float32", "--quiet")
    assert _run(".", *options, "--batch", "3") == 0
    assert _run(".", *options, "--out", "single") == 0
    for name in NAMES:
        batched, single = (
            Inversion.load(folder / place / f"{name}.inversion.safetensors") for place in ("", "single")
        )
        torch.testing.assert_close(batched.ws, single.ws, atol=1e-3, rtol=1e-3)
        assert batched.settings == single.settings
        assert batched.sources == single.sources


@pytest.mark.usefixtures("small_search")
def test_photos_whose_search_diverged_are_named_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from stylegan_latents.generator.generator import Generator

    save_native(odd_generator(), Path("../small.safetensors"), overwrite=True)
    synthesize = Generator.synthesize

    def broken(G: Generator, ws: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
        drawn = synthesize(G, ws, *arguments, **options)
        if torch.is_grad_enabled() and len(drawn) == 3:  # the second of the first batch's search
            steps.append(0)
            if len(steps) > 2:
                return drawn * torch.tensor([1.0, torch.nan, 1.0])[:, None, None, None]
        return drawn

    steps: list[int] = []
    monkeypatch.setattr(Generator, "synthesize", broken)
    options = ("--method", "optimize", "--steps", "4", "--precision", "float32", "--batch", "3")
    assert _run(".", *options) == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines()[-2:] == [
        "invert: Warning: the best code before is kept where the search diverged:",
        "  b.png: at step 2",
    ]
    assert printed.out.count("The search diverged at step 2") == 1
    diverged = [Inversion.load(f"{name}.inversion.safetensors").diverged for name in NAMES]
    assert diverged == [{}, {0: 2}, {}, {}, {}]
    assert _run(".", *options) == 0  # done, as it would diverge again
    assert "Skipped 5" in capsys.readouterr().out


def test_a_batch_that_fails_is_done_one_by_one(
    inverter: type[FakeInverter], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = [5, 4]

    def fail(count: int) -> None:
        if count > 1 or (left and left.pop() == 4):  # the batch, and the first of its photos
            raise InputError("No code was found.")

    sizes = _watch_batches(inverter, monkeypatch, fail)
    assert _run(".", "--batch", "5", "--quiet") == 2
    assert sizes == [5, 1, 1, 1, 1, 1]
    assert _done() == ["b", "c", "d", "e"]
    assert "1 of 5 photos" in capsys.readouterr().err


def test_a_batch_too_large_for_the_device_is_halved(
    inverter: type[FakeInverter], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(count: int) -> None:
        if count > 2:
            raise torch.OutOfMemoryError

    sizes = _watch_batches(inverter, monkeypatch, fail)
    assert _run(".", "--batch", "4") == 0
    assert sizes == [4, 2, 2, 1]
    assert _done() == list(NAMES)
    assert "invert: Warning: 4 photos do not fit" in capsys.readouterr().err


def test_ctrl_c_in_a_batch_keeps_all_of_it_if_asked(inverter: type[FakeInverter]) -> None:
    inverter.interrupt_at = 2
    assert _run(".", "--batch", "2", "--keep-partial", "--quiet", "--report", "table.csv") == 130
    assert _done() == ["a", "b"]
    assert len(Report(Path("table.csv")).rows) == 2


def test_a_report_is_written_when_ctrl_c_ends_the_run(
    inverter: type[FakeInverter], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def fail(_: int) -> None:
        if len(sizes) == 2:
            raise KeyboardInterrupt

    sizes = _watch_batches(inverter, monkeypatch, fail)
    assert _run(".", "--batch", "2", "--quiet", "--report", "table.csv") == 130
    assert _done() == ["a", "b"]
    assert {row["photo"] for row in Report(Path("table.csv")).rows.values()} == {"a.png", "b.png"}
    assert Path("table.png").exists()


@pytest.mark.usefixtures("inverter")
def test_photos_of_one_name_have_rows_of_their_own() -> None:
    for name in ("one", "two"):
        Path(name).mkdir()
        shutil.copy("a.png", f"{name}/me.png")
    assert _run("one/me.png", "two/me.png", "--space", "w", "--quiet", "--report", "table.csv") == 0
    rows = Report(Path("table.csv")).rows.values()
    assert sorted(row["photo"] for row in rows) == ["one/me.png", "two/me.png"]
    assert {row["options"] for row in rows} == {"model small.safetensors, space w"}


def test_a_full_disk_in_a_batch_loses_nothing_and_does_nothing_twice(
    inverter: type[FakeInverter], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = _watch_batches(inverter, monkeypatch)
    write = Path.write_bytes
    written = 0

    def fill(self: Path, content: Any) -> int:
        nonlocal written
        written += 1
        if written == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", fill)
    assert _run(".", "--batch", "3", "--quiet") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert _done() == ["a", "b", "c"]
    monkeypatch.setattr(Path, "write_bytes", write)
    assert _run(".", "--batch", "3", "--quiet") == 0
    assert _done() == list(NAMES)
    assert sizes == [3, 2, 2]


KILLED = """
import os, signal, sys
import pytest
from tests.small_models import use_fake_inverter
use_fake_inverter(pytest.MonkeyPatch())
from stylegan_latents.invert.commands import session
from stylegan_latents.invert.commands.cli import main
save, names = session.save_picture, []
def end(picture, path, **options):
    names.append(path)
    if len(names) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    save(picture, path, **options)
session.save_picture = end
sys.exit(main([".", "--batch", "3", "--no-align", "--model", "../small.safetensors", "--device", "cpu"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX")
def test_a_killed_run_goes_on_where_it_was_killed(folder: Path) -> None:
    def run(end: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", KILLED, end]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    def times() -> list[int]:
        return [Path(f"{name}.inversion.safetensors").stat().st_mtime_ns for name in ("a", "b")]

    # The kernel's end of a process amid a batch's files: after a record, before its picture.
    killed = run("2")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert _done() == ["a"]
    kept = times()
    again = run("0")
    assert again.returncode == 0, again.stderr
    assert "Skipped 2 already done" in again.stdout
    assert _done() == list(NAMES)
    assert times() == kept


def test_wrong_settings_are_told_once_and_not_for_every_photo(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [".", "--no-align", "--device", "cpu", "--out", "new"]
    assert main([*arguments, "--model", "nowhere.pkl"]) == 2
    assert capsys.readouterr().err.count("There is no model or file 'nowhere.pkl'") == 1
    assert main([*arguments, "--model", "../small.safetensors", "--low-resolution", "100000"]) == 2
    assert capsys.readouterr().err == "invert: --low-resolution is at most 32, the model's own, not 100000.\n"
    assert not Path("new").exists()


def test_what_another_run_is_making_is_left_to_it(
    inverter: type[FakeInverter],  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def take(_: object, target: Path) -> None:
        if target.name.startswith("b."):
            raise InputError(f"Another run is making {target}.")

    monkeypatch.setattr("stylegan_latents.invert.commands.locks.OutputLocks.take", take)
    assert _run(".", "--method", "optimize") == 2
    assert _done() == ["a", "c", "d", "e"]
    assert "1 of 5 photos" in capsys.readouterr().err


def test_shards_do_each_photo_once_and_say_where_there_is_none(
    inverter: type[FakeInverter], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = _watch_batches(inverter, monkeypatch)
    done: list[set[str]] = []
    for number in range(1, 9):
        before = set(_done())
        assert _run(".", "--shard", f"{number}/8", "--report", "../table.csv") == 0
        done.append(set(_done()) - before)
    assert sorted(name for names in done for name in names) == list(NAMES)
    assert sum(sizes) == 5
    assert "None of the 5 photos is in shard" in capsys.readouterr().out
    tables = sorted(path.name for path in Path("..").glob("table*.csv"))
    assert len(tables) == sum(bool(names) for names in done) > 1
    assert all(name.endswith("-of-8.csv") for name in tables)
    assert edit([*["report", "merge", "--out", "../all.csv"], *(f"../{name}" for name in tables)]) == 0
    assert {row["photo"] for row in Report(Path("../all.csv")).rows.values()} == {f"{name}.png" for name in NAMES}
    assert _run(".", "--quiet") == 0
    assert sum(sizes) == 5  # a plain run afterwards finds all of it done


@pytest.mark.parametrize(
    ("shard", "words"), [("17/16", "1/16"), ("0/16", "1/16"), ("3", "such as 3/16"), ("3/0", "no shard")]
)
def test_a_shard_that_is_none_is_told_at_once(shard: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(".", "--shard", shard) == 2
    assert words in capsys.readouterr().err
