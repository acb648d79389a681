from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from tests.generator.stylegan2_files import check_parity, expected, nvidia_pickle


def test_a_stylegan2_survives_saving(tmp_path: Path) -> None:
    G = generator.load(nvidia_pickle())
    path = tmp_path / "ours.safetensors"
    generator.save(G, path)
    again = generator.load(path)
    assert (again.fingerprint, again.latent_space, again.name) == (G.fingerprint, G.latent_space, G.name)
    assert again.synthesis.config == G.synthesis.config
    check_parity(again, expected("skip-conditional"))


def test_other_safetensors_are_named(tmp_path: Path) -> None:
    path = tmp_path / "sd.safetensors"
    save_file({"model.diffusion_model.out.2.bias": torch.zeros(4)}, path)
    with pytest.raises(InputError, match="diffusion"):
        generator.load(path)
