from pathlib import Path

import pytest
import torch

from stylegan_latents.editing.mixing.find_parts import parts_of
from stylegan_latents.editing.regions import parts as parts_catalogue
from stylegan_latents.editing.regions.parts import Parts, load, part_features, stored_parts
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL
from tests.generator.stylegan3_files import random_stylegan3
from tests.generator.styles.test_style import small_style
from tests.odd_models import odd_generator

G = odd_generator()
CHANNELS = sum(layer.channels for layer in G.layers)


def _parts(**changes: object) -> Parts:
    """Two parts of three clusters; the first ten style channels act in ``left``, the next ten in ``right``."""
    shares = torch.zeros(2, CHANNELS)
    shares[0, :10], shares[1, 10:20] = 0.75, torch.linspace(0.3, 0.9, 10)
    centres = torch.nn.functional.normalize(
        torch.randn(3, part_features(G, G.sample([0])).shape[-1], generator=torch.Generator().manual_seed(0)), dim=1
    )
    values = {"names": ("left", "right"), "centres": centres, "owners": torch.tensor([0, 1, 0]), "shares": shares}
    return Parts(**(values | {"model": G.name, "fingerprint": G.fingerprint} | changes))  # type: ignore[arg-type]


@pytest.mark.slow
def test_features_are_unit_vectors_of_every_place() -> None:
    for network in (G, random_stylegan3()):
        found = part_features(network, network.sample([0, 1]))
        assert found.shape[:3] == (2, 32, 32)
        assert torch.allclose(found.norm(dim=-1), torch.ones(2, 32, 32), atol=1e-4)
        assert not found.requires_grad


def test_each_place_belongs_to_the_part_of_its_nearest_cluster() -> None:
    features = part_features(G, G.sample([3]))
    centres = torch.stack([features[0, 0, 0], features[0, 31, 31], features[0, 16, 16]])
    masks = _parts(centres=centres).masks(G, G.sample([3, 4]))
    assert masks.shape == (2, 2, 32, 32)
    assert torch.equal(masks.sum(dim=1), torch.ones(2, 32, 32))
    assert (masks[0, 0, 0, 0], masks[0, 1, 31, 31], masks[0, 0, 16, 16]) == (1, 1, 1)


def test_channels_are_taken_by_their_share() -> None:
    parts = _parts()
    left = parts.weights(["Left"], 0.5)
    assert torch.equal(left[:10], torch.ones(10))
    assert not left[10:].any()
    right = parts.weights(["right"], 0.5)[10:20]
    assert (right[:3] == 0).all()
    assert right[-1] == 1
    assert (right.diff() >= 0).all()
    assert torch.equal(parts.weights(["left", "right"], 0.5)[:10], left[:10])
    with pytest.raises(InputError, match="no part 'ears': give left, right"):
        parts.weights(["ears"], 0.5)
    with pytest.raises(InputError, match=r"largest share is 0\.75, so give a lower --threshold"):
        parts.weights(["left"], 0.8)


def test_a_catalogue_is_read_as_it_was_written(tmp_path: Path) -> None:
    parts = _parts()
    parts.save(tmp_path / "a.parts.safetensors")
    again = load(tmp_path / "a.parts.safetensors")
    assert (again.names, again.model, again.fingerprint) == (parts.names, parts.model, parts.fingerprint)
    assert torch.equal(again.owners, parts.owners)
    assert torch.allclose(again.shares, parts.shares, atol=1e-3)
    assert torch.allclose(again.centres, parts.centres, atol=1e-3)


@pytest.mark.parametrize("damage", ["missing", "text", "other", "shapes"])
def test_what_is_no_catalogue_is_said(tmp_path: Path, damage: str) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "x.parts.safetensors"
    if damage == "text":
        path.write_text("hello")
    elif damage == "other":
        save_file({"vector": torch.zeros(2)}, path)
    elif damage == "shapes":
        _parts(owners=torch.tensor([0, 1, 2])).save(path)
    with pytest.raises(InputError, match="cannot be read as a catalogue of parts"):
        load(path)


def test_a_catalogue_is_found_once_and_a_damaged_one_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stylegan_latents.editing.mixing import find_parts as part_finder

    calls: list[str] = []

    def find(network: object, **_: object) -> Parts:
        assert network is G
        calls.append("found")
        return _parts()

    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path))
    monkeypatch.setattr(part_finder, "find_parts", find)
    for _ in range(2):
        assert parts_of(G, lambda _what: lambda _done, _all: None).names == ("left", "right")
    assert calls == ["found"]
    (kept,) = (tmp_path / "parts").iterdir()
    kept.write_text("damaged")
    parts_of(G, lambda _what: lambda _done, _all: None)
    assert calls == ["found", "found"]


def test_the_catalogue_of_a_model_in_a_style_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path))
    monkeypatch.setattr("stylegan_latents.editing.mixing.find_parts.find_parts", lambda _G, **_: _parts())
    parts_of(small_style(G).apply(G), lambda _what: lambda _done, _all: None)
    assert not (tmp_path / "parts").exists()


def test_the_default_models_catalogue_comes_with_the_package() -> None:
    (shipped,) = parts_catalogue._shipped().values()
    assert shipped.model == DEFAULT_MODEL
    assert {"eyes", "nose", "mouth", "hair", "skin", "background"} <= set(shipped.names)
    for name in ("eyes", "mouth", "hair"):
        assert (shipped.weights([name], 0.3) > 0).sum() >= 20
    assert 0 <= float(shipped.shares.min()) <= float(shipped.shares.sum(dim=0).max()) <= 1.01


@pytest.mark.slow
def test_the_default_model_has_a_catalogue_in_the_package() -> None:
    from stylegan_latents import generator

    G = generator.load(DEFAULT_MODEL)
    parts = stored_parts(G)
    assert parts is not None
    assert parts.fingerprint == G.fingerprint
