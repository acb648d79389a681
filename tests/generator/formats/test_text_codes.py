from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.text_codes import read_text_codes
from tests.generator.networks.stylegan_t_files import expected, stylegan_t_pickle
from tests.small_models import save_small_model

CODES = torch.tensor([[3.0, 4.0], [0.0, -2.0]])


def _write(path: Path, codes: torch.Tensor) -> Path:
    if path.suffix == ".npy":
        np.save(path, codes.numpy())
    elif path.suffix == ".npz":
        np.savez(path, codes=codes.numpy())
    elif path.suffix == ".pt":
        torch.save(codes, path)
    else:
        save_file({"codes": codes}, path)
    return path


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".pt", ".safetensors"])
def test_codes_are_read_and_scaled_to_length_1(tmp_path: Path, suffix: str) -> None:
    wanted = torch.tensor([[0.6, 0.8], [0.0, -1.0]])
    torch.testing.assert_close(read_text_codes(_write(tmp_path / f"a{suffix}", CODES)), wanted)
    torch.testing.assert_close(read_text_codes(_write(tmp_path / f"b{suffix}", CODES[0])), wanted[:1])


@pytest.mark.parametrize(
    "codes",
    [torch.zeros(2, 3), torch.full((1, 3), torch.nan), torch.ones(2, 2, 2), torch.ones(0), torch.ones(1, 9000)],
)
def test_what_are_no_codes_is_said(tmp_path: Path, codes: torch.Tensor) -> None:
    with pytest.raises(InputError, match=r"no codes of texts|codes of texts that are 0|no arrays"):
        read_text_codes(_write(tmp_path / "a.npy", codes))


def test_a_model_with_texts_needs_them() -> None:
    with pytest.raises(InputError, match="'texts' needs a text; give one with --text"):
        generator.load(stylegan_t_pickle("texts"))


def test_a_model_without_texts_takes_none(tmp_path: Path) -> None:
    for model in (stylegan_t_pickle("unconditional"), save_small_model(tmp_path)):
        with pytest.raises(InputError, match="takes no texts"):
            generator.load(model, texts=CODES)


def test_codes_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="takes codes of texts of 24 numbers, and these have 2"):
        generator.load(stylegan_t_pickle("texts"), texts=CODES)


def test_models_of_other_texts_share_their_space_and_texts_can_be_changed(tmp_path: Path) -> None:
    texts = expected("texts")["texts"]
    first = generator.load(stylegan_t_pickle("texts"), texts=texts[:1])
    several = generator.load(stylegan_t_pickle("texts"), texts=texts)
    assert first.latent_space == several.latent_space
    assert (first.label_dim, several.label_dim) == (0, 3)
    generator.save(several, tmp_path / "several.safetensors")
    again = generator.load(tmp_path / "several.safetensors", texts=texts[:1])
    assert (again.fingerprint, again.latent_space) == (first.fingerprint, first.latent_space)
    z = torch.randn(2, 6)
    label = torch.eye(3)[[0, 0]]
    assert torch.equal(first.map(z, truncation=0.5), several.map(z, label, truncation=0.5))
