"""A perceptual encoder is found in closed form: equal to the textbook's regression, and of use on new samples."""

import dataclasses
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.encoders.networks.perceptual import CHANNELS, SIDE
from stylegan_latents.encoders.training.data import Examples, GeneratorSamples
from stylegan_latents.encoders.training.regression import fit_regression
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import LPIPS
from stylegan_latents.generator.statistics import WStatistics
from tests.encoders.small_encoders import noise_images, small_encoder
from tests.odd_models import odd_config, odd_generator, tiny_lpips

PUBLISHED = (3, 64, 192, 384, 256, 256)


@pytest.fixture(name="G", scope="module")
def _generator() -> Generator:
    return odd_generator(odd_config(w_dim=8, z_dim=8, channels=(8, 8, 8)))


@pytest.fixture(autouse=True)
def _trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LPIPS, "load", lambda *_: tiny_lpips(widths=PUBLISHED))


def _fitted(G: Generator, count: int, ridge: float = 0.05, **options: bool) -> Encoder:
    encoder = small_encoder(G, "perceptual")
    config = dataclasses.replace(encoder.config, widths=(8, 24))
    encoder = Encoder.for_generator(G, config)
    fit_regression(encoder, G, GeneratorSamples(G, 32, mixing=0.5), count, ridge=ridge, **options)
    return encoder


@pytest.mark.slow
def test_new_samples_are_found(G: Generator) -> None:
    encoder = _fitted(G, 400, degraded=False)
    new = GeneratorSamples(G, 32, seed=1)(range(50))
    statistics = WStatistics.of(G, seed=0)
    wrong = (statistics.whiten(encoder.encode(new.images)) - statistics.whiten(new.ws)).square().mean()
    assert float(wrong) < 0.6 * float(statistics.whiten(new.ws).square().mean())


def test_it_is_ridge_regression(G: Generator) -> None:
    encoder = _fitted(G, 60, ridge=0.3, degraded=False)
    network = encoder.network
    examples = GeneratorSamples(G, 32, mixing=0.5)(range(60))
    with torch.no_grad():
        x = network.reduce(network.maps(examples.images)).flatten(1).double()  # type: ignore[operator, union-attr]
        answers = network.whitened(network.maps(examples.images)).double()  # type: ignore[operator, union-attr]
    white = WStatistics.of(G, seed=0).whiten(examples.ws).double()
    ends = (0, encoder.config.first_middle_row, encoder.config.first_fine_row, G.num_ws)
    groups = [white[:, a:b] if a < b else white for a, b in pairwise(ends)]
    y = torch.cat([rows.mean(dim=1) for rows in groups], dim=1)
    xc, yc = x - x.mean(dim=0), y - y.mean(dim=0)
    damped = xc.T @ xc / 60
    damped += 0.3 * damped.diagonal().mean() * torch.eye(len(damped))
    exact = xc @ torch.linalg.solve(damped, xc.T @ yc / 60) + y.mean(dim=0)
    # 3 groups of 8 values, and an inner vector of 24: nothing is left out.
    assert (answers.flatten(1) - exact).abs().max() < 2e-3


def test_samples_with_a_cameras_traces_count_too(G: Generator) -> None:
    one, two = (_fitted(G, 24, degraded=degraded) for degraded in (False, True))
    images = noise_images()
    assert not torch.allclose(one.encode(images), two.encode(images))


def test_rows_of_a_group_are_equal(G: Generator) -> None:
    encoder = _fitted(G, 24)
    ws = encoder.encode(noise_images())
    groups = G.ws_groups
    same = [torch.equal(ws[:, i], ws[:, i + 1]) for i in range(G.num_ws - 1)]
    assert same == [groups[i] == groups[i + 1] for i in range(G.num_ws - 1)]


def test_maps_of_the_trunk() -> None:
    encoder = small_encoder(odd_generator(), "perceptual")
    assert encoder.network.maps(noise_images(1, 64)).shape == (1, CHANNELS, SIDE, SIDE)  # type: ignore[operator]


def test_what_is_wrong_is_said(G: Generator) -> None:
    def source(_numbers: range) -> Examples:
        raise AssertionError("nothing is drawn")

    with pytest.raises(InputError, match="architecture perceptual"):
        fit_regression(small_encoder(G), G, source, 10)
    for count, ridge in ((1, 0.5), (10, 0.0)):
        with pytest.raises(InputError, match="2 samples or more"):
            fit_regression(small_encoder(G, "perceptual"), G, source, count, ridge=ridge)
    with pytest.raises(InputError, match="two widths"):
        dataclasses.replace(small_encoder(G, "perceptual").config, input_channels=6)


@pytest.mark.parametrize(("truncation", "mixing"), [(0.0, 0.0), (1.0, 1.5), (1.0, float("nan"))])
def test_samples_out_of_range(G: Generator, truncation: float, mixing: float) -> None:
    with pytest.raises(InputError, match="samples"):
        GeneratorSamples(G, 32, truncation=truncation, mixing=mixing)


def test_mixed_samples_are_functions_of_their_number(G: Generator) -> None:
    source = GeneratorSamples(G, 32, mixing=0.5)
    together, alone = source(range(20)), source(range(7, 8))
    assert torch.allclose(together.ws[7], alone.ws[0], atol=1e-6)
    mixed = [not _equal_rows(ws) for ws in together.ws]
    assert 4 < sum(mixed) < 16


def _equal_rows(ws: Tensor) -> bool:
    return bool((ws == ws[:1]).all())
