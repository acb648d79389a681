"""A StyleGAN-T in all that edits: samples of texts, mixing of x and text apart, finders, searches, records."""

from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.discovery.finders.ganspace import GANSpace
from stylegan_latents.editing.discovery.finders.sefa import SeFa
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.record.inversion import Inversion
from tests.generator.networks.stylegan_t_files import TEXTS, expected, random_stylegan_t, stylegan_t_pickle
from tests.invert.small_search import invert, own_images, small_search

__all__ = ["small_search"]
X = slice(0, 5)  # of a row of TEXTS; the text's code follows


@pytest.fixture(name="model")
def _model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The file of a model with three texts, in the folder where commands run."""
    monkeypatch.chdir(tmp_path)
    generator.save(random_stylegan_t(TEXTS, texts=3), "three.safetensors")
    return "three.safetensors"


@pytest.mark.usefixtures("small_search")
@pytest.mark.parametrize("space", ["w", "w+"])
@pytest.mark.parametrize("texts", [1, 3])
def test_a_search_keeps_to_the_texts_of_the_model(space: str, texts: int) -> None:
    G = random_stylegan_t(TEXTS, texts=texts)
    images = own_images(G, 1) if texts == 1 else G.synthesize(G.sample([0], torch.eye(3)[:1])).clamp(-1, 1)
    found = invert(G, images, space, steps=5)
    assert torch.isfinite(found.ws).all()
    assert not torch.allclose(found.ws[..., X], G.w_avg[X])
    # W has no spread across the plane of the texts.
    codes = (G.w_avg[None] if G.class_w_avg is None else G.class_w_avg)[:, X.stop :]
    away = found.ws[0, :, X.stop :] - codes.mean(dim=0)
    plane = torch.linalg.pinv(codes - codes.mean(dim=0)) @ (codes - codes.mean(dim=0))
    assert float((away - away @ plane).abs().max()) < 0.02


def test_finders_find_directions_of_x_and_of_texts() -> None:
    one, three = random_stylegan_t(TEXTS, texts=1), random_stylegan_t(TEXTS, texts=3)
    found = GANSpace(one, samples=500).find(2)
    assert all(float(direction.vector[:, X.stop :].abs().max()) < 1e-3 for direction in found)
    found = GANSpace(three, samples=500).find(3)
    assert any(float(direction.vector[:, X.stop :].abs().max()) > 1e-2 for direction in found)
    for direction in SeFa(three).find(2):
        bound = direction.bind(three)
        assert torch.isfinite(bound.vector).all()
    assert WStatistics.of(three, samples=500).deviations.shape == (12,)


def test_a_snapshot_draws_a_text_and_its_record_is_opened_with_other_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    texts, model = expected("texts")["texts"], str(stylegan_t_pickle("texts"))
    np.save("codes.npy", texts.numpy())
    np.save("first.npy", texts[0].numpy())
    several = ["sample", "--model", model, "--text-codes", "codes.npy"]
    assert main([*several, "--class", "0-2", "--seeds", "0,1"]) == 0
    assert main(["sample", "--model", model, "--text-codes", "first.npy", "--seeds", "1", "--records"]) == 0
    assert "convert" in capsys.readouterr().out
    record = Inversion.load("seed0001.inversion.safetensors")
    G = generator.load(model, texts=texts[:1])
    assert torch.equal(record.ws, G.sample([1], truncation=0.7))
    generator.save(generator.load(model, texts=texts[1:]), "others.safetensors")
    words = ["mix", "seed0001.inversion.safetensors", "seed:2@1", "--layers", "all", "--out", "mixed.png"]
    assert main([*words, "--model", "others.safetensors"]) == 0
    assert main(["sample", "--model", model, "--seeds", "2"]) == 2
    assert "needs a text" in capsys.readouterr().err
    assert main([*several, "--seeds", "2"]) == 2
    assert "--class" in capsys.readouterr().err


def test_x_and_text_are_mixed_apart(model: str) -> None:
    G, labels = generator.load(model), torch.eye(3)
    first = G.sample([1], labels[:1], truncation=0.7)
    second = G.sample([2], labels[1:2], truncation=0.7)
    words = ["mix", "seed:1@0", "seed:2@1", "--model", model, "--record", "--only"]
    assert main([*words, "text"]) == 0
    mixed = Inversion.load("seed1_0.mix.seed2_1-all-text.inversion.safetensors")
    torch.testing.assert_close(mixed.ws, torch.cat([first[..., X], second[..., X.stop :]], dim=2))
    assert "'columns': [5, 12]" in str(mixed.settings)
    assert main([*words, "x", "--layers", "0-1", "--out", "x.png"]) == 0
    mixed = Inversion.load("x.inversion.safetensors")
    torch.testing.assert_close(mixed.ws[:, :2], torch.cat([second[..., X], first[..., X.stop :]], dim=2)[:, :2])
    assert torch.equal(mixed.ws[:, 2:], first[:, 2:])


def test_only_is_for_models_with_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = str(tmp_path / "plain.safetensors")
    generator.save(random_stylegan_t(), plain)
    assert main(["mix", "seed:1", "seed:2", "--model", plain, "--only", "text"]) == 2
    assert "has no texts" in capsys.readouterr().err
    assert main(["mix", "seed:1", "seed:2", "--model", plain, "--only", "text", "--matrix"]) == 2
    assert "leave out --matrix" in capsys.readouterr().err
