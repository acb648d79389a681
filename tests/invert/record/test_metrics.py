"""What is measured is the difference at full resolution, in float32, image by image."""

import math

import pytest
import torch

from stylegan_latents.generator.perceptual import LPIPS, as_colour
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.record.metrics import PERCEPTUAL_SIZE, measure
from stylegan_latents.invert.search.loss import area_resize
from tests.odd_models import odd_config, odd_generator, seeded, tiny_lpips
from tests.small_models import small_generator


def test_its_own_image_is_equal() -> None:
    G = odd_generator()
    ws = G.sample([0, 1])
    rows = measure(G, ws, G.synthesize(ws).clamp(-1, 1), lpips=tiny_lpips())
    assert set(rows) == {"lpips_alex", "mse", "psnr"}
    assert rows["mse"] == pytest.approx([0, 0], abs=1e-10)
    assert rows["lpips_alex"] == pytest.approx([0, 0], abs=1e-6)
    assert all(value > 90 and math.isfinite(value) for value in rows["psnr"])


def test_numbers_are_each_images_own() -> None:
    G, lpips = odd_generator(), tiny_lpips()
    ws = G.sample([0, 1])
    made = G.synthesize(ws).clamp(-1, 1)
    with seeded(0):
        images = torch.rand(2, 3, 64, 64) * 2 - 1
    rows = measure(G, ws, images, lpips=lpips)
    for i in range(2):
        mse = float((made[i] - images[i]).square().mean())
        assert rows["mse"][i] == pytest.approx(mse, rel=1e-4)
        assert rows["psnr"][i] == pytest.approx(10 * math.log10(4 / mse), rel=1e-4)
        pair = (area_resize(x[i : i + 1], PERCEPTUAL_SIZE) for x in (made, images))
        assert rows["lpips_alex"][i] == pytest.approx(float(lpips(*pair)), rel=1e-3)


def test_values_out_of_range_count_as_the_picture_shows_them() -> None:
    G = odd_generator()
    ws = 3 * G.sample([0])
    image = G.synthesize(ws)
    assert image.abs().max() > 1
    assert measure(G, ws, image.clamp(-1, 1), lpips=tiny_lpips())["mse"] == pytest.approx([0], abs=1e-10)


@pytest.mark.parametrize("side", [1, 40, 64, 200])
def test_an_image_of_another_size_is_brought_to_the_generators(side: int) -> None:
    G = odd_generator()
    rows = measure(G, G.sample([0]), torch.zeros(1, 3, side, side), lpips=tiny_lpips())
    expected = float(G.synthesize(G.sample([0])).clamp(-1, 1).square().mean())
    assert rows["mse"] == pytest.approx([expected], rel=1e-4)


def test_noise_is_passed_on() -> None:
    G = odd_generator()
    ws = G.sample([0])
    image = G.synthesize(ws, "none").clamp(-1, 1)
    assert measure(G, ws, image, noise="none", lpips=tiny_lpips())["mse"][0] < 1e-10
    assert measure(G, ws, image, lpips=tiny_lpips())["mse"][0] > 1e-4


def test_another_number_of_images_than_codes_is_refused() -> None:
    G = odd_generator()
    with pytest.raises(ValueError, match="zip"):
        measure(G, G.sample([0, 1]), torch.zeros(1, 3, 64, 64), lpips=tiny_lpips())


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_colour_of_any_generator(channels: int) -> None:
    G = odd_generator(odd_config(image_channels=channels))
    image = G.synthesize(G.sample([0]))
    colour = as_colour(image)
    assert colour.shape == (1, 3, 64, 64)
    opacity = (image[:, 3].clamp(-1, 1) + 1) / 2 if channels == 4 else 1.0
    for i in range(3):
        on_white = opacity * image[:, min(i, channels - 1)] + (1 - opacity)
        torch.testing.assert_close(colour[:, i], on_white)
    assert measure(G, G.sample([0]), colour.clamp(-1, 1), lpips=tiny_lpips())["mse"][0] < 1e-10


def test_full_metrics_name_both_lpips_apart_and_tell_structure_and_distance() -> None:
    G = odd_generator(odd_config(channels=(8, 8, 8, 8, 8, 8)))
    ws = G.sample([0, 1])
    with torch.no_grad():
        own = G.synthesize(ws).clamp(-1, 1)
    other = tiny_lpips(seed=1)
    rows = measure(G, ws, own, lpips=tiny_lpips(), lpips_vgg=other, full=True)
    assert set(rows) == {"lpips_alex", "lpips_vgg", "mse", "psnr", "ms_ssim", "w_distance"}
    assert rows["ms_ssim"] == pytest.approx([1, 1], abs=1e-5)
    assert rows["lpips_vgg"] == pytest.approx([0, 0], abs=1e-6)
    assert rows["w_distance"] == pytest.approx(WStatistics.of(G).distance(ws).tolist())
    blurred = area_resize(area_resize(own, 32), own.shape[-1])
    worse = measure(G, ws, blurred, lpips=tiny_lpips(), lpips_vgg=other, full=True)
    assert all(0 < value < 0.999 for value in worse["ms_ssim"])
    assert all(value > 0 for value in worse["lpips_vgg"])
    assert worse["lpips_vgg"] != worse["lpips_alex"]


def test_ms_ssim_of_a_picture_too_small_for_it_is_not_a_number() -> None:
    G = odd_generator()
    rows = measure(
        G, G.sample([0]), torch.zeros(1, 3, 64, 64), lpips=tiny_lpips(), lpips_vgg=tiny_lpips(), full=True
    )
    assert math.isnan(rows["ms_ssim"][0])


def test_what_is_masked_out_is_not_measured() -> None:
    G = odd_generator()
    ws = G.sample([0])
    own, mask = G.synthesize(ws).clamp(-1, 1), torch.ones(1, 1, 64, 64)
    mask[..., :16] = 0
    hidden = torch.where(mask > 0, own, torch.ones_like(own))
    rows = measure(G, ws, hidden, lpips=tiny_lpips(), mask=mask)
    assert rows["mse"][0] < 1e-10
    assert rows["lpips_alex"][0] < 1e-6
    worse = own + 0.1 * mask
    shown = measure(G, ws, worse, lpips=tiny_lpips(), mask=mask)
    assert shown["mse"][0] == pytest.approx(0.01, rel=1e-3)


def test_an_image_without_fine_detail_is_compared_at_its_own_side() -> None:
    G, lpips = odd_generator(), tiny_lpips()
    ws = G.sample([0])
    small = area_resize(G.synthesize(ws).clamp(-1, 1), 40)
    rows = measure(G, ws, area_resize(small, 64), lpips=lpips, compared_at=40)
    with_detail = measure(G, ws, area_resize(small, 64), lpips=lpips)
    assert rows["mse"][0] < with_detail["mse"][0] / 2
    assert rows["lpips_alex"][0] < with_detail["lpips_alex"][0]


@pytest.mark.parametrize("side", [8, 20])
def test_an_image_smaller_than_lpips_can_take_is_compared_enlarged(side: int) -> None:
    G = small_generator()
    ws = G.sample([0])
    image = area_resize(G.synthesize(ws).clamp(-1, 1), side)
    rows = measure(G, ws, image, lpips=LPIPS.load("alex"), compared_at=side)
    assert rows["mse"] == pytest.approx([0], abs=1e-10)
    assert rows["lpips_alex"] == pytest.approx([0], abs=1e-5)
