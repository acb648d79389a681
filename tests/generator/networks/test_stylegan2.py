from dataclasses import replace

import pytest

from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import random_stylegan2

CONFIG = StyleGAN2Config(z_dim=4, mapping_widths=(6, 5), channels=(7, 6, 4))
CONFIGS = {
    "skip": CONFIG,
    "resnet": replace(CONFIG, architecture="resnet", taps=(1, 2, 1)),
    "orig": replace(CONFIG, architecture="orig", image_channels=1),
    "clamp": replace(CONFIG, clamp=0.5),
    "silent": replace(CONFIG, has_noise=False),
    "smallest": replace(CONFIG, channels=(7,), image_channels=4),
}


def test_random_noise_has_the_layers_strength() -> None:
    G = random_stylegan2(replace(CONFIG, channels=(4, 4, 4, 4, 4)))
    strengths = G.synthesis.noise_strengths()
    for strength, map in zip(strengths[-2:], G.synthesis.noise_maps("random", 0, 1)[-2:], strict=True):
        assert map is not None
        assert float(map.std()) == pytest.approx(float(strength), rel=0.05)


@pytest.mark.parametrize(
    "change", [{"channels": ()}, {"channels": (1,) * 11}, {"z_dim": 0}, {"label_dim": 3}, {"architecture": "unet"}]
)
def test_impossible_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="StyleGAN2"):
        replace(CONFIG, **change)  # type: ignore[arg-type]
