"""Weights whose sha256 nobody published: a model is taken at its first use, and nothing else ever after."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights import download_url, zoo
from stylegan_latents.generator.weights.archive import sha256_of
from stylegan_latents.generator.weights.download_url import UrlSource
from stylegan_latents.generator.weights.fetch import Entry, cached_size, obtain
from tests.generator.stylegan2_files import NVIDIA, nvidia_pickle
from tests.generator.weights.web_server import Site, serve

MODEL, OTHER = (nvidia_pickle(name).read_bytes() for name in NVIDIA[:2])


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(Site(MODEL)) as served:
        yield served


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(download_url, "_PAUSE", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"


def entry_of(site: Site) -> Entry:
    return Entry("bird", "generator", UrlSource(site.url), (), "bird.pkl", "CC0", "birds", 32, "bird-w")


def test_the_first_use_says_what_is_trusted(cache: Path, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    path = obtain(entry_of(site))
    assert path == cache / "bird" / "bird.pkl"
    said = capsys.readouterr().err
    assert said.count("\n") == 2
    assert f"No sha256 is published for 'bird': this download (sha256 {sha256_of(path)})" in said
    assert obtain(entry_of(site), offline=True, thorough=True) == path
    assert capsys.readouterr().err == ""
    assert len(site.requests) == 1
    assert cached_size(entry_of(site)) >= len(MODEL)


def test_a_damaged_copy_is_noticed_and_replaced_by_the_same_file_only(cache: Path, site: Site) -> None:
    path = obtain(entry_of(site))
    path.write_bytes(MODEL[:-1] + b"!")
    with pytest.raises(InputError, match="is damaged"):
        obtain(entry_of(site), offline=True)
    site.body = OTHER
    with pytest.raises(InputError, match=r"another file than when 'bird' was first fetched .* remove the folder"):
        obtain(entry_of(site))
    site.body = MODEL
    assert obtain(entry_of(site)).read_bytes() == MODEL
    assert not list((cache / ".partial").rglob("*.*"))


def test_without_its_stamp_a_copy_is_fetched_again(cache: Path, site: Site) -> None:
    obtain(entry_of(site)).with_name("verified.json").unlink()
    with pytest.raises(InputError, match="is damaged"):
        obtain(entry_of(site), offline=True)
    obtain(entry_of(site))
    assert json.loads((cache / "bird" / "verified.json").read_text())["licence"] == "CC0"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<!DOCTYPE html><html></html>", "is a web page"),
        (MODEL[:-100], "damaged|cut short|truncated"),
        (b"cos\nsystem\n(S'true'\ntR.", "of no format that is known here"),
        (b"\x80\x04cos\nsystem\n(S'true'\ntR.", "asks for 'os.system'"),
    ],
)
def test_what_is_no_model_is_not_kept(cache: Path, site: Site, body: bytes, sentence: str) -> None:
    site.body = body
    with pytest.raises(InputError, match=sentence):
        obtain(entry_of(site))
    assert not (cache / "bird").exists()


@pytest.mark.usefixtures("cache")
def test_a_named_model_has_the_zoos_name_and_space(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = entry_of(site)
    monkeypatch.setattr(zoo, "_ENTRIES", (entry,))
    monkeypatch.setattr(zoo, "_BY_NAME", {**zoo._BY_NAME, "bird": entry})
    G = generator.load("bird")
    assert (G.name, G.latent_space) == ("bird", "bird-w")
    assert G.fingerprint == generator.load(nvidia_pickle()).fingerprint
    with pytest.raises(InputError, match="did you mean bird"):
        generator.load("birdd")
