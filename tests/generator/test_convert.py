"""`stylegan-latents convert`: from every format to ours and to rosinality's."""

from pathlib import Path

import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.generator.convert import main
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import nvidia_pickle, random_stylegan2, rosinality_checkpoint


def test_to_our_own_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "mine.safetensors"
    words = [str(rosinality_checkpoint()), str(target)]
    assert main([*words, "--name", "mine", "--latent-space", "stylegan2-ffhq-w"]) == 0
    assert "Wrote" in capsys.readouterr().out
    G, wanted = generator.load(target), generator.load(rosinality_checkpoint())
    assert (G.name, G.latent_space, G.fingerprint) == ("mine", "stylegan2-ffhq-w", wanted.fingerprint)
    assert main(words) == 2
    assert "exists already; add --overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
    assert generator.load(target).name == rosinality_checkpoint().stem


def test_to_rosinality(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    G = random_stylegan2(StyleGAN2Config(z_dim=4, mapping_widths=(4, 4), channels=(512, 512)))
    save_native(G, tmp_path / "x.safetensors")
    assert main([str(tmp_path / "x.safetensors"), str(tmp_path / "x.pt")]) == 0
    assert "for Generator(8, 4, 2, channel_multiplier=2)" in capsys.readouterr().out
    contents = torch.load(tmp_path / "x.pt", weights_only=True)
    assert contents["g_ema"]["conv1.conv.weight"].shape == (1, 512, 512, 3, 3)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["x.onnx"], "ends with .safetensors or .pt"),
        (["x.pt"], "has classes, which rosinality's code does not have"),
        (["x.pt", "--name", "n"], "A .pt holds no name"),
    ],
)
def test_refusals(
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(nvidia_pickle("skip-conditional")), *words]) == 2
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
