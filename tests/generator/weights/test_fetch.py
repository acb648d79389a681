"""The cache: verified, renamed into place, shared by processes, and whole after every kind of failure."""

import dataclasses
import errno
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights import archive, download_url, fetch
from stylegan_latents.generator.weights.archive import Member, extract
from stylegan_latents.generator.weights.download_url import UrlSource
from stylegan_latents.generator.weights.fetch import Entry, cache_folder, obtain
from tests.generator.weights.web_server import Site, serve

FIRST, SECOND = b"first weights" * 20_000, b"second weights" * 20_000


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, data in files.items():
            zipped.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


ARCHIVE = zip_of({"p/one.dat": FIRST, "p/two.dat": SECOND, "p/run_me.py": b"raise SystemExit"})


def entry_of(site: Site, name: str = "one", body: bytes = FIRST) -> Entry:
    source = UrlSource(site.url, sha256(ARCHIVE), len(ARCHIVE))
    member = Member(f"p/{name}.dat", sha256(body), len(body))
    return Entry(name, "support", source, (member,), f"{name}.dat", licence="CC0", domain="tests")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(download_url, "_PAUSE", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(Site(ARCHIVE)) as served:
        yield served


def files_in(cache: Path) -> list[str]:
    """All files of the cache but the locks, which are empty."""
    found = (path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file())
    return sorted(name for name in found if not name.startswith(".locks/"))


def test_cache_folder_honours_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("STYLEGAN_HOME", "~/weights")
    assert cache_folder() == Path.home() / "weights"
    monkeypatch.setenv("STYLEGAN_HOME", " ")
    assert "stylegan-latents" in cache_folder().parts


def test_first_use_downloads_and_later_use_does_not(cache: Path, site: Site) -> None:
    path = obtain(entry_of(site))
    assert path == cache / "one" / "one.dat"
    assert path.read_bytes() == FIRST
    assert obtain(entry_of(site)) == path
    assert obtain(entry_of(site), offline=True, thorough=True) == path
    assert len(site.requests) == 1
    assert files_in(cache) == ["one/one.dat", "one/verified.json"]


def test_one_archive_serves_its_siblings(cache: Path, site: Site) -> None:
    one, two = entry_of(site), entry_of(site, "two", SECOND)
    obtain(one, [two])
    assert obtain(two, [one], offline=True).read_bytes() == SECOND
    assert len(site.requests) == 1
    assert not list(cache.rglob("run_me.py"))


def test_an_entry_of_several_files_gives_its_folder(cache: Path, site: Site) -> None:
    one, two = entry_of(site), entry_of(site, "two", SECOND)
    both = dataclasses.replace(one, name="both", members=one.members + two.members, file="")
    assert obtain(both) == cache / "both"
    assert (cache / "both" / "two.dat").read_bytes() == SECOND


def test_offline_without_the_file(cache: Path, site: Site) -> None:
    with pytest.raises(InputError, match="is not there yet, and the network may not be used"):
        obtain(entry_of(site), offline=True)
    assert site.requests == []
    assert not cache.exists()


def test_a_damaged_file_is_noticed_and_fetched_again(cache: Path, site: Site) -> None:
    path = obtain(entry_of(site))
    path.write_bytes(FIRST[:-1])
    with pytest.raises(InputError, match="is damaged"):
        obtain(entry_of(site), offline=True)
    assert obtain(entry_of(site)).read_bytes() == FIRST
    # The same size and another time: hashed again.
    path.write_bytes(FIRST[:-1] + b"!")
    os.utime(path, ns=(1, 1))
    assert obtain(entry_of(site)).read_bytes() == FIRST
    assert len(site.requests) == 3
    assert files_in(cache) == ["one/one.dat", "one/verified.json"]


@pytest.mark.usefixtures("cache")
def test_thorough_notices_what_size_and_time_hide(site: Site) -> None:
    path = obtain(entry_of(site))
    times = path.stat()
    path.write_bytes(b"!" + FIRST[1:])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert obtain(entry_of(site), offline=True) == path
    with pytest.raises(InputError, match="is damaged"):
        obtain(entry_of(site), offline=True, thorough=True)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("stamp", ["", "[]", '{"files": 3}', '{"files": {"one.dat": {}}}', None])
def test_a_lost_stamp_only_costs_a_hash(site: Site, stamp: str | None) -> None:
    path = obtain(entry_of(site))
    record = path.with_name("verified.json")
    if stamp is None:
        record.unlink()
    else:
        record.write_text(stamp)
    assert obtain(entry_of(site), offline=True) == path
    assert json.loads(record.read_text())["files"]["one.dat"]["sha256"] == sha256(FIRST)


def test_a_copied_cache_works_offline(
    cache: Path, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    obtain(entry_of(site))
    shutil.copytree(cache, tmp_path / "moved", copy_function=shutil.copyfile)
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "moved"))
    assert obtain(entry_of(site), offline=True).read_bytes() == FIRST


def test_other_contents_in_the_archive(cache: Path, site: Site) -> None:
    entry = entry_of(site)
    for member in (
        dataclasses.replace(entry.members[0], sha256=sha256(SECOND)),
        dataclasses.replace(entry.members[0], size=len(FIRST) - 1),
        dataclasses.replace(entry.members[0], size=len(FIRST) + 1),
    ):
        with pytest.raises(InputError, match=r"one\.dat in the download is not the published file"):
            obtain(dataclasses.replace(entry, members=(member,)))
    with pytest.raises(InputError, match="lacks a file it should hold"):
        obtain(dataclasses.replace(entry, members=(Member("p/three.dat", sha256(FIRST), 1),)))
    assert files_in(cache) == []


def test_wrong_archive(cache: Path, site: Site) -> None:
    site.body = ARCHIVE[:-1] + b"!"
    with pytest.raises(InputError, match="its sha256 differs"):
        obtain(entry_of(site))
    assert files_in(cache) == []


@pytest.mark.usefixtures("cache")
def test_disk_too_small(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(InputError, match=r"needs 1 MB but the disk .* has 0 MB left.*STYLEGAN_HOME"):
        obtain(entry_of(site))
    assert site.requests == []


def test_disk_full_while_unpacking(cache: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "_copy", full)
    with pytest.raises(InputError, match=r"The disk that holds .* is full"):
        obtain(entry_of(site))
    assert files_in(cache) == []


def test_cache_that_cannot_be_written(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match=r"Cannot write to the cache folder .*; set STYLEGAN_HOME"):
        obtain(entry_of(site))
    assert (tmp_path / "file").read_text() == "mine"


def test_paths_in_an_archive_do_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of({"../../evil": b"e"}))
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)
    extract(tmp_path / "a.zip", [Member("../../evil", sha256(b"e"), 1)], folder)
    assert [path.name for path in folder.iterdir()] == ["evil"]


def test_tar_archives_and_folders_in_them(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("p/one.dat")
        info.size = len(FIRST)
        tar.addfile(info, io.BytesIO(FIRST))
        folder = tarfile.TarInfo("p/folder")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    extract(tmp_path / "a.tar.gz", [Member("p/one.dat", sha256(FIRST), len(FIRST))], tmp_path)
    assert (tmp_path / "one.dat").read_bytes() == FIRST
    with pytest.raises(InputError, match="lacks"):
        extract(tmp_path / "a.tar.gz", [Member("p/folder", sha256(b""), 0)], tmp_path)


# A shell starts background jobs with SIGINT ignored, and children inherit that: the tests may run in one.
SCRIPT = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from stylegan_latents.generator.weights.archive import Member
from stylegan_latents.generator.weights.download_url import UrlSource
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights.fetch import Entry, obtain
url, archive_hash, archive_size, member_hash, member_size = sys.argv[1:]
source = UrlSource(url, archive_hash, int(archive_size))
member = Member("p/one.dat", member_hash, int(member_size))
print(obtain(Entry("one", "support", source, (member,), "one.dat", licence="", domain="")))
"""


def start(site: Site) -> "subprocess.Popen[str]":
    arguments = [site.url, sha256(ARCHIVE), str(len(ARCHIVE)), sha256(FIRST), str(len(FIRST))]
    return subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments], text=True, stdout=-1, stderr=-1)


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_two_processes_share_one_download(site: Site) -> None:
    site.delay = 0.2
    processes = [start(site), start(site), start(site)]
    for process in processes:
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert Path(output.strip()).read_bytes() == FIRST
    assert len(site.requests) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_a_stopped_download_is_continued(cache: Path, site: Site, name: str) -> None:
    site.delay = 0.2
    process = start(site)
    part = cache / ".partial" / f"{sha256(ARCHIVE)[:16]}.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 65536) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.Signals[name])
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert 65536 < part.stat().st_size < len(ARCHIVE)
    assert not (cache / "one").exists()
    site.delay = 0.0
    assert obtain(entry_of(site)).read_bytes() == FIRST
    assert site.requests[0] is None
    assert (site.requests[1] or "").startswith("bytes=")
    assert files_in(cache) == ["one/one.dat", "one/verified.json"]
