from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.mapping import Mapping
from stylegan_latents.generator.networks.stylegan1 import StyleGAN1Config, Synthesis
from tests.invert.small_search import invert, own_images, small_search  # noqa: F401

CONFIG = StyleGAN1Config(z_dim=4, mapping_widths=(6, 5), channels=(7, 6, 4))
CONFIGS = {
    "usual": CONFIG,
    "other blur": replace(CONFIG, taps=(1, 3, 3, 1), image_channels=1),
    "no blur": replace(CONFIG, taps=(), image_channels=4),
    "pixel norm": replace(CONFIG, pixel_norm=True, instance_norm=False),
    "silent": replace(CONFIG, has_noise=False),
    "growing": replace(CONFIG, lod=0.7),
    "conditional": replace(CONFIG, label_dim=3, label_width=4),
    "smallest": replace(CONFIG, channels=(7,)),
}


def random_stylegan1(config: StyleGAN1Config, seed: int = 0) -> Generator:
    """A generator with random weights, noise strengths among them."""
    source = torch.Generator().manual_seed(seed)
    mapping, synthesis = Mapping(config, joint_label=True), Synthesis(config)
    with torch.no_grad():
        for name, parameter in [*mapping.named_parameters(), *synthesis.named_parameters()]:
            fan_in = 1 if "noise" in name else max(parameter[0].numel(), 1)
            parameter.copy_(torch.randn(parameter.shape, generator=source) * fan_in**-0.5)
    return Generator(
        mapping, synthesis, torch.zeros(config.w_dim), name="random", z_dim=config.z_dim, label_dim=config.label_dim
    )


def test_growing_ends_at_the_coarser_picture_repeated() -> None:
    pictures = [random_stylegan1(replace(CONFIG, lod=lod)) for lod in (1.0, 0.5, 0.0)]
    ws = pictures[0].sample([0])
    coarse, between, fine = (G.synthesize(ws) for G in pictures)
    assert torch.equal(coarse, F.interpolate(coarse[..., ::2, ::2], scale_factor=2))
    torch.testing.assert_close(between, (coarse + fine) / 2)
    assert not torch.allclose(coarse, fine)


@pytest.mark.usefixtures("small_search")
def test_a_search_runs_on_it() -> None:
    G = random_stylegan1(replace(CONFIG, channels=(8, 8, 8, 6)))
    found = invert(G, own_images(G, 3), steps=3)
    assert found.ws.shape == (1, G.num_ws, G.w_dim)
    assert torch.isfinite(found.ws).all()


@pytest.mark.parametrize(
    "change", [{"channels": ()}, {"channels": (1,) * 11}, {"z_dim": 0}, {"label_dim": 3}, {"lod": 2.5}]
)
def test_impossible_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="StyleGAN"):
        replace(CONFIG, **change)  # type: ignore[arg-type]
