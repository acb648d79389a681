"""Noise follows the image and stays noise; whatever has none is told."""

import itertools
import math
from typing import Any, Self

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.invert.inverters.base import Inverter, Progress
from stylegan_latents.invert.inverters.noise import NoiseOptimization, NoiseSettings, correlation
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.options import InverterOptions
from stylegan_latents.invert.record.inversion import Inversion
from tests.generator.stylegan3_files import R, random_stylegan3
from tests.invert.small_search import exact, interrupt_at, own_images, small_search  # noqa: F401
from tests.odd_models import odd_generator, seeded
from tests.small_models import small_record

pytestmark = pytest.mark.usefixtures("small_search")


def _search(G: Generator, steps: int = 30, **options: Any) -> NoiseOptimization:
    pivot = OptimizationInverter(G, exact(3))
    return NoiseOptimization(G, pivot, NoiseSettings(steps=steps, **({"precision": "float32"} | options)))


def _error(G: Generator, record: Inversion, images: torch.Tensor) -> float:
    return float((G.synthesize(record.ws, record.noise or "const") - images).square().mean())


class _Given(Inverter):
    """A pivot that is known."""

    method, steps = "given", 1

    def __init__(self, G: Generator, ws: torch.Tensor) -> None:
        self.G, self.found = G, small_record(G, ws=ws, metrics={})

    @classmethod
    def from_options(cls, G: Generator, _options: InverterOptions, _pivot: Inverter | None) -> Self:
        return cls(G, G.sample([0]))

    def settings(self) -> dict[str, JSON]:
        return {}

    def invert(self, _images: torch.Tensor, **_options: Any) -> Inversion:
        return self.found


def test_noise_comes_nearer_and_stays_noise() -> None:
    G = odd_generator()
    ws = G.sample([3, 4])
    with torch.no_grad():
        images = G.synthesize(ws, "random", seed=1)
    found = NoiseOptimization(G, _Given(G, ws), NoiseSettings(steps=60, precision="float32")).invert(images)
    assert torch.equal(found.ws, ws)
    assert found.method == "noise"
    assert found.noise is not None
    assert _error(G, found, images) < 0.8 * _error(G, _Given(G, ws).found, images)
    for map, own in zip(found.noise, G.noise_constants(), strict=True):
        assert map.shape == (2, *own.shape[1:])
        torch.testing.assert_close(map.std(dim=(1, 2, 3)), own.std().expand(2), rtol=0.05, atol=1e-4)
        assert map.mean().abs() < 1e-3


@pytest.mark.slow
def test_the_regulariser_keeps_neighbours_apart() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    left = []
    for weight in (0.0, 1.0):
        maps = _search(G, 40, regularizer_weight=weight).invert(images).noise or []
        left.append(float(correlation([map / map.std() for map in maps if map.std() > 0])))
    assert left[1] < 0.5 * left[0]


def test_white_noise_does_not_correlate_and_smooth_noise_does() -> None:
    with seeded(0):
        white = torch.randn(2, 1, 128, 128)
    smooth = torch.nn.functional.avg_pool2d(white, 5, stride=1, padding=2)
    assert correlation([white, white[..., :16, :16]]).max() < 3
    assert (correlation([smooth / smooth.std()]) > 1000).all()


def test_ctrl_c_and_steps() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    seen: list[Progress] = []
    _search(G, 4).invert(images, on_step=seen.append)
    assert [(one.step, one.steps) for one in seen] == [(i, 7) for i in range(1, 8)]
    found = _search(G, 4).invert(images, on_step=interrupt_at(5), keep_partial=True)
    assert found.settings["stopped_at_step"] == 5
    assert found.noise is not None
    assert _search(G, 4).invert(images, on_step=interrupt_at(2), keep_partial=True).noise is None
    with pytest.raises(KeyboardInterrupt):
        _search(G, 4).invert(images, on_step=interrupt_at(5))


def test_an_image_whose_noise_diverges_is_told_of_and_leaves_the_others_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    G = odd_generator()
    images = own_images(G, 3, 4)
    whole = _search(G, 6).invert(images)
    synthesize, count = G.synthesize_styles, itertools.count()

    def broken(*arguments: Any, **options: Any) -> Tensor:
        drawn = synthesize(*arguments, **options)
        return drawn * torch.tensor([1.0, math.nan if next(count) >= 6 else 1.0])[:, None, None, None]

    monkeypatch.setattr(G, "synthesize_styles", broken)
    found = _search(G, 6).invert(images)
    assert found.diverged == {1: 6}  # three steps of the pivot, and three of its own
    assert whole.diverged == {}
    for map, other in zip(found.noise or [], whole.noise or [], strict=True):
        assert torch.isfinite(map).all()
        torch.testing.assert_close(map[0], other[0])


def test_a_generator_without_noise_and_impossible_settings_are_refused() -> None:
    with pytest.raises(InputError, match="without noise"):
        NoiseOptimization(random_stylegan3(R))
    for options in ({"steps": 0}, {"learning_rate": 0.0}, {"regularizer_weight": math.nan}):
        with pytest.raises(InputError):
            NoiseOptimization(odd_generator(), settings=NoiseSettings(**options))  # type: ignore[arg-type]
