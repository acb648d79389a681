import dataclasses

import pytest
import torch

from stylegan_latents.encoders.config import ARCHITECTURES, Architecture, EncoderConfig
from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.encoders.networks.backbone import Backbone
from stylegan_latents.encoders.networks.psp import Encoder4Editing
from stylegan_latents.encoders.restyle import ReStyle, draw_input
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.generator.perceptual import area_resize
from tests.encoders.small_encoders import DEPTHS, WIDTHS, noise_images, small_encoder
from tests.generator.stylegan2_files import random_stylegan2
from tests.odd_models import odd_generator
from tests.small_models import small_generator


@pytest.mark.parametrize("make", [small_generator, odd_generator])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("size", [32, 50])
def test_codes_fit_any_generator(make: object, architecture: Architecture, size: int) -> None:
    G = make()  # type: ignore[operator]
    encoder = small_encoder(G, architecture)
    ws = encoder.encode(noise_images(2, size))
    assert ws.shape == (2, G.num_ws, G.w_dim)
    assert not torch.equal(ws[0], ws[1])
    assert torch.equal(ws[:, 0], ws[:, -1]) == (architecture in ("single", "plain"))


def test_rows_look_where_their_resolution_is() -> None:
    """The public encoders' table for 32 to 1024 pixels: coarse below row 3, middle below row 7."""
    G = random_stylegan2(StyleGAN2Config(z_dim=8, mapping_widths=(8,), channels=(8, 8, 8, 8, 8)))
    config = EncoderConfig.for_generator(G, "psp")
    assert (G.num_ws, config.first_middle_row, config.first_fine_row) == (10, 3, 7)
    encoder = Encoder.for_generator(G, dataclasses.replace(config, widths=WIDTHS, depths=DEPTHS))
    halvings = [len(head.convolutions) // 2 for head in encoder.network.heads]  # type: ignore[union-attr]
    assert halvings == [4] * 3 + [5] * 4 + [6] * 3


@pytest.mark.parametrize("kind", ["irse", "resnet"])
def test_the_maps_of_a_backbone(kind: str) -> None:
    backbone = Backbone(kind, 3, WIDTHS, DEPTHS)  # type: ignore[arg-type]
    assert [tuple(found.shape) for found in backbone(noise_images(1, 64))] == [
        (1, 10, 16, 16), (1, 12, 8, 8), (1, 16, 4, 4)
    ]  # fmt: skip
    with pytest.raises(ValueError, match="a stem and four stages"):
        Backbone("irse", 3, (8, 8), DEPTHS)


def test_the_published_sizes() -> None:
    """IR-SE50 has 24 blocks, whose maps are taken after the 7th, the 21st and the 24th."""
    backbone = Backbone("irse", 3)
    assert len(backbone.blocks) == 24
    assert backbone._stage_ends[1:] == [6, 20, 23]
    assert sum(value.numel() for value in backbone.parameters()) == 30_950_080


def test_e4e_is_a_w_and_differences_that_come_one_by_one() -> None:
    encoder = small_encoder(small_generator(), "e4e")
    network = encoder.network
    assert isinstance(network, Encoder4Editing)
    images = noise_images()
    whole = encoder.encode(images)
    network.set_stage(2)
    part = encoder.encode(images)
    assert torch.equal(part[:, :3], whole[:, :3])
    assert torch.equal(part[:, 3:], part[:, :1].expand(-1, 3, -1))
    assert not torch.equal(whole[:, 3], whole[:, 0])
    with pytest.raises(ValueError, match="from 0 to 5"):
        network.set_stage(6)


@pytest.fixture(name="G")
def _generator() -> Generator:
    return small_generator()


@pytest.mark.parametrize("architecture", ["psp", "e4e", "plain"])
def test_restyle_adds_up_what_it_sees_to_be_wrong(G: Generator, architecture: Architecture) -> None:
    encoder = small_encoder(G, architecture, restyle=True)
    images = noise_images()
    ws = encoder.ws_avg.expand(2, -1, -1)
    wanted = []
    for _ in range(3):
        drawn = area_resize(G.synthesize(ws), 32)
        with torch.no_grad():
            ws = ws + encoder(torch.cat([images, drawn], dim=1))
        wanted.append(ws)
    passes = list(ReStyle(encoder, G, 3).passes(images))
    for look, want in zip(passes, wanted, strict=True):
        assert torch.allclose(look, want, atol=1e-6)
    assert torch.equal(ReStyle(encoder, G, 3).encode(images), passes[-1])
    assert (passes[2] - passes[0]).abs().max() > 1e-3


def test_a_restyle_that_cannot_be(G: Generator) -> None:
    encoder = small_encoder(G, "psp", restyle=True)
    with pytest.raises(InputError, match="needs its generator"):
        encoder.encode(noise_images())
    with pytest.raises(InputError, match="1 pass or more"):
        ReStyle(encoder, G, 0)
    with pytest.raises(InputError, match="not a ReStyle"):
        ReStyle(small_encoder(G), G)
    with pytest.raises(ValueError, match="only a ReStyle"):
        Encoder(small_encoder(G).config, G.w_avg.expand(G.num_ws, -1), name="x", iterations=2)


def test_what_is_drawn_is_averaged_to_what_is_seen() -> None:
    G = odd_generator()
    encoder = small_encoder(G, "psp", restyle=True)
    ws = G.sample([1])
    assert torch.allclose(draw_input(encoder, G, ws), area_resize(G.synthesize(ws), 32), atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 1, 32, 32), (0, 3, 32, 32)])
def test_what_is_no_image_is_refused(G: Generator, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"need the shape \[N, 3, H, W\]"):
        small_encoder(G).encode(torch.zeros(shape))


@pytest.mark.parametrize(
    "change", [{"architecture": "vit"}, {"input_channels": 4}, {"input_shape": (48, 48)}, {"num_ws": 0}]
)
def test_sizes_that_cannot_be(change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        EncoderConfig(**({"architecture": "psp", "num_ws": 6, "w_dim": 8} | change))  # type: ignore[arg-type]
