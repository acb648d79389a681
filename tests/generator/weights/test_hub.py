"""Files of the Hugging Face hub, from a hub on this machine."""

import sys
from pathlib import Path

import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.loading import load
from stylegan_latents.generator.styles.style import Style, StyleOptions, find_style, names_a_style
from stylegan_latents.generator.weights import hub
from stylegan_latents.generator.weights.hub import HubFile, on_this_machine
from tests.hub import COMMIT, REPOSITORY, serve_hub
from tests.small_models import save_small_model, small_generator

CARD = b"---\nlicense: cc-by-nc-4.0\n---\n# Faces\n"


@pytest.fixture(autouse=True)
def _forget() -> None:
    forget()


def forget() -> None:
    """Begin as a new process does."""
    hub._fetched.cache_clear()


def test_a_generator_is_fetched_once_and_named_by_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"nets/small.safetensors": save_small_model(tmp_path).read_bytes(), "README.md": CARD}
    pinned = f"hf://{REPOSITORY}/nets/small.safetensors@{COMMIT}"
    with serve_hub(files, monkeypatch, tmp_path / "home") as asked:
        G = load(f"hf://{REPOSITORY}/nets/small.safetensors")
        assert (G.name, G.fingerprint) == (pinned, small_generator().fingerprint)
        said = capsys.readouterr().err
        assert f"{pinned}: licence cc-by-nc-4.0, says its model card." in said
        forget()
        asked.clear()
        load(pinned)
        assert asked == [], "a commit that is in the cache needs no network"
        load(f"hf://{REPOSITORY}/nets/small.safetensors")
        assert "licence" not in capsys.readouterr().err
    forget()
    # The server is gone.
    assert load(pinned).name == pinned


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (f"hf://{REPOSITORY}/none.pkl", rf"{REPOSITORY} has no file none\.pkl; its page"),
        (f"hf://{REPOSITORY}/a.txt@old", rf"{REPOSITORY} has no revision old; check"),
        ("hf://someone/else/a.txt", r"no public repository someone/else; check the name"),
        ("hf://someone/faces", r"hf://someone/faces is no file of the Hugging Face hub; write hf://owner"),
        (f"hf://{REPOSITORY}/../../a.txt", r"is no file of the Hugging Face hub"),
        ("hf://some--one/fa..ces/a.txt", r"is no file of the Hugging Face hub"),
    ],
)
def test_what_is_not_there_is_said(
    address: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_hub({"a.txt": b"text"}, monkeypatch, tmp_path), pytest.raises(InputError, match=sentence):
        on_this_machine(address)


def test_a_style_of_the_hub_is_found_and_named_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    G = small_generator()
    parts = {name: torch.zeros_like(weight) for name, weight in list(G.synthesis.named_parameters())[:1]}
    style = Style(name="ink", model=G.name, fingerprint=G.fingerprint, resolution=G.resolution, parts=parts)
    style.save(tmp_path / "ink.style.safetensors")
    files = {"ink.style.safetensors": (tmp_path / "ink.style.safetensors").read_bytes()}
    address = f"hf://{REPOSITORY}/ink.style.safetensors@main"
    with serve_hub(files, monkeypatch, tmp_path / "home"):
        assert find_style(address).name == "ink"
    assert names_a_style(address)
    assert StyleOptions(style=address).style_label() == ["ink"]


def test_a_file_that_is_no_model_is_said_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        serve_hub({"a.txt": b"text"}, monkeypatch, tmp_path),
        pytest.raises(InputError, match=r"a\.txt"),
    ):
        load(f"hf://{REPOSITORY}/a.txt")


def test_a_card_without_a_licence_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve_hub({"a.txt": b"text", "README.md": b"---\nlicense: [\n---\n"}, monkeypatch, tmp_path):
        on_this_machine(f"hf://{REPOSITORY}/a.txt")
    assert "names no licence" in capsys.readouterr().err


def test_without_a_network_a_branch_is_the_commit_fetched_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_hub({"a.txt": b"text"}, monkeypatch, tmp_path):
        path, address = on_this_machine(f"hf://{REPOSITORY}/a.txt")
    forget()
    # Else huggingface_hub tries again for some seconds.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert on_this_machine(f"hf://{REPOSITORY}/a.txt") == (path, address)
    with pytest.raises(InputError, match=r"could not be reached for hf://someone/faces/b\.txt, which is not in"):
        on_this_machine(f"hf://{REPOSITORY}/b.txt")


def test_without_the_package_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"needs huggingface_hub, not installed: pip install '.*\[hub\]'"):
        on_this_machine(f"hf://{REPOSITORY}/a.txt")


def test_addresses_survive_as_paths_and_other_texts_are_none() -> None:
    file = HubFile("a/b", "c/d.pt", "v1")
    assert HubFile.parse(Path("hf://a/b/c/d.pt@v1")) == HubFile.parse("hf://a/b/c/d.pt@v1") == file
    assert file.address == "hf://a/b/c/d.pt@v1"
    assert HubFile.parse("me.jpg") is None
    assert on_this_machine("me.jpg") == (Path("me.jpg"), None)
