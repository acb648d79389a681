"""MobileStyleGAN's sketches: nearly the network's own pictures."""

from typing import cast

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.mobile import Synthesis
from stylegan_latents.generator.networks.mobile_layers import LEAK, SeparableConv, UpBlock
from stylegan_latents.generator.ops.separable import modulated_separable_reference
from stylegan_latents.generator.ops.wavelet import inverse_haar_reference
from tests.odd_models import ODD_SIZES, odd_config, odd_generator, seeded

DEEP = odd_config(channels=(8, 8, 8, 12, 8, 4))  # 256 pixels: in sketches 64, and 16 around the focus


def _codes(G: Generator, batch: int) -> Tensor:
    """W+ codes whose rows differ."""
    with seeded(batch):
        return torch.randn(batch, G.num_ws, G.w_dim)


def _halved(conv: SeparableConv, x: Tensor, style: Tensor) -> Tensor:
    """A layer as it is, but for its leaky ReLU, on blocks of equal pixels; averaged, and then the leaky ReLU."""
    x = F.interpolate(x, scale_factor=2)
    linear = modulated_separable_reference(x, style, conv.depthwise, conv.pointwise, conv.bias, None, 1.0)
    return F.leaky_relu(F.avg_pool2d(linear, 2), LEAK)


@pytest.mark.parametrize("shrink", [4, 8])
@pytest.mark.parametrize("sizes", ["odd", "grey", "with opacity"])
def test_sketch_is_its_definition(sizes: str, shrink: int) -> None:
    G = odd_generator(ODD_SIZES[sizes])
    network = cast(Synthesis, G.synthesis)
    blocks = cast(list[UpBlock], list(network.blocks))
    ws = _codes(G, 3)
    if len(blocks) < 2:
        assert torch.equal(G.sketch(ws, size=G.resolution // shrink), G.synthesize(ws, size=G.resolution // shrink))
        return
    noise, styles = network.noise_constants(), network.styles(ws)
    x: Tensor = network.input(styles[0], noise[0])
    for i, block in enumerate(blocks):
        up, first, second = styles[3 * i + 1 : 3 * i + 4]
        x = inverse_haar_reference(x, up)
        if i < len(blocks) - 1:
            noisy = i < len(blocks) - 2
            x = block.conv1(x, first, noise[2 * i + 1] if noisy else None, reference=True)
            x = block.conv2(x, second, noise[2 * i + 2] if noisy else None, reference=True)
        else:
            x = _halved(block.conv1, F.avg_pool2d(x, 2), first)
            x = _halved(block.conv2, x, second)
    low = 0.5 * F.avg_pool2d(network.to_rgb(x, styles[-1], network.image_channels), shrink // 4)
    sketch = G.sketch(ws, size=G.resolution // shrink)
    torch.testing.assert_close(sketch, low, rtol=1e-5, atol=1e-5)
    assert torch.equal(G.sketch_styles(styles, size=G.resolution // shrink), sketch)
    assert not torch.allclose(sketch, G.synthesize(ws, size=G.resolution // shrink), atol=1e-4)


def test_sketch_is_exact_where_there_is_no_quicker_way() -> None:
    for sizes, shrink in (("odd", 2), ("one block", 4), ("no block", 1)):
        G = odd_generator(ODD_SIZES[sizes])
        ws, size = _codes(G, 2), G.resolution // shrink
        assert torch.equal(G.sketch(ws, size=size), G.synthesize(ws, size=size))
    assert torch.equal(G.sketch(ws), G.synthesize(ws))
    with pytest.raises(ValueError, match="power of two"):
        G.sketch(ws, size=3)


# Boxes of whole pixels of the coarse picture: in the middle, at two borders, all of it.
@pytest.mark.parametrize("window", [(5, 6, 9, 13), (0, 7, 4, 16), (0, 0, 16, 16)])
def test_what_is_looked_at_closely_is_the_whole_sketch_there(window: tuple[int, int, int, int]) -> None:
    G = odd_generator(DEEP)
    ws, size = _codes(G, 3), G.resolution // 4
    left, top, right, bottom = window
    whole, near = G.sketch(ws, size=size), G.sketch(ws, size=size, focus=_box(window))
    inside = (..., slice(4 * top, 4 * bottom), slice(4 * left, 4 * right))
    torch.testing.assert_close(near[inside], whole[inside], rtol=1e-5, atol=1e-5)
    near[inside] = whole[inside] = 0
    assert torch.equal(near, whole) == (window == (0, 0, 16, 16)), "the rest was not drawn coarser"


def test_around_it_is_a_sixteenth_of_the_picture() -> None:
    """Colours remain what they are: the rest is nearly the mean of each block of sixteen pixels a side."""
    G = odd_generator(DEEP)
    ws, size = _codes(G, 3), G.resolution // 4
    near, exact = G.sketch(ws, size=size, focus=_box((0, 0, 8, 8))), G.synthesize(ws, size=size)
    rest = near[..., 36:, :]
    coarse = F.interpolate(F.avg_pool2d(exact, 4), (size, size), mode="bilinear")[..., 36:, :]
    error = float((rest - coarse).square().mean().sqrt())
    assert error <= 0.5 * float(coarse.std())


def test_a_box_between_pixels_is_seen_whole() -> None:
    G = odd_generator(DEEP)
    ws, size = _codes(G, 2), G.resolution // 4
    whole, near = G.sketch(ws, size=size), G.sketch(ws, size=size, focus=(0.3, 0.4, 0.6, 0.7))
    inside = (..., slice(int(0.4 * size), int(0.7 * size) + 1), slice(int(0.3 * size), int(0.6 * size) + 1))
    torch.testing.assert_close(near[inside], whole[inside], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shrink", [1, 2, 8])
def test_where_nothing_is_won_all_of_it_is_drawn_alike(shrink: int) -> None:
    G = odd_generator(DEEP)
    ws, size = _codes(G, 2), G.resolution // shrink
    assert torch.equal(G.sketch(ws, size=size, focus=(0.2, 0.2, 0.8, 0.8)), G.sketch(ws, size=size))


@pytest.mark.parametrize("focus", [(0.5, 0.2, 0.5, 0.8), (0.2, 0.9, 0.8, 0.3), (-0.1, 0, 1, 1), (0, 0, 1, 1.5)])
def test_a_box_without_inside_is_refused(focus: tuple[float, float, float, float]) -> None:
    G = odd_generator(DEEP)
    with pytest.raises(ValueError, match="left, top, right and bottom"):
        G.sketch(_codes(G, 1), size=G.resolution // 4, focus=focus)


def _box(window: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (edge / 16 for edge in window)
    return left, top, right, bottom
