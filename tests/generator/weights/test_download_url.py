"""Downloads by URL, against a server on this machine that cuts, lies and refuses."""

import errno
import hashlib
from pathlib import Path

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.file_head import what_is_it
from stylegan_latents.generator.weights import download_url as module
from stylegan_latents.generator.weights.download_url import UrlSource, download_url
from tests.generator.weights.web_server import Site, serve

BODY = bytes(range(256)) * 4096  # 1 MiB


def source_of(site: Site, body: bytes = BODY) -> UrlSource:
    return UrlSource(site.url, hashlib.sha256(body).hexdigest(), len(body))


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_whole_file(tmp_path: Path) -> None:
    with serve(Site(BODY)) as site:
        path = download_url(source_of(site), tmp_path / "w.part", label="w")
    assert path.read_bytes() == BODY
    assert left(tmp_path) == ["w.part"]


def test_dropped_connection_is_continued(tmp_path: Path) -> None:
    with serve(Site(BODY, drop_after=[300_000, 200_000])) as site:
        path = download_url(source_of(site), tmp_path / "w.part", label="w")
    assert path.read_bytes() == BODY
    assert site.requests == [None, "bytes=300000-", "bytes=500000-"]


def test_a_later_call_continues(tmp_path: Path) -> None:
    part = tmp_path / "w.part"
    with serve(Site(BODY, drop_after=[300_000, 0, 0, 0, 0])) as site:
        with pytest.raises(InputError, match=r"broke off after 0\.3 of 1\.0 MB.*run the command again to continue"):
            download_url(source_of(site), part, label="w")
        assert part.stat().st_size == 300_000
        site.drop_after.clear()
        site.requests.clear()
        assert download_url(source_of(site), part, label="w").read_bytes() == BODY
    assert site.requests == ["bytes=300000-"]


def test_a_file_replaced_on_the_server_starts_over(tmp_path: Path) -> None:
    part = tmp_path / "w.part"
    with serve(Site(BODY[::-1], etag='"old"', drop_after=[300_000, 0, 0, 0, 0])) as site:
        with pytest.raises(InputError):
            download_url(source_of(site), part, label="w")
        site.body, site.etag = BODY, '"new"'
        site.drop_after.clear()
        assert download_url(source_of(site), part, label="w").read_bytes() == BODY


def test_halves_of_two_files_start_over_once(tmp_path: Path) -> None:
    part = tmp_path / "w.part"
    part.write_bytes(b"x" * 1000)
    with serve(Site(BODY)) as site:
        assert download_url(source_of(site), part, label="w").read_bytes() == BODY
    assert site.requests == ["bytes=1000-", None]


def test_a_server_without_ranges_starts_over(tmp_path: Path) -> None:
    part = tmp_path / "w.part"
    part.write_bytes(BODY[:1000])
    with serve(Site(BODY, ranges=False)) as site:
        assert download_url(source_of(site), part, label="w").read_bytes() == BODY


def test_a_complete_part_needs_no_network(tmp_path: Path) -> None:
    part = tmp_path / "w.part"
    part.write_bytes(BODY)
    source = UrlSource("http://127.0.0.1:9/w", hashlib.sha256(BODY).hexdigest(), len(BODY))
    assert download_url(source, part, label="w") == part


PAGE = b"<!DOCTYPE html>\n<html><body>Google Drive - Quota exceeded</body></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1048576\n"


@pytest.mark.parametrize(
    ("site", "sentence"),
    [
        (Site(BODY, status=404), r"is not there any more \(HTTP 404\)"),
        (Site(BODY, status=403), r"refuses .* \(HTTP 403"),
        (Site(BODY, status=503), r"could not be reached \(the server answered HTTP 503\)"),
        (Site(PAGE), "gave is a web page"),
        (Site(PAGE + b" " * len(BODY)), "gave is a web page"),
        (Site(POINTER), "gave is a Git LFS pointer"),
        (Site(BODY[:-1]), "is cut short: it has 1048575 of 1048576 bytes"),
        (Site(BODY + b"x"), "is longer than the published file"),
        (Site(BODY[::-1]), "its sha256 differs"),
    ],
    ids=["404", "403", "503", "page", "long page", "lfs", "truncated", "longer", "hash"],
)
def test_one_sentence_and_nothing_left(site: Site, sentence: str, tmp_path: Path) -> None:
    site.requests.clear()
    with serve(site), pytest.raises(InputError, match=sentence) as caught:
        download_url(source_of(site), tmp_path / "w.part", label="w")
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert left(tmp_path) == []


def test_no_network(tmp_path: Path) -> None:
    source = UrlSource("http://127.0.0.1:9/w", "0" * 64, 10)
    with pytest.raises(InputError, match=r"could not be reached .*connect to the network"):
        download_url(source, tmp_path / "w.part", label="w")
    assert left(tmp_path) == []


def test_only_web_addresses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no http or https address"):
        download_url(UrlSource(tmp_path.as_uri(), "0" * 64, 10), tmp_path / "w.part", label="w")


def test_full_disk_gives_the_space_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, path: Path, mode: str) -> None:
            self._file = open(path, mode)  # noqa: PTH123, SIM115

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_error: object) -> None:
            self._file.close()

        def write(self, data: bytes) -> int:
            self._file.write(data[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

    real_open = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda path, mode="r", **kw: Full(path, mode) if "wb" in mode else real_open(path, mode, **kw),
    )
    with serve(Site(BODY)) as site, pytest.raises(OSError, match="No space left"):
        download_url(source_of(site), tmp_path / "w.part", label="w")
    assert left(tmp_path) == []


def test_what_is_it() -> None:
    assert "web page" in what_is_it(b"\xef\xbb\xbf\r\n<HTML><title>Sign in</title>")
    assert "web page" in what_is_it(b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C">')
    assert "Git LFS" in what_is_it(POINTER)
    assert what_is_it(b'<?xml version="1.0"?><net name="torch-jit-export" version="10">') == ""
    assert what_is_it(b"PK\x03\x04") == ""


def test_an_unknown_file_is_as_long_as_its_server_says(tmp_path: Path) -> None:
    with serve(Site(BODY, drop_after=[300_000, 200_000])) as site:
        path = download_url(UrlSource(site.url), tmp_path / "w.part", label="w")
        assert path.read_bytes() == BODY
        assert site.requests == [None, "bytes=300000-", "bytes=500000-"]
        assert left(tmp_path) == ["w.part"]


def test_an_unknown_file_without_a_version_is_never_joined(tmp_path: Path) -> None:
    part = tmp_path / "w.part"
    part.write_bytes(b"x" * 1000)
    with serve(Site(BODY)) as site:
        assert download_url(UrlSource(site.url), part, label="w").read_bytes() == BODY
        assert site.requests == [None]


@pytest.mark.parametrize(
    ("site", "sentence"),
    [
        (Site(PAGE), "gave is a web page"),
        (Site(POINTER), "gave is a Git LFS pointer"),
        (Site(BODY, announce=len(BODY) + 1), "broke off after 1.0 MB"),
        (Site(BODY, announce=-1), "has no length that could be checked"),
    ],
)
def test_what_cannot_be_an_unknown_file(site: Site, sentence: str, tmp_path: Path) -> None:
    site.ranges = False
    with serve(site), pytest.raises(InputError, match=sentence):
        download_url(UrlSource(site.url), tmp_path / "w.part", label="w")


def test_an_unknown_file_needs_an_encrypted_connection(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not encrypted"):
        download_url(UrlSource("http://example.org/model.pkl"), tmp_path / "w.part", label="w")
