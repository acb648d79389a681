"""The encoder that comes with the package, on the default model itself."""

import pytest
import torch

from stylegan_latents import encoders, generator
from stylegan_latents.encoders.loading import shipped_encoder
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.layers import GROUPS, group_of_each_ws
from stylegan_latents.generator.networks.mapping import Mapping
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config, Synthesis
from stylegan_latents.generator.perceptual import LPIPS
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.inverters.hybrid import HybridInverter
from tests.odd_models import odd_generator


@pytest.fixture(name="G", scope="module")
def _generator() -> Generator:
    return generator.load("ffhq")


def test_it_belongs_to_the_default_model_and_is_small(G: Generator) -> None:
    path = shipped_encoder(G)
    assert path is not None
    assert path.stat().st_size <= 20_000_000
    encoder = encoders.load(path, G)
    assert (encoder.fingerprint, encoder.model) == (G.fingerprint, "ffhq")  # type: ignore[union-attr]
    assert isinstance(make_inverter(G), HybridInverter)
    assert shipped_encoder(odd_generator()) is None


@pytest.mark.slow
def test_it_finds_who_is_seen(G: Generator) -> None:
    """Unseen samples: at most half as far from the picture as the mean face is, and nearer to its own code."""
    path = shipped_encoder(G)
    assert path is not None
    ws = G.sample([31, 32, 33], truncation=0.8)
    lpips = LPIPS.load("alex")
    with torch.no_grad():
        images = torch.cat([G.synthesize(one[None], size=256) for one in ws])
        found = encoders.load(path, G).encode(images)
        drawn = torch.cat([G.synthesize(one[None], size=256) for one in found])
        mean = G.synthesize(G.w_avg.expand(1, G.num_ws, -1), size=256)
    near, far = lpips(drawn, images), lpips(mean.expand_as(images), images)
    assert float(near.mean()) < 0.6 * float(far.mean())
    whose = torch.cdist(found.flatten(1), ws.flatten(1)).argmin(dim=1)
    assert whose.tolist() == [0, 1, 2]


@pytest.mark.slow
def test_it_serves_every_network_of_the_same_w(G: Generator) -> None:
    config = StyleGAN2Config(512, (512,), (4,) * 9)
    mapping, synthesis = Mapping(config), Synthesis(config)
    other = Generator(mapping, synthesis, G.w_avg, name="18 rows", latent_space=G.latent_space, z_dim=512)
    path = shipped_encoder(other)
    assert path is not None
    assert path == shipped_encoder(G)
    image = G.synthesize(G.sample([31], truncation=0.8), size=256)
    ours, theirs = encoders.load(path, G).encode(image)[0], encoders.load(path, other).encode(image)[0]
    assert theirs.shape == (other.num_ws, other.w_dim)
    groups, their_groups = (group_of_each_ws(one.layers, one.num_ws) for one in (G, other))
    for group in GROUPS:
        torch.testing.assert_close(theirs[their_groups.index(group)], ours[groups.index(group)])
    with pytest.raises(InputError, match="give the model"):
        encoders.load(path, odd_generator())
