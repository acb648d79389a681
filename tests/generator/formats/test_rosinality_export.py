"""What is written for rosinality's code: its names, shapes and scales, and equal pictures read back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.rosinality_export import save_rosinality
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import check_parity, expected, random_stylegan2, rosinality_checkpoint
from tests.small_models import small_generator

SMALL = StyleGAN2Config(z_dim=6, mapping_widths=(6, 6), channels=(7, 6, 5))


def _contents(path: Path) -> dict[str, Any]:
    with torch.serialization.safe_globals([__import__("argparse").Namespace]):
        contents: dict[str, Any] = torch.load(path, weights_only=True)
    return contents


def test_a_checkpoint_of_that_code_is_written_as_it_was_read(tmp_path: Path) -> None:
    save_rosinality(generator.load(rosinality_checkpoint()), tmp_path / "x.pt", any_widths=True)
    wanted, written = _contents(rosinality_checkpoint()), _contents(tmp_path / "x.pt")
    assert set(written) == {"g_ema", "latent_avg"}
    assert torch.equal(written["latent_avg"], wanted["latent_avg"])
    assert written["g_ema"].keys() == wanted["g_ema"].keys()
    for key, tensor in wanted["g_ema"].items():
        assert written["g_ema"][key].shape == tensor.shape, key
        assert torch.allclose(written["g_ema"][key], tensor, rtol=1e-5, atol=1e-6), key
    check_parity(generator.load(tmp_path / "x.pt"), expected("rosinality"))


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "multiplier"), [((512, 512), 2), ((512,) * 4 + (256,), 1)])
def test_that_codes_own_widths(tmp_path: Path, channels: tuple[int, ...], multiplier: int) -> None:
    G = random_stylegan2(StyleGAN2Config(z_dim=4, mapping_widths=(4,) * 3, channels=channels))
    how = save_rosinality(G, tmp_path / "x.pt")
    assert how == f"Generator({4 << (len(channels) - 1)}, 4, 3, channel_multiplier={multiplier})"
    read, ws = generator.load(tmp_path / "x.pt"), G.sample([0])
    wanted = G.synthesize(ws)
    assert torch.allclose(read.sample([0]), ws, rtol=1e-5, atol=1e-6)
    assert float((read.synthesize(ws) - wanted).detach().abs().max()) < 1e-5 * float(wanted.detach().abs().max())
    with pytest.raises(InputError, match="exists already"):
        save_rosinality(G, tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"label_dim": 3, "label_width": 2}, "has classes"),
        ({"architecture": "resnet"}, "architecture 'resnet'"),
        ({"image_channels": 1}, "images of 1 channels"),
        ({"has_noise": False}, "has no noise"),
        ({"taps": (1.0, 1.0)}, "filter of other than 4 taps"),
        ({"z_dim": 5}, "z and w of different lengths"),
        ({"mapping_widths": (5, 6)}, "z and w of different lengths"),
    ],
)
def test_what_that_code_cannot_express(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        save_rosinality(random_stylegan2(replace(SMALL, **changes)), tmp_path / "x.pt", any_widths=True)
    assert list(tmp_path.iterdir()) == []


def test_other_widths_and_other_networks(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has 7, 6, 5 channels.*--any-widths"):
        save_rosinality(random_stylegan2(SMALL), tmp_path / "x.pt")
    with pytest.raises(InputError, match="is no StyleGAN2"):
        save_rosinality(small_generator(), tmp_path / "x.pt")
    rounded = random_stylegan2(SMALL).to(torch.bfloat16)
    with pytest.raises(ValueError, match="float32"):
        save_rosinality(rounded, tmp_path / "x.pt", any_widths=True)


def test_clamps_only_where_they_change_nothing(tmp_path: Path) -> None:
    idle = random_stylegan2(replace(SMALL, clamp=1e4))
    save_rosinality(idle, tmp_path / "x.pt", any_widths=True)
    ws = idle.sample([0])
    wanted = idle.synthesize(ws)
    read = generator.load(tmp_path / "x.pt").synthesize(ws)
    assert float((read - wanted).detach().abs().max()) < 1e-5 * float(wanted.detach().abs().max())
    with pytest.raises(InputError, match=r"clamps its feature maps at 0\.1"):
        save_rosinality(random_stylegan2(replace(SMALL, clamp=0.1)), tmp_path / "y.pt", any_widths=True)
