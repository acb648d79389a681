"""Texts of a StyleGAN-T on the command lines: codes from files, and encoded by the snapshot's own encoder."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.generator import convert
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.text_options import TextOptions, encode_texts
from tests.generator.networks.stylegan_t_files import expected, stylegan_t_pickle


def _use_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """open_clip's tokens of two texts are those that were recorded."""
    tokens = expected("texts")["tokens"].long()
    tokenizer = SimpleNamespace(tokenize=lambda texts, _context: tokens[[["dog", "cat"].index(t) for t in texts]])
    monkeypatch.setitem(sys.modules, "open_clip", tokenizer)


def test_texts_are_encoded_by_the_snapshots_own_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    _use_tokens(monkeypatch)
    codes = TextOptions(text=["cat", "dog"]).codes(str(stylegan_t_pickle("texts")))
    assert codes is not None
    torch.testing.assert_close(codes, expected("texts")["codes_of_tokens"].flip(0), rtol=1e-4, atol=1e-6)


def test_tokens_that_the_encoder_does_not_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = SimpleNamespace(tokenize=lambda texts, context: torch.full((len(texts), context), 49_407))
    monkeypatch.setitem(sys.modules, "open_clip", tokenizer)
    with pytest.raises(InputError, match="other tokens than CLIP's"):
        encode_texts(stylegan_t_pickle("texts"), ["dog"])


def test_without_open_clip_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(InputError, match="pip install open_clip_torch"):
        encode_texts(stylegan_t_pickle("texts"), ["dog"])


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("ffhq", "'ffhq' takes no texts"),
        (str(stylegan_t_pickle("unconditional")), "no text encoder"),
        (__file__, "not a snapshot of a StyleGAN-T|no text encoder|damaged"),
    ],
)
def test_models_without_texts_take_none(model: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        encode_texts(model, ["dog"])


def test_no_text_is_none_and_two_kinds_are_refused() -> None:
    assert TextOptions().codes("ffhq") is None
    with pytest.raises(InputError, match="leave one of them out"):
        TextOptions(text=["dog"], text_codes=Path("codes.npy"))
    with pytest.raises(InputError, match="a text that says something"):
        TextOptions(text=["dog", " "])


def test_a_converted_model_keeps_its_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _use_tokens(monkeypatch)
    np.save(tmp_path / "codes.npy", expected("texts")["codes_of_tokens"].numpy())
    model, by_text, by_codes = (
        str(stylegan_t_pickle("texts")),
        tmp_path / "a.safetensors",
        tmp_path / "b.safetensors",
    )
    assert convert.main([model, str(by_text)]) == 2
    assert "give one with --text" in capsys.readouterr().err
    assert convert.main([model, str(by_text), "--text", "dog", "--text", "cat"]) == 0
    assert convert.main([model, str(by_codes), "--text-codes", str(tmp_path / "codes.npy")]) == 0
    first, second = generator.load(by_text), generator.load(by_codes)
    assert (first.label_dim, first.latent_space) == (2, second.latent_space)
    z = torch.randn(2, 6)
    torch.testing.assert_close(first.map(z, torch.eye(2)), second.map(z, torch.eye(2)))
