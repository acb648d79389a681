"""A run on a cluster gives what a run on one machine gives, whoever dies or ends it."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.cli import main
from stylegan_latents.invert.commands.cluster_run import PhotoWorker
from stylegan_latents.invert.commands.jobs import gather
from stylegan_latents.invert.commands.settings import Settings
from stylegan_latents.invert.record.inversion import Inversion
from tests.invert.photos.test_tables import png, write_tar
from tests.small_models import save_small_model, use_fake_inverter

SMALL = ("--no-align", "--model", "small.safetensors", "--device", "cpu", "--method", "optimize", "--steps", "3")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_small_model(tmp_path)


def _photos(count: int) -> None:
    Path("photos").mkdir()
    for number in range(count):
        Image.new("RGB", (64, 64), (5 * number, 80, 200)).save(f"photos/{number:02d}.png")


def _files(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _start(*words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "stylegan_latents.invert", *words, *SMALL, "--cluster", "--workers", "2"]
    # Tests in the background ignore Ctrl-C, and so would the program that they start.
    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
    finally:
        signal.signal(signal.SIGINT, ignored)


def _workers(ancestor: int) -> Iterator[int]:
    """The worker processes that descend from a process."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if not (path / "cmdline").read_bytes().startswith(b"ray::_Worker"):
                continue
            pid = int(path.name)
            while pid not in (0, ancestor):
                pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if pid == ancestor:
            yield int(path.name)


def _wait_for_records(count: int, run: "subprocess.Popen[str]") -> None:
    while run.poll() is None and len(list(Path("there").glob("*.safetensors"))) < count:
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds workers in /proc")
def test_three_workers_die_and_every_photo_is_inverted_once_as_on_one_machine() -> None:
    pytest.importorskip("ray")
    _photos(40)
    chance = random.Random(0)
    run = _start("photos", "--out", "there")
    for count in sorted(chance.sample(range(1, 30), 3)):
        _wait_for_records(count, run)
        time.sleep(chance.random() / 10)
        os.kill(chance.choice(list(_workers(run.pid))), signal.SIGKILL)
    out, err = run.communicate()
    assert run.returncode == 0, err
    assert main(["photos", "--out", "here", *SMALL]) == 0
    assert len(_files("there")) == 80
    assert _files("there") == _files("here")
    assert 37 <= out.count("Wrote there/") <= 40


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds workers in /proc")
def test_after_ctrl_c_the_next_run_goes_on() -> None:
    pytest.importorskip("ray")
    _photos(60)
    run = _start("photos", "--out", "there")
    _wait_for_records(3, run)
    os.killpg(run.pid, signal.SIGINT)
    _, err = run.communicate()
    assert run.returncode == 130, err
    assert err.endswith("invert: Stopped.\n")
    assert "Traceback" not in err
    assert list(_workers(run.pid)) == []
    done = _files("there")
    assert 3 <= len([name for name in done if name.endswith(".safetensors")]) < 60
    assert not [name for name in done if name.startswith(".")]
    out, err = _start("photos", "--out", "there").communicate()
    assert "already done" in out, err
    assert len(_files("there")) == 120


@pytest.mark.slow
def test_photos_and_results_travel_to_workers_as_bytes(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    _photos(3)
    write_tar(Path("more.tar"), {"x.png": png(1), "y.png": png(2)})
    run = _start(f"file://{tmp_path}/photos", "more.tar", "--out", f"file://{tmp_path}/there")
    out, err = run.communicate()
    assert run.returncode == 0, err
    assert f"Wrote file://{tmp_path}/there/x.inversion.safetensors" in out
    assert main(["photos", "more.tar", "--out", "here", *SMALL]) == 0
    assert sorted(_files("there")) == sorted(_files("here"))
    for path in sorted(Path("there").glob("*.safetensors")):
        one, other = Inversion.load(path), Inversion.load(Path("here") / path.name)
        assert one.sources[0].sha256 == other.sources[0].sha256
        assert one.ws.equal(other.ws)


def _worker(*, count: int = 2, **options: Any) -> tuple[PhotoWorker, list[Any]]:
    settings = Settings(
        photos=[Path("photos")], align=False, model="small.safetensors", device="cpu", method="optimize", **options
    )
    return PhotoWorker(settings, count, count > 1, {}), gather(settings.photos)


def test_a_worker_tells_what_the_run_would_have_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_fake_inverter(monkeypatch)
    _photos(2)
    Path("photos/bad.png").write_text("no picture")
    worker, jobs = _worker(out=Path("there"), report=Path("r.csv"), count=3)
    outcome = worker(jobs)
    assert capsys.readouterr() == ("", "")
    assert outcome.text.count("Wrote there/") == 2
    assert len(outcome.errors) == 1
    assert "bad.png is not a picture" in outcome.errors[0]
    assert [row["photo"] for row in outcome.rows] == ["00.png", "01.png"]
    assert not Path("r.csv").exists()
    assert [path.name for path in worker(jobs).skipped] == ["00.inversion.safetensors", "01.inversion.safetensors"]


def test_a_full_disk_of_a_worker_ends_the_run_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    use_fake_inverter(monkeypatch)
    _photos(2)
    worker, jobs = _worker(out=Path("there"))

    def save(*_: object, **__: object) -> None:
        raise InputError("Cannot write there/00.png: no space.") from OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(Inversion, "save", save)
    with pytest.raises(InputError, match=r"no space\. Free some space on that disk and run the same command again"):
        worker(jobs)


def test_a_worker_without_the_models_file_says_so() -> None:
    _photos(1)
    Path("small.safetensors").unlink()
    with pytest.raises(InputError, match=r"There is no model or file 'small\.safetensors'"):
        _worker()


def test_tables_and_addresses_on_one_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_fake_inverter(monkeypatch)
    _photos(2)
    write_tar(Path("more.tar"), {"x.png": png(1), "sub/x.png": png(2), "bad.png": b"no picture"})
    words = [f"file://{tmp_path}/photos", "more.tar", "--out", f"file://{tmp_path}/there", *SMALL]
    assert main(words) == 2
    told = capsys.readouterr()
    assert "bad.png is not a picture that can be read" in told.err
    assert "photo-" not in told.err
    assert "results-" not in told.out
    stems = ("00", "01", "x.png", "x.png-2")
    assert sorted(_files("there")) == sorted(
        f"{stem}.{kind}" for stem in stems for kind in ("inversion.safetensors", "inverted.png")
    )
    source = Inversion.load(Path("there/x.png.inversion.safetensors")).sources[0]
    assert (source.name, source.path) == ("x.png", None)
    before = _files("there")
    assert main(words) == 2
    assert "Skipped 4 already done" in capsys.readouterr().out
    assert _files("there") == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--workers", "2"], "--workers is for a cluster; add --cluster."),
        (["--cluster", "--keep-partial"], "--keep-partial is for one machine; leave it or --cluster out."),
        (["--cluster", "ray:/x"], "A cluster's address is such as ray://head:10001, not 'ray:/x'."),
        (
            ["--out", "s3://bucket/x", "--report", "t.csv"],
            "--report needs results in a folder; give one with --out.",
        ),
        (["--shard", "17/16", "--cluster"], "There is no shard 17/16; of 16 they are 1/16 and so on."),
    ],
)
def test_options_that_exclude_each_other(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _photos(1)
    assert main(["photos", *words, *SMALL]) == 2
    assert capsys.readouterr().err == f"invert: {sentence}\n"
