from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents.editing.directions.calibration import style_deviations
from stylegan_latents.editing.discovery.finders.text_table import read_text_table
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import random_stylegan2

G = random_stylegan2(StyleGAN2Config(z_dim=4, mapping_widths=(6, 5), channels=(7, 6, 4)))
KEPT = [not layer.name.endswith("rgb") for layer in G.layers for _ in range(layer.channels)]


def _table(path: Path, rows: int = sum(KEPT)) -> np.ndarray:
    steps = np.random.default_rng(0).normal(0, 0.2, size=(rows, 12)).astype(np.float32)
    np.save(path, steps)
    return steps


def test_channels_move_by_their_relevance_in_their_own_deviations(tmp_path: Path) -> None:
    steps = torch.from_numpy(_table(tmp_path / "fs3.npy"))
    text = torch.randn(12, generator=torch.Generator().manual_seed(0))
    one = read_text_table(tmp_path / "fs3.npy", G).direction(5 * text, "a hat", threshold=0.2)
    relevance = steps @ (text / text.norm())
    kept = torch.where(relevance.abs() < 0.2, torch.zeros(()), relevance / relevance.abs().max())
    assert torch.allclose(one.vector[0][KEPT] / style_deviations(G)[KEPT], kept, atol=1e-5)
    assert not one.vector[0][[not keep for keep in KEPT]].any()
    assert one.provenance["channels"] == int((kept != 0).sum())
    styles = G.styles(G.sample([0]))
    moved = one.apply_styles(styles, 3.0, G, raw=True)
    assert torch.allclose(torch.cat(moved, 1) - torch.cat(styles, 1), 3 * one.vector, atol=1e-5)


def test_what_makes_no_direction_is_said(tmp_path: Path) -> None:
    _table(tmp_path / "fs3.npy")
    table = read_text_table(tmp_path / "fs3.npy", G)
    with pytest.raises(InputError, match="no direction between"):
        table.direction(torch.zeros(12), "nothing")
    with pytest.raises(InputError, match="lower threshold"):
        table.direction(torch.ones(12), "a hat", threshold=9)
    with pytest.raises(ValueError, match="needs"):
        table.direction(torch.ones(5), "a hat")


def test_a_table_of_another_model_is_refused(tmp_path: Path) -> None:
    _table(tmp_path / "fs3.npy", 6048)
    with pytest.raises(InputError, match=f"another StyleSpace, of 6048 channels; .* has {sum(KEPT)} besides"):
        read_text_table(tmp_path / "fs3.npy", G)
    np.save(tmp_path / "flat.npy", np.ones(4))
    with pytest.raises(InputError, match="no table"):
        read_text_table(tmp_path / "flat.npy", G)
    np.save(tmp_path / "nan.npy", np.full((sum(KEPT), 3), np.nan))
    with pytest.raises(InputError, match="not finite"):
        read_text_table(tmp_path / "nan.npy", G)
