"""A search that cannot go on, is stopped or is asked for nonsense keeps what it had, and says why in a sentence."""

import math
from typing import Any

import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.inverters.base import Progress, SearchSettings
from stylegan_latents.invert.inverters.optimize import OptimizationInverter, _Search
from tests.invert.small_search import breaking, interrupt_at, invert, own_images, small_search  # noqa: F401
from tests.odd_models import odd_generator, tiny_lpips

small = pytest.mark.usefixtures("small_search")


@small
@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("everywhere", [True, False])
def test_an_image_with_values_that_are_not_finite(value: float, everywhere: bool) -> None:
    G = odd_generator()
    target = own_images(G, 3)
    target[(...,) if everywhere else (0, 0, 5, 5)] = value
    with pytest.raises(InputError, match="diverged at its first step"):
        invert(G, target)


@small
def test_a_search_that_diverges_later_keeps_what_it_had() -> None:
    G = odd_generator()
    target = own_images(G, 3)
    losses: list[float] = []
    found = invert(G, target, learning_rate=1e30, on_step=lambda progress: losses.append(progress.loss))
    at = found.settings["diverged_at_step"]
    assert at == len(losses) == 1
    assert all(math.isfinite(loss) for loss in losses)
    assert torch.isfinite(found.ws).all()
    torch.testing.assert_close(found.ws[0, 0], WStatistics.of(G).mean)


@small
def test_one_image_of_a_batch_that_diverges_keeps_its_best_and_leaves_the_others_alone() -> None:
    G = odd_generator()
    target = own_images(G, 3, 4, 5)
    whole, short = invert(G, target), invert(G, target[1:2], on_step=interrupt_at(5), keep_partial=True)
    found = invert(breaking(odd_generator(), 1, at=5), target)
    assert found.diverged == {1: 5}
    assert found.settings["diverged_at_step"] == [None, 5, None]
    torch.testing.assert_close(found.ws[[0, 2]], whole.ws[[0, 2]])
    assert torch.isfinite(found.ws).all()
    # The codes of its five good steps are the same as of a search that was stopped there.
    torch.testing.assert_close(found.ws[1], short.ws[0], atol=1e-4, rtol=1e-4)
    one, other, _ = found.split()
    assert (one.diverged, other.diverged) == ({}, {0: 5})
    assert "diverged_at_step" not in one.settings
    assert other.settings["diverged_at_step"] == 5
    assert whole.diverged == {}


@small
def test_images_that_diverge_one_after_the_other_end_the_search() -> None:
    G = breaking(breaking(odd_generator(), 1, at=2), 0, at=6)
    seen: list[Progress] = []
    found = invert(G, own_images(odd_generator(), 3, 4), on_step=seen.append)
    assert found.diverged == {0: 6, 1: 2}
    assert len(seen) == 6


@small
@pytest.mark.parametrize("step", [1, 3])
def test_ctrl_c(step: int) -> None:
    G = odd_generator()
    target = own_images(G, 3)
    with pytest.raises(KeyboardInterrupt):
        invert(G, target, on_step=interrupt_at(step))
    found = invert(G, target, on_step=interrupt_at(step), keep_partial=True)
    assert found.settings["stopped_at_step"] == step
    assert found.settings["steps"] == 12
    assert "diverged_at_step" not in found.settings
    assert "stopped_at_step" not in invert(G, target).settings


@small
def test_ctrl_c_keeps_the_best_so_far() -> None:
    G = odd_generator()
    target = own_images(G, 3)
    losses: list[float] = []

    def on_step(progress: Progress) -> None:
        losses.append(progress.loss)
        if progress.step == 8:
            raise KeyboardInterrupt

    found = invert(G, target, "w", prior_weight=0.0, on_step=on_step, keep_partial=True)
    drawn = G.synthesize(found.ws)
    loss = tiny_lpips()(drawn, target) + (drawn - target).square().mean()
    assert float(loss) == pytest.approx(min(losses), rel=1e-3)


@small
def test_ctrl_c_before_there_is_anything_to_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    G = odd_generator()

    def interrupt(_self: _Search, _step: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_Search, "step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        invert(G, own_images(G, 3), keep_partial=True)


@small
@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 1, 64, 64), (1, 4, 64, 64), (1, 3, 64, 32), (0, 3, 64, 64)])
def test_images_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"need the shape \[N, 3, H, H\]"):
        invert(odd_generator(), torch.zeros(shape))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"space": "z"}, "w or w+, not z"),
        ({"steps": 0}, "at least 1 step"),
        ({"steps": -5}, "at least 1 step"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"learning_rate": -0.1}, "above 0"),
        ({"learning_rate": math.nan}, "above 0"),
        ({"learning_rate": math.inf}, "above 0"),
        ({"w_fraction": -0.1}, "from 0 to 1"),
        ({"w_fraction": 1.1}, "from 0 to 1"),
        ({"w_fraction": math.nan}, "from 0 to 1"),
        ({"pixel_weight": -1.0}, "pixel weight"),
        ({"prior_weight": math.nan}, "prior weight"),
        ({"search_size": 0}, "search size"),
        ({"search_size": 48}, "64 divided by a power of two"),
        ({"precision": "float16"}, "auto, float32 or bfloat16"),
    ],
)
def test_settings_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        OptimizationInverter(odd_generator(), SearchSettings(**options))
    assert message in str(caught.value)
    assert str(caught.value).endswith(".")
