"""Directions by name, from files, and from the Hugging Face hub."""

from pathlib import Path

import pytest
import torch

from stylegan_latents.editing.directions.catalogue import find_direction, lookup
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.generator.errors import InputError
from tests.hub import COMMIT, REPOSITORY, serve_hub
from tests.small_models import small_generator


def test_a_direction_of_the_hub_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    G = small_generator(latent_space="small-w")
    Direction("smile", "small-w", torch.ones(1, 8), scale=0.5).save(tmp_path / "smile.safetensors")
    torch.save(torch.eye(8)[:5], tmp_path / "axes.pt")
    files = {path.name: path.read_bytes() for path in (tmp_path / "smile.safetensors", tmp_path / "axes.pt")}
    with serve_hub(files, monkeypatch, tmp_path / "home"):
        found = find_direction(f"hf://{REPOSITORY}/smile.safetensors@{COMMIT}", G)
        assert torch.equal(found.vector, torch.ones(1, 8))
        axis = find_direction(f"hf://{REPOSITORY}/axes.pt:3", G)
        assert axis.name == "axes-03"
        with pytest.raises(InputError, match=r"has no file frown\.safetensors"):
            find_direction(f"hf://{REPOSITORY}/frown.safetensors", G)


def test_a_strength_beside_a_name_is_told() -> None:
    with pytest.raises(InputError, match=r"^'smile=2' is no direction; write --direction smile --strength 2\.$"):
        lookup("smile=2", "stylegan2-ffhq-w", "ffhq")
